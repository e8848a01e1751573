"""Compare the model that a server serves with the one that was requested."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import s3harness

# Providers add these to the name of a model for one version of it: -2026-01-01, -20260101, -260101, -0613, -002.
_SNAPSHOT = re.compile(r"[-@:](?:20\d\d-?\d\d-?\d\d|(?:\d\d)?(?:0[1-9]|1[0-2])[0-3]\d|00\d)")

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")

ListedModel = Mapping[str, Any]
"""One entry of a server's list of models."""


def choose_model(card: s3harness.ModelCard, lists: Mapping[str, Sequence[ListedModel]], requested: str) -> str:
    """Return the name by which the servers have the model of a card; ``requested`` is the user's, if any.

    ``lists`` are the models of each server by its address, none where a server does not list them.
    Raises :class:`s3harness.S3HarnessError` where a server has another model, and says what it has.
    """
    names = list(dict.fromkeys(str(entry.get("id")) for entries in lists.values() for entry in entries))
    chosen = requested or next((name for name in names if is_model_of(name, card)), "")
    if not chosen:
        raise _no_model_error(card, names)
    for url, entries in lists.items():
        by_name = {str(entry.get("id")): entry for entry in entries}
        if by_name and chosen not in by_name:
            raise s3harness.S3HarnessError(f"the server {url} has no model {chosen!r}; it has {', '.join(by_name)}")
        root = str(by_name.get(chosen, {}).get("root") or "")
        # A server may give the card's name to other weights (--served-model-name): the weights decide, not the name.
        if (
            not requested
            and is_hub_id(root)
            and is_hub_id(card.weights or "")
            and not has_name(root, (str(card.weights),))
        ):
            raise s3harness.S3HarnessError(
                f"the server {url} serves the weights {root} under the name {chosen}, and the card {card.name} is for "
                f"{card.weights}; name the card of the served model with --model, or, if these weights are intended, "
                f"say -o model={chosen}, which the manifest then records"
            )
    return chosen


def is_model_of(name: str, card: s3harness.ModelCard) -> bool:
    """Tell whether a served name is that of a card, or of its weights."""
    return has_name(name, filter(None, (card.weights, card.name)))


def has_name(name: str, names: Iterable[str]) -> bool:
    """Tell whether a name is one of several, with or without the organisation or the directory before it."""
    # Of two names on the hub the organisations count too: a fork is another model.
    return any(
        name.casefold() == other.casefold()
        if is_hub_id(name) and is_hub_id(other)
        else _last_part(name) == _last_part(other)
        for other in names
    )


def is_hub_id(name: str) -> bool:
    """Tell whether a name is that of a repository on the hub, ``org/model``."""
    return _HUB_ID.fullmatch(name) is not None


def is_answer_of(name: str, names: Iterable[str]) -> bool:
    """Tell whether the model name in a reply is one of several, or that of a snapshot of one of them."""
    # Some servers leave the model out of their replies; they are believed.
    if not name:
        return True
    last = _last_part(name)
    return any(
        last == _last_part(other)
        or (last.startswith(_last_part(other)) and _SNAPSHOT.fullmatch(last, len(_last_part(other))) is not None)
        for other in names
    )


def identity(card: s3harness.ModelCard, model: str, entry: ListedModel, engine: str, version: str) -> dict[str, object]:
    """Return what a server reports of its model and of itself, as the manifest records it."""
    root, meta = str(entry.get("root") or ""), entry.get("meta")
    facts = {
        "served": model,
        "root": root if root != model else "",
        "taken_for": "" if is_model_of(model, card) else card.weights or card.name,
        "server": engine,
        "version": version,
        "max_model_len": entry.get("max_model_len"),
        # llama.cpp alone describes the weights themselves.
        "parameters": meta.get("n_params") if isinstance(meta, Mapping) else None,
        "weights_bytes": meta.get("size") if isinstance(meta, Mapping) else None,
    }
    return {name: value for name, value in facts.items() if value not in ("", None)}


def _last_part(name: str) -> str:
    # Both separators, because llama.cpp on Windows names a model by its path.
    return re.split(r"[/\\]", name.rstrip("/\\"))[-1].casefold()


def _no_model_error(card: s3harness.ModelCard, names: Sequence[str]) -> s3harness.S3HarnessError:
    message = f"no server has the model {card.weights or card.name}"
    if not names:
        return s3harness.S3HarnessError(f"{message}; they do not list their models; name it with -o model=NAME")
    return s3harness.S3HarnessError(
        f"{message}; they have {', '.join(names)}; name the card of the served model with --model, or, if it is this "
        f"model under another name, say -o model={names[0] if len(names) == 1 else 'NAME'}, which the manifest then "
        "records"
    )
