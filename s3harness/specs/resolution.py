"""The model that a user names: a card, a directory with weights, a model on the hub, or one that a server has."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from s3harness.errors import S3HarnessError, UsageError, suggest
from s3harness.specs.catalogue import card_document, card_source
from s3harness.specs.derivation.checkpoint import read_checkpoint
from s3harness.specs.derivation.derive import DerivedCard, derive
from s3harness.specs.derivation.hub import MAIN, HubFiles, cached_files, hub_files, is_commit, is_hub_id
from s3harness.specs.models import ModelCard, load_model, model_names
from s3harness.specs.user_cards import user_card_names, user_card_path, written_card
from s3harness.specs.weights import with_weights
from s3harness.value_checks import MAX_NAME

CARD_ENDINGS = (".yaml", ".yml")

_ENDING = re.compile(r"\.(json|jinja|yaml)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedModel:
    """The card of a model, how it was derived if it was, and what a user should know before a run."""

    card: ModelCard
    derived: DerivedCard | None = None
    notes: tuple[str, ...] = ()

    def description(self) -> dict[str, Any]:
        """Return the derived card whole, with the source of each value, for a manifest; empty for a written card."""
        if self.derived is None:
            return {}
        card = written_card(self.card) | {"weights": self.card.weights_id or self.card.weights}
        # The directory of weights is a path of this machine.
        card.pop("directory", None)
        # Without their endings: what is shared of a run is searched for names of files.
        sources = {name: _ENDING.sub("", source) for name, source in self.derived.sources.items()}
        return {"card": card, "sources": sources}


def resolve_model(reference: str, *, is_served: bool = False, loads_weights: bool = False) -> ResolvedModel:
    """Return the model that a reference names.

    In this order: the path of a card (``FILE.yaml``), the name of a card, a directory with weights, a model on the hub
    (``org/name``), and with ``is_served`` any other name, which is then the server's. ``@REVISION`` may follow the name
    of a card or of a model on the hub. With ``loads_weights`` a card without a commit gets that of the weights in the
    hub's cache, so that the engine loads what the manifest records.

    Raises :class:`UsageError` for a reference that names nothing, and for a name that two cards have.
    """
    if reference.endswith(CARD_ENDINGS):
        return _written(load_model(reference), loads_weights=loads_weights)
    if _is_path(reference):
        return of_directory(Path(reference).expanduser())
    name, _, revision = reference.partition("@")
    if name in model_names() or user_card_path(name) is not None:
        check_clash(name)
        card = load_model(name)
        card = replace(card, revision=revision) if revision else card
        return _written(card, loads_weights=loads_weights)
    if is_hub_id(name):
        if card_name := card_of_weights(name):
            chosen = resolve_model(
                reference.replace(name, card_name, 1), is_served=is_served, loads_weights=loads_weights
            )
            return replace(chosen, notes=(f"{name} has a card, {card_name}, which is used", *chosen.notes))
        return _of_hub(name, revision, is_served=is_served)
    if is_served:
        return _served(reference)
    known = [*model_names(), *user_card_names()]
    raise UsageError(
        f"there is no model named {name!r}{suggest(name, known)}; a directory with weights (./DIR) and a model on the "
        "hub (ORG/NAME) need no card"
    )


def of_directory(directory: Path) -> ResolvedModel:
    """Return the model whose weights are in a directory, by its files and never by its name.

    Raises :class:`UsageError` if there is no model, or its configuration is damaged.
    """
    if not directory.is_dir():
        raise UsageError(f"{directory}: there is no model: no such directory, and a card is a file that ends in .yaml")
    derived = derive(read_checkpoint(directory))
    card = with_weights(derived.card, directory)
    # The name goes into manifests and tables, where no path may stand: kind of model, and content of its files.
    name = f"{card.family}-{card.weights_id.rpartition(':')[2][:8]}"
    card = replace(card, name=name, title=name)
    return ResolvedModel(card=card, derived=replace(derived, card=card), notes=derived.notes)


def derived_from_hub(repository: str, files: HubFiles) -> DerivedCard:
    """Derive the card of a model on the hub, pinned to the commit of the files."""
    derived = derive(read_checkpoint(files.directory))
    # Names of models have no slash: they become parts of file names and of pages.
    name = repository.replace("/", "--")
    return derived.named(name, title=repository, weights=repository, revision=files.commit)


def check_clash(name: str) -> None:
    """Raise :class:`UsageError` if a registered card and one that the user has saved have the same name."""
    own = user_card_path(name)
    if own is not None and name in model_names():
        raise UsageError(
            f"two cards are named {name!r}: that of package {card_source(name)} and your own, {own}; rename or delete "
            "yours"
        )


def card_of_weights(repository: str) -> str:
    """Return the name of the registered card of weights on the hub, ``""`` unless there is exactly one."""
    names = []
    for name in model_names():
        try:
            if card_document(name).data.get("weights") == repository:
                names.append(name)
        except S3HarnessError:
            # A wrong card of a plugin stops no other model.
            continue
    return names[0] if len(names) == 1 else ""


def _is_path(reference: str) -> bool:
    # An existing directory comes before a model on the hub of that name, as it does in transformers.
    return reference.startswith((".", "/", "~")) or (os.sep in reference and Path(reference).is_dir())


def _of_hub(name: str, revision: str, *, is_served: bool) -> ResolvedModel:
    # A server has its weights already: no hub is asked for them.
    files = cached_files(name, revision or None) if is_served else hub_files(name, revision or None)
    if files is None:
        return _served(name)
    derived = derived_from_hub(name, files)
    note = _unpinned(name, name, revision, files.commit)
    notes = derived.notes if is_commit(revision) else (*derived.notes, note)
    return ResolvedModel(card=derived.card, derived=derived, notes=notes)


def _written(card: ModelCard, *, loads_weights: bool) -> ResolvedModel:
    """Return a written card, with the commit of its weights in the hub's cache if they are loaded from there."""
    if card.weights_id or card.weights is None or not is_hub_id(card.weights):
        return ResolvedModel(card=card)
    if not loads_weights or is_commit(card.revision):
        return ResolvedModel(card=card)
    files = cached_files(card.weights, card.revision)
    if files is None:
        return ResolvedModel(card=card)
    note = _unpinned(card.name, card.weights, card.revision, files.commit)
    return ResolvedModel(card=replace(card, revision=files.commit), notes=(note,))


def _unpinned(name: str, repository: str, revision: str | None, commit: str) -> str:
    return (
        f"{name} is not pinned: {revision or MAIN} of {repository} is {commit} on this machine, which is used and "
        f"recorded; pin it by --model {name}@{commit}"
    )


def _served(name: str) -> ResolvedModel:
    if not name.isprintable() or len(name) > MAX_NAME:
        raise UsageError(f"{name[:60]!r} cannot be the name of a model: printable characters, at most {MAX_NAME}")
    card = ModelCard(name, title=name, modalities=("video",))
    return ResolvedModel(
        card=card,
        notes=(
            f"{name} has no card: it is taken for a model of the server that sees video and hears no sound; "
            "write a card if that is wrong",
        ),
    )
