"""Model cards, found by name or path, read and checked."""

from __future__ import annotations

from pathlib import Path

from s3harness.specs.catalogue import card_document, model_names
from s3harness.specs.document import Document, read_document, validate
from s3harness.specs.geometry import geometry_of
from s3harness.specs.model_card import ClipForm, ModelCard
from s3harness.specs.user_cards import user_card_path
from s3harness.specs.weights import with_weights

__all__ = ["ClipForm", "ModelCard", "load_model", "model_names", "read_card"]


def load_model(name: str) -> ModelCard:
    """Load a card by its name, or by the path of its YAML file: a registered card, else one that the user has saved.

    Raises :class:`UsageError` for an unknown name and :class:`SpecError` for a wrong card.
    """
    if name.endswith((".yaml", ".yml")):
        return read_card(Path(name))
    own = user_card_path(name) if name not in model_names() else None
    document = card_document(name) if own is None else read_document(own)
    card = _card(document)
    # Manifests and tables identify a model by the card's name.
    if card.name != name:
        raise document.error(("name",), f"{card.name!r} is not the name {name!r} that the card is registered by")
    return card


def read_card(path: Path) -> ModelCard:
    """Read and validate one card."""
    return _card(read_document(path))


def _card(document: Document) -> ModelCard:
    validate(document, "model")
    # The schema's version describes the file, not the model.
    data = {key: value for key, value in document.data.items() if key not in ("schema", "directory")}
    card = ModelCard(**{**data, "modalities": tuple(data["modalities"]), **geometry_of(data)})
    directory = document.data.get("directory")
    # By the content of its files: no path is written into a manifest.
    return card if directory is None else with_weights(card, Path(directory).expanduser())
