"""Which model a server serves, and whether that is the one that was asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import s3harness

_SNAPSHOT = re.compile(r"[-@:](?:20\d\d-?\d\d-?\d\d|(?:\d\d)?(?:0[1-9]|1[0-2])[0-3]\d|00\d)")
"""What providers add to a name for one version of a model: -2026-01-01, -20260101, -260101, -0613, -002."""

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")

Listed = Mapping[str, Any]
"""One entry of a server's list of models."""


def choose_model(card: s3harness.ModelCard, lists: Mapping[str, Sequence[Listed]], said: str) -> str:
    """The name by which the servers have the model of a card; ``said`` is the one that the user gave, if any.

    ``lists`` are the models of each server by its address, none where a server does not tell.
    Raises :class:`s3harness.S3HarnessError` where a server has another model, and says what it has.
    """
    names = list(dict.fromkeys(str(entry.get("id")) for entries in lists.values() for entry in entries))
    chosen = said or next((name for name in names if is_model_of(name, card)), "")
    if not chosen:
        raise _other_model(card, names)
    for url, entries in lists.items():
        listed = {str(entry.get("id")): entry for entry in entries}
        if listed and chosen not in listed:
            raise s3harness.S3HarnessError(f"the server {url} has no model {chosen!r}; it has {', '.join(listed)}")
        root = str(listed.get(chosen, {}).get("root") or "")
        if not said and is_hub_id(root) and is_hub_id(card.weights or "") and not is_named(root, (str(card.weights),)):
            raise s3harness.S3HarnessError(
                f"the server {url} serves the weights {root} under the name {chosen}, and the card {card.name} is for "
                f"{card.weights}; name the card of what is served with --model, or say that this is meant with "
                f"-o model={chosen}, which then stands in the manifest"
            )
    return chosen


def is_model_of(name: str, card: s3harness.ModelCard) -> bool:
    """Whether a served name is that of a card, or of its weights."""
    return is_named(name, filter(None, (card.weights, card.name)))


def is_named(name: str, names: Iterable[str]) -> bool:
    """Whether a name is one of several, with or without the organisation or the folder before it.

    Of two names on the hub the organisations count too: a fork is another model.
    """
    return any(
        name.casefold() == other.casefold() if is_hub_id(name) and is_hub_id(other) else _last(name) == _last(other)
        for other in names
    )


def is_hub_id(name: str) -> bool:
    """Whether a name is that of a repository on the hub, ``org/model``."""
    return _HUB_ID.fullmatch(name) is not None


def is_answer_of(told: str, names: Iterable[str]) -> bool:
    """Whether a reply that calls its model ``told`` is of a model of one of these names, or of a snapshot of it."""
    if not told:
        return True
    last = _last(told)
    return any(
        last == _last(name) or (last.startswith(_last(name)) and _SNAPSHOT.fullmatch(last, len(_last(name))))
        for name in names
    )


def identity(card: s3harness.ModelCard, chosen: str, listed: Listed, kind: str, version: str) -> dict[str, object]:
    """What a server tells of its model and of itself, as the manifest has it."""
    root, meta = str(listed.get("root") or ""), listed.get("meta")
    told = {
        "served": chosen,
        "root": root if root != chosen else "",
        "taken_for": "" if is_model_of(chosen, card) else card.weights or card.name,
        "server": kind,
        "version": version,
        "max_model_len": listed.get("max_model_len"),
        "parameters": meta.get("n_params") if isinstance(meta, Mapping) else None,
        "weights_bytes": meta.get("size") if isinstance(meta, Mapping) else None,
    }
    return {name: value for name, value in told.items() if value not in ("", None)}


def _last(name: str) -> str:
    return re.split(r"[/\\]", name.rstrip("/\\"))[-1].casefold()


def _other_model(card: s3harness.ModelCard, names: Sequence[str]) -> s3harness.S3HarnessError:
    wanted = f"no server has the model {card.weights or card.name}"
    if not names:
        return s3harness.S3HarnessError(f"{wanted}; they do not tell which models they have; say -o model=NAME")
    return s3harness.S3HarnessError(
        f"{wanted}; they have {', '.join(names)}; name the card of what is served with --model, or, if it is this "
        f"model under another name, say -o model={names[0] if len(names) == 1 else 'NAME'}, which then stands in the "
        "manifest"
    )
