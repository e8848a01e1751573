"""A score has an interval that is no point, or says why it has none."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from s3harness.scoring.score_task import score_task
from s3harness.specs.loading import load_task
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import resolve
from s3harness.types import Prediction, Reference, Score


def diagnosis(truths: Sequence[str], answers: Sequence[str]) -> Score:
    """The primary score of Task 7, of two videos a patient whose truth and answer are these."""
    spec = resolve(load_task("7").data, protocol="strict", profile="strict", model=ModelCard("m"))
    references, predictions = [], []
    for patient, (truth, answer) in enumerate(zip(truths, answers, strict=True)):
        for number in range(2):
            item = f"v{patient}.{number}/video"
            references.append(
                Reference(
                    item=item,
                    task=spec.name,
                    video_id=f"v{patient}.{number}",
                    subject="video",
                    cluster=patient,
                    truth=truth,
                )
            )
            predictions.append(Prediction(item, answer))
    return next(score for score in score_task(spec, references, predictions) if score.primary)


def test_too_few_patients_of_a_class_are_named() -> None:
    truths = ["ES"] * 21 + ["NES"] * 3
    score = diagnosis(truths, truths)
    assert (score.value, score.interval) == (1.0, None)
    assert score.interval_note == "too few patients (24; NES of 3)"


@pytest.mark.parametrize("n", [12, 24, 80])
def test_all_right_is_no_certainty(n: int) -> None:
    truths = ["ES", "NES"] * (n // 2)
    score = diagnosis(truths, truths)
    assert score.interval is not None
    assert score.value == score.interval.high == 1.0
    assert 1 / n < 1.0 - score.interval.low < 10 / n, "about the rule of three"
    assert score.interval_note == ""


def test_the_same_answers_give_the_same_interval_every_time() -> None:
    truths = ["ES", "NES"] * 30
    answers = [truth if n % 5 else "ES" for n, truth in enumerate(truths)]
    assert diagnosis(truths, answers) == diagnosis(truths, answers)
