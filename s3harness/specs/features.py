"""The vocabulary: the 20 ictal signs of the benchmark, as data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from s3harness.specs.document import read_document, specs_directory
from s3harness.types import Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One sign of the vocabulary.

    ``question`` asks for its presence, ``statement`` completes "the moment when the patient …"; ``synonyms`` are
    other words for it; ``modality`` is video for signs that are seen, audio for those that are heard.
    """

    name: str
    title: str
    question: str
    definition: str
    statement: str
    modality: Modality
    synonyms: tuple[str, ...]
    lateralised: bool
    has_interval: bool


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The features in the benchmark's order, the further signs that annotations may name, and the body parts."""

    features: tuple[Feature, ...]
    signs: tuple[str, ...]
    body_parts: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the 20 features, in order."""
        return tuple(feature.name for feature in self.features)

    def __getitem__(self, name: str) -> Feature:
        return next(feature for feature in self.features if feature.name == name)

    @property
    def synonyms(self) -> dict[str, str]:
        """Every name and synonym → the feature's name."""
        return {word: f.name for f in self.features for word in (f.name, *f.synonyms)}


# Read in nearly every module, and the same for the whole process.
@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """Load the vocabulary of ``task_specs/features.yaml``."""
    data = read_document(specs_directory() / "features.yaml").data
    features = tuple(Feature(**{**entry, "synonyms": tuple(entry["synonyms"])}) for entry in data["features"])
    return Vocabulary(features, tuple(data["signs"]), tuple(data["body_parts"]))
