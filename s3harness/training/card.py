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
    directory: Path, data: Path, training_set: TrainingSet, rewards: Sequence[Reward] = (), **facts: object
) -> dict[str, Any]:
    """Write the card of a training set into the directory of the weights (or of an export), and return its content.

    ``facts`` are the trainer's own, JSON-able: the base model, seeds, versions.
    """
    everyone = (*training_set.division.training, *training_set.division.held_out)
    numbers = numbers_of(everyone)
    marks = marks_in(training_set.dataset, data, numbers)
    trained = {numbers[video.patient] for video in training_set.division.training}
    # The card travels with the weights: it holds salted digests of patients, never their names.
    patients = KnownPatients.of(trained, marks).sealed()
    card = {
        "schema": SCHEMA,
        "note": NOTE,
        "data": {key: getattr(training_set.dataset, key) for key in ("name", "version", "licence", "fingerprint")},
        "set": {
            "fingerprint": training_set.fingerprint,
            "samples": len(training_set.samples),
            "settings": asdict(training_set.settings),
            "left_out": dict(training_set.left_out),
            "tasks": {name: spec.hash for name, spec in training_set.specs.items()},
        },
        "rewards": [{"name": r.name, "task": r.task, "weight": r.weight, **_floors(r)} for r in rewards],
        "videos": {"training": len(training_set.division.training), "held_out": len(training_set.division.held_out)},
        "patients": {
            "training": len(trained),
            "held_out": len({video.patient for video in training_set.division.held_out}),
            "salt": patients.salt,
            # Sorted, so that their order does not group the digests by patient.
            "digests": sorted(patients.marks),
        },
        **facts,
    }
    write_json(directory / FILE, card)
    return card


def _floors(reward: Reward) -> dict[str, object]:
    # The authors' rewards, and those of a plugin, have no floors.
    floors = getattr(reward, "floors", None)
    return {} if floors is None else {"floors": dict(floors)}
