"""Writing the run card (:mod:`s3harness.dataset.run_card`) of a training set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from s3harness.dataset.known_patients import KnownPatients
from s3harness.dataset.run_card import FILE, SCHEMA, marks_in, numbers_of
from s3harness.files import write_json
from s3harness.training.rewards import Reward
from s3harness.training.training_set import TrainingSet

NOTE = "Research use, not a medical device."


def write_card(
    directory: Path, data: Path, made: TrainingSet, rewards: Sequence[Reward] = (), **facts: object
) -> dict[str, Any]:
    """Write the card of a training set into the directory of the weights (or of an export); returns what it holds.

    ``facts`` are the trainer's own, JSON-able: the base model, seeds, versions.
    """
    everyone = (*made.division.training, *made.division.held_out)
    numbers = numbers_of(everyone)
    marks = marks_in(made.dataset, data, numbers)
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


def _floors(reward: Reward) -> dict[str, object]:
    floors = getattr(reward, "floors", None)
    return {} if floors is None else {"floors": dict(floors)}
