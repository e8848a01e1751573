"""The run card: what a model was trained on, for whoever evaluates it later; nobody's name is in it.

It lies beside the weights. Before a model is scored its card is held against the patients to be scored on, who are
known by salted digests alone (:mod:`s3harness.dataset.known_patients`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from s3harness.dataset.known_patients import KnownPatients, Marks, patient_marks, source_names
from s3harness.dataset.load import Dataset, load_dataset
from s3harness.errors import UsageError
from s3harness.run.manifest import write_json
from s3harness.training.rewards import Reward
from s3harness.training.samples import TrainingSet
from s3harness.types import Video

FILE = "s3harness-training.json"
SCHEMA = "s3harness/training/v1"
NOTE = "Research use, not a medical device."


@dataclass(frozen=True, slots=True)
class RunCard:
    """A run card as it was read: what it says, and who was trained on."""

    about: Mapping[str, Any]
    patients: KnownPatients


def write_card(
    directory: Path, data: Path, made: TrainingSet, rewards: Sequence[Reward] = (), **facts: object
) -> dict[str, Any]:
    """Write the card of a training set into the directory of the weights (or of an export); returns what it holds.

    ``facts`` are the trainer's own, JSON-able: the base model, seeds, versions.
    """
    everyone = (*made.division.training, *made.division.held_out)
    numbers = _numbers(everyone)
    marks = _marks(made.dataset, data, numbers)
    trained = {numbers[video.patient] for video in made.division.training}
    known = KnownPatients.of(trained, marks).sealed()
    card = {
        "schema": SCHEMA,
        "note": NOTE,
        "data": {key: getattr(made.dataset, key) for key in ("name", "version", "licence", "fingerprint")},
        "set": {
            "fingerprint": made.fingerprint,
            "samples": len(made.samples),
            "settings": asdict(made.settings),
            "left_out": dict(made.left_out),
            "tasks": {name: spec.hash for name, spec in made.specs.items()},
        },
        "rewards": [{"name": r.name, "task": r.task, "weight": r.weight, **_floors(r)} for r in rewards],
        "videos": {"training": len(made.division.training), "held_out": len(made.division.held_out)},
        "patients": {
            "training": len(trained),
            "held_out": len({video.patient for video in made.division.held_out}),
            "salt": known.salt,
            "digests": sorted(known.marks),
        },
        **facts,
    }
    write_json(directory / FILE, card)
    return card


def read_card(directory: Path) -> RunCard | None:
    """The card of a directory of weights, ``None`` where there is none; :class:`UsageError` if it cannot be read."""
    path = directory / FILE
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema {data['schema']!r} is not {SCHEMA!r}")
        patients = data["patients"]
        known = KnownPatients(frozenset(map(str, patients["digests"])), str(patients["salt"]))
        bytes.fromhex(known.salt)
        return RunCard(data, known)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path}: no run card can be read, so nobody can tell who was trained on: {error!r}"
        ) from error


def trained_on(card: RunCard, data: Path, videos: Iterable[Video]) -> list[Video]:
    """Those of these videos of a data set directory whose patients a model was trained on."""
    dataset = load_dataset(data)
    chosen = tuple(videos)
    numbers = _numbers(dataset.videos)
    met = card.patients.met_in(_marks(dataset, data, numbers))
    return [video for video in chosen if numbers[video.patient] in met]


def refuse_trained_on(weights: Path, data: Path, videos: Iterable[Video]) -> None:
    """Raise :class:`UsageError` if the weights' card says that any patient of these videos was trained on.

    Weights without a card say nothing of it, and pass.
    """
    card = read_card(weights)
    met = trained_on(card, data, videos) if card else []
    if met:
        patients = len({video.patient for video in met})
        raise UsageError(
            f"the model was trained on {patients} of the patients it is to be scored on ({len(met)} videos): its "
            "scores would say nothing of others; score it on the patients held out (--split)"
        )


def _marks(dataset: Dataset, data: Path, numbers: Mapping[str, int]) -> Marks:
    videos = [video for video in dataset.videos if video.patient in numbers]
    return patient_marks(videos, numbers, dataset.fingerprint, source_names(data))


def _numbers(videos: Iterable[Video]) -> dict[str, int]:
    return {patient: number for number, patient in enumerate(sorted({video.patient for video in videos}))}


def _floors(reward: Reward) -> dict[str, object]:
    floors = getattr(reward, "floors", None)
    return {} if floors is None else {"floors": dict(floors)}
