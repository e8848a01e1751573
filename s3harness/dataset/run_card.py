"""The run card of weights: the training they come from, without a name of any patient.

It lies beside the weights. Before a model is scored, the patients of its card are compared with those to be scored on,
by salted digests alone (:mod:`s3harness.dataset.known_patients`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from s3harness.dataset.known_patients import KnownPatients, Marks, patient_marks, source_names
from s3harness.dataset.load import Dataset, load_dataset
from s3harness.errors import UsageError
from s3harness.files import parse_json
from s3harness.specs.models import ModelCard
from s3harness.types import Video

FILE = "s3harness-training.json"
SCHEMA = "s3harness/training/v1"
SCORED = (
    "the model was trained on {patients} of the patients to be scored ({videos} videos), so its scores would not hold "
    "for other patients; score it on the held-out patients (--split)"
)
IN_MANIFEST = ("stage", "trainer", "base", "clips", "audio", "data", "set", "rewards", "videos")
"""Fields of a card that the manifest of an evaluation repeats; of the patients only their number."""


@dataclass(frozen=True, slots=True)
class RunCard:
    """A run card: its content, and the patients of this training and of each training before."""

    about: Mapping[str, Any]
    patients: tuple[KnownPatients, ...]


def read_card(directory: Path) -> RunCard | None:
    """Read the card of a directory of weights, ``None`` if it has none; raise :class:`UsageError` for a broken card."""
    path = directory / FILE
    if not path.exists():
        return None
    try:
        data = parse_json(path.read_text(encoding="utf-8"))
        return RunCard(data, tuple(_known(data)))
    # A broken card stops the run: to go on would be to score patients that may have been trained on.
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path}: the run card cannot be read, so the patients trained on are unknown: {error!r}"
        ) from error


def as_trained(model: ModelCard, directories: Iterable[Path]) -> ModelCard:
    """Return a model's card with clips in the form in which its weights were trained, by the run cards beside them.

    ``clips`` of a run card is ``video`` or ``images``, ``audio`` is ``none``, ``separate`` or ``in_video``; what a run
    card does not say stays as it is. Of several directories the later ones count, as an adapter's over the weights'.
    """
    for card in filter(None, map(read_card, directories)):
        if "clips" in card.about:
            model = replace(model, clip_form=card.about["clips"])
        audio = card.about.get("audio")
        if audio == "none":
            model = replace(model, modalities=tuple(modality for modality in model.modalities if modality != "audio"))
        elif audio is not None:
            model = replace(model, audio_in_video=audio == "in_video")
    return model


def trained_on(card: RunCard, data: Path, videos: Iterable[Video]) -> list[Video]:
    """Return those of the videos of a data set directory whose patients a model was trained on."""
    # The whole data set, since numbers and marks of patients depend on all of them.
    dataset = load_dataset(data)
    chosen = tuple(videos)
    numbers = numbers_of(dataset.videos)
    marks = marks_in(dataset, data, numbers)
    met = {number for known in card.patients for number in known.met_in(marks)}
    return [video for video in chosen if numbers[video.patient] in met]


def refuse_trained_on(weights: Path, data: Path, videos: Iterable[Video], why: str = SCORED) -> None:
    """Raise :class:`UsageError` if the weights' card says that any patient of these videos was trained on.

    Weights without a card pass. ``why`` is the message, with the fields ``patients`` and ``videos`` (numbers).
    """
    card = read_card(weights)
    met = trained_on(card, data, videos) if card else []
    if met:
        raise UsageError(why.format(patients=len({video.patient for video in met}), videos=len(met)))


def trainings(directories: Iterable[Path]) -> list[dict[str, Any]]:
    """Return the manifest's entries of the trainings of these weights, the last first; none without a card."""
    cards = [card for card in map(read_card, directories) if card is not None]
    return [entry for card in cards for entry in _manifest_entries(card.about)]


def marks_in(dataset: Dataset, data: Path, numbers: Mapping[str, int]) -> Marks:
    """Return the marks of the patients of these numbers; ``data`` is the data set's directory."""
    videos = [video for video in dataset.videos if video.patient in numbers]
    return patient_marks(videos, numbers, dataset.fingerprint, source_names(data))


def numbers_of(videos: Iterable[Video]) -> dict[str, int]:
    """Return a number for each patient."""
    return {patient: number for number, patient in enumerate(sorted({video.patient for video in videos}))}


def _known(data: Mapping[str, Any]) -> Iterator[KnownPatients]:
    """Yield the patients of a card, and of the cards of the trainings before."""
    if data["schema"] != SCHEMA:
        raise ValueError(f"schema {data['schema']!r} is not {SCHEMA!r}")
    patients = data["patients"]
    known = KnownPatients(frozenset(map(str, patients["digests"])), str(patients["salt"]))
    # Raises ValueError here, where the card is named, and not at the first comparison.
    bytes.fromhex(known.salt)
    yield known
    # Weights that were trained twice know the patients of both trainings.
    if "before" in data:
        yield from _known(data["before"])


def _manifest_entries(about: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    counts = {key: about["patients"][key] for key in ("training", "held_out") if key in about["patients"]}
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
    yield {key: about[key] for key in IN_MANIFEST if key in about} | {"patients": counts, "card_sha256": digest}
    if "before" in about:
        yield from _manifest_entries(about["before"])
