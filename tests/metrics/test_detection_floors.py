"""Trivial answerers of detection behave as computed by hand."""

from __future__ import annotations

from collections.abc import Sequence

from s3harness.metrics.base import Pair
from s3harness.metrics.detection import detection
from s3harness.metrics.floors import floors_for, oracle
from s3harness.spans import spans_of
from s3harness.types import Prediction, Reference

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
# Each patient has one day from noon to noon with two seizures of 60 s.
SEIZURES = ((2 * HOUR_S, 2 * HOUR_S + 60), (15 * HOUR_S, 15 * HOUR_S + 60))
NOON_S = 12 * HOUR_S


def day(patient: int, seizures: Sequence[tuple[float, float]] = SEIZURES, **content: float) -> Reference:
    truth = {"seizures": [list(span) for span in seizures], "duration_s": DAY_S, "clock_s": NOON_S, **content}
    return Reference(
        item=f"i{patient}", task="t", video_id=f"v{patient}", subject="seizures", cluster=patient, truth=truth
    )


DAYS = [day(patient) for patient in range(8)]


def score(name: str, predictions: Sequence[Prediction]) -> float:
    metric = detection(score=name)
    pairs = [Pair(r, p) for r, p in zip(DAYS, predictions, strict=True)]
    return float(metric.value(metric.statistics(pairs).sum(axis=0)))


def test_never_and_always() -> None:
    floors = floors_for("seizures", DAYS)
    assert score("sensitivity", floors["never"]) == score("false_alarms", floors["never"]) == 0
    assert score("sensitivity", floors["always"]) == 1
    # 288 alarms of 5 min in 24 h. Both seizures begin at a whole hour, where two alarms meet, and the 30 s before
    # it reach into the alarm before: two alarms each are right.
    assert score("false_alarms", floors["always"]) == 284


def test_the_truth_is_perfect() -> None:
    perfect = oracle(DAYS)
    assert [score(name, perfect) for name in ("sensitivity", "precision", "f1", "false_alarms")] == [1, 1, 1, 0]


def test_random_alarms_are_as_many_and_as_long_as_others_seizures_and_mostly_wrong() -> None:
    drawn = floors_for("seizures", DAYS)["rate_matched"]
    for prediction in drawn:
        alarms = spans_of(prediction.value)
        assert alarms is not None and len(alarms) <= 2
        # Cut at the recording's ends, or joined by chance, but else of 60 s each.
        assert sum(end - start for start, end in alarms) <= 120 + 1e-6
    # A window of 30 + 60 + 60 s around a seizure and an alarm of 60 s: 210 s of 86 400 for each of 2 alarms.
    assert score("sensitivity", drawn) <= 0.13


def test_random_alarms_at_night_are_at_night() -> None:
    for prediction in floors_for("seizures", DAYS)["night_only"]:
        for start, end in spans_of(prediction.value) or []:
            # From noon, the night is the 10th to the 18th hour; an alarm may reach half its length over the edge.
            assert 10 * HOUR_S - 30 <= start < end <= 18 * HOUR_S + 30


def test_no_alarms_at_night_in_a_recording_of_the_day() -> None:
    short = [day(patient, SEIZURES[:1], duration_s=4 * HOUR_S) for patient in range(8)]
    assert all(prediction.value == [] for prediction in floors_for("seizures", short)["night_only"])


def test_the_patient_who_is_scored_adds_nothing_to_the_rate() -> None:
    # All seizures are of patient 0: nobody else has any, so that patient 0 gets no alarm.
    lone = [day(0), *(day(patient, ()) for patient in range(1, 8))]
    assert floors_for("seizures", lone)["rate_matched"][0].value == []
