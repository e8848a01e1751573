"""Model cards: what a model is, how an engine runs it, and the protocol its family was run with in the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s3harness.errors import SpecError, UsageError
from s3harness.plugins import load, manager, suggest
from s3harness.specs.document import read_document, specs_directory, validate
from s3harness.types import Modality


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model, as data.

    ``weights`` is a hub id or ``None`` where none were released; ``engines`` holds options by backend, ``protocols``
    what its family was shown under a protocol, where that differs from the task's own settings.
    """

    name: str
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

    def hears(self) -> bool:
        """Whether the model takes sound."""
        return "audio" in self.modalities


def model_names() -> list[str]:
    """The names of all known model cards: the benchmark's own, then the plugins'."""
    return [*sorted(path.stem for path in _directory().glob("*.yaml")), *manager().registry.names("model")]


def load_model(name: str) -> ModelCard:
    """The card of an alias, or of a path to a card's YAML file.

    Raises :class:`UsageError` for an unknown name and :class:`SpecError` for a wrong card.
    """
    path = _directory() / f"{name}.yaml"
    if name in manager().registry.names("model"):
        target = load("model", name)
        path = Path(str(target() if callable(target) else target))
    elif name.endswith((".yaml", ".yml")):
        path = Path(name)
    elif Path(name).name != name or not path.is_file():
        raise UsageError(f"there is no model named {name!r}{suggest(name, model_names())}")
    return read_card(path)


def read_card(path: Path) -> ModelCard:
    """Read and validate one card."""
    document = read_document(path)
    validate(document, "model")
    data = dict(document.data)
    if path.parent == _directory() and data["name"] != path.stem:
        raise SpecError(f"{path.name}: name: {data['name']!r} is not the file's name {path.stem!r}")
    del data["schema"]
    data["modalities"] = tuple(data["modalities"])
    return ModelCard(**data)


def _directory() -> Path:
    return specs_directory() / "models"
