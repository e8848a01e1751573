"""Model cards: identity, modalities, engine options, and the protocol of a model's family in the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

from s3harness.specs.catalogue import card_document, model_names
from s3harness.specs.document import Document, read_document, validate
from s3harness.types import Modality

__all__ = ["ModelCard", "load_model", "model_names", "read_card"]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model, as data.

    ``weights`` is a hub id, or ``None`` where none were released; a user may put a directory in its place, and
    ``weights_id`` is then a hash of its files. ``engines`` holds options by backend, ``protocols`` the samplers and
    generation settings of its family under a protocol, where they differ from the task's own.
    """

    name: str
    _: KW_ONLY
    title: str = ""
    weights: str | None = None
    revision: str | None = None
    family: str = ""
    parameters_b: float | None = None
    modalities: tuple[Modality, ...] = ("video",)
    architecture: str = ""
    licence: str = ""
    prompt_placement: str = "media_first"
    engines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    protocols: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    note: str = ""
    weights_id: str = ""

    def hears(self) -> bool:
        """Return true if the model takes sound."""
        return "audio" in self.modalities


def load_model(name: str) -> ModelCard:
    """Load a card by its name, or by the path of its YAML file.

    Raises :class:`UsageError` for an unknown name and :class:`SpecError` for a wrong card.
    """
    if name.endswith((".yaml", ".yml")):
        return read_card(Path(name))
    document = card_document(name)
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
    data = {key: value for key, value in document.data.items() if key != "schema"}
    return ModelCard(**{**data, "modalities": tuple(data["modalities"])})
