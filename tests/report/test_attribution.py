"""Each wrong answer is named by what went wrong, and the causes of a loss add up to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from s3harness.analysis.attribution import losses, outcomes
from s3harness.analysis.consistency import self_consistency
from s3harness.scoring.score_run import ScoredTask
from s3harness.specs.tasks import TaskSpec
from s3harness.types import Prediction, Reference

REPORT = {
    "text": "The head turned to the left, then both arms jerked.",
    "events": ["head_turning", "clonic"],
    "sides": {"head_turning": "left"},
    "untested": [],
}


def _task(kind: str, *items: tuple[str, Any, Any]) -> ScoredTask:
    """A task of one video: subject, truth and answered value of each item; an exception's text for no value."""
    references, predictions = [], []
    for subject, truth, value in items:
        item = f"s3/{kind}/v1/{subject}"
        references.append(
            Reference(item=item, task=f"s3/{kind}", video_id="v1", subject=subject, cluster=0, truth=truth)
        )
        status = "unparsable" if value is None else "answered"
        predictions.append(Prediction(item, value, status))  # type: ignore[arg-type]
    return ScoredTask(TaskSpec({"name": f"s3/{kind}", "item": kind}), references, predictions)


@pytest.mark.parametrize(
    ("kind", "truth", "said", "expected"),
    [
        ("feature", "yes", "yes", ["hit"]),
        ("feature", "yes", "no", ["missed"]),
        ("feature", "no", "yes", ["hallucinated"]),
        ("feature", "no", "no", ["correctly absent"]),
        ("feature", "untested", "yes", ["untested in truth"]),
        ("feature", "yes", None, ["unread: unparsable"]),
        ("laterality", "left", "left", ["hit"]),
        ("laterality", "left", "right", ["side flipped"]),
        ("laterality", "left arm", "right arm", ["side flipped"]),
        ("laterality", "head", "left arm", ["confused"]),
        ("boundary", 10.0, 11.5, ["hit"]),
        ("boundary", 10.0, 30.0, ["mislocated"]),
        ("diagnosis", "ES", "NES", ["confused"]),
        ("sequence", [["tonic", 1.0], ["clonic", 2.0]], ["clonic", "tonic"], ["hit", "out of order"]),
        ("sequence", [["tonic", 1.0]], ["tonic", "clonic", "tonic"], ["hallucinated", "hit", "said again"]),
        ("sequence", [["tonic", 1.0]], [], ["missed"]),
        ("report", REPORT, "The head turned to the left. Clonic jerking followed.", ["hit", "hit"]),
        ("report", REPORT, "The head turned to the right.", ["missed", "side flipped"]),
    ],
)
def test_the_outcome_of_an_item(kind: str, truth: Any, said: Any, expected: Sequence[str]) -> None:
    task = _task(kind, (kind, truth, said))
    assert sorted(outcome.kind for outcome in outcomes({"t": task})) == list(expected)


def _order(listed: list[str], signs: dict[str, str], times: dict[str, float]) -> dict[str, ScoredTask]:
    truth = [["tonic", 5.0], ["clonic", 10.0], ["face_twitching", 20.0]]
    present = {name for name, _ in truth}
    features = [(name, "yes" if name in present else "no", said) for name, said in signs.items()]
    return {
        "1": _task("feature", *features),
        "4": _task("boundary", *((str(name), at, times[str(name)]) for name, at in truth)),
        "5": _task("sequence", ("sequence", truth, listed)),
    }


SEEN = {"tonic": "yes", "clonic": "yes", "face_twitching": "yes", "figure4": "no"}
RIGHT = {"tonic": 5.0, "clonic": 10.0, "face_twitching": 20.0}
WRONG = {"tonic": 20.0, "clonic": 10.0, "face_twitching": 5.0}


@pytest.mark.parametrize(
    ("listed", "signs", "times", "guilty"),
    [
        ([], SEEN, RIGHT, "composition"),
        (["face_twitching", "clonic", "tonic"], SEEN, WRONG, "timing"),
        (["clonic"], {"tonic": "no", "clonic": "yes", "face_twitching": "no", "figure4": "no"}, RIGHT, "recognition"),
    ],
)
def test_the_loss_of_order_is_laid_at_the_door_of_what_caused_it(
    listed: list[str], signs: dict[str, str], times: dict[str, float], guilty: str
) -> None:
    (loss,) = losses(_order(listed, signs, times))
    assert loss.total > 0.2
    assert sum(loss.causes.values()) == pytest.approx(loss.total)
    assert loss.causes[guilty] == pytest.approx(loss.total)


def test_the_loss_of_reports_adds_up() -> None:
    said = "The head turned to the right. Give lorazepam 4 mg immediately. There was pelvic thrusting."
    (loss,) = losses({"6": _task("report", ("report", REPORT, said))})
    assert loss.unit == "points"
    assert sum(loss.causes.values()) == pytest.approx(loss.total)
    assert loss.causes["L"] > 0
    assert loss.causes["penalties"] > 0


def test_what_a_model_says_twice_is_compared_without_any_label() -> None:
    tasks = {
        "1": _task("feature", ("clonic", "untested", "no"), ("head_turning", "untested", "yes")),
        "5": _task("sequence", ("sequence", [], ["clonic"])),
        "6": _task("report", ("report", REPORT, "The head turned to the left.")),
    }
    found = self_consistency(tasks)
    assert [c.subject for c in found.contradictions] == ["clonic, order of events"]
    assert found.share == pytest.approx(1 - 1 / found.n_compared)
    assert self_consistency({}).share is None
