"""Save a card of one's own, and derive the card of a model that has a written one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from s3harness.errors import UsageError
from s3harness.specs.derivation.checkpoint import read_checkpoint
from s3harness.specs.derivation.derive import DerivedCard, derive
from s3harness.specs.derivation.hub import fetched_files, hub_files, is_hub_id
from s3harness.specs.model_card import ModelCard
from s3harness.specs.models import load_model, model_names
from s3harness.specs.resolution import ResolvedModel, card_of_weights, check_clash, derived_from_hub, resolve_model
from s3harness.specs.user_cards import check_name, save_card, user_card_path


def add_card(reference: str, alias: str | None) -> tuple[str, Path, tuple[str, ...]]:
    """Save the card of a model in the user's folder; return its name, its path, and what a user should know of it.

    Raises :class:`UsageError` for a name that a card has already, and for a model that is not there.
    """
    model = _newest(reference) if is_hub_id(reference) and not Path(reference).is_dir() else resolve_model(reference)
    name = alias or _plain(reference if is_hub_id(reference) else model.card.name)
    check_name(name)
    if name in model_names() or user_card_path(name) is not None:
        check_clash(name)
        taken = user_card_path(name) or "a card that is installed"
        raise UsageError(f"{name!r} is the name of {taken}; choose another: s3harness models add {reference} --as NAME")
    title = name if model.card.weights_id else model.card.title or name
    return name, save_card(replace(model.card, name=name, title=title)), model.notes


def derived_of(card: ModelCard) -> DerivedCard:
    """Derive the card of a model that has a written one, from its weights.

    Raises :class:`UsageError` if they are neither on this machine nor to be had.
    """
    if card.weights is None:
        raise UsageError(
            f"{card.name} has no weights to derive a card from; name a directory: s3harness models show ./DIR --derive"
        )
    if card.weights_id:
        return derive(read_checkpoint(Path(card.weights)))
    return derived_from_hub(card.weights, hub_files(card.weights, card.revision))


def _newest(repository: str) -> ResolvedModel:
    """Return a model on the hub, pinned to its newest commit, with the card of its weights if there is one."""
    # From the hub if it can be reached: the cache of this machine may be older.
    files = fetched_files(repository)
    if name := card_of_weights(repository):
        return ResolvedModel(card=replace(load_model(name), revision=files.commit))
    derived = derived_from_hub(repository, files)
    return ResolvedModel(card=derived.card, derived=derived, notes=derived.notes)


def _plain(name: str) -> str:
    """Return the last part of a model's name, in the letters that names of cards have."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.rpartition("/")[2].lower()).strip("-.")
