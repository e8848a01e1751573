"""Item by item: who won what, and where runs disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from s3harness.analysis.versus import versus
from s3harness.metrics.base import Pair
from s3harness.specs.loading import load_task
from s3harness.specs.tasks import TaskSpec, resolve
from s3harness.types import Prediction, Reference


def _spec(number: int) -> TaskSpec:
    from s3harness.specs.models import ModelCard

    return resolve(load_task(str(number)).data, protocol="strict", profile="strict", model=ModelCard("m"))


def _shared(number: int, subject: str, items: Sequence[Any], **answers: Sequence[Any]) -> Mapping[str, Any]:
    """One item a video: the truths, and the answers of each run; ``None`` for none."""
    spec = _spec(number)
    found: dict[str, list[Pair]] = {}
    for run, values in answers.items():
        for n, (truth, value) in enumerate(zip(items, values, strict=True)):
            window = (0.0, 30.0) if number == 4 else None
            reference = Reference(
                item=f"i{n}", task=spec.name, video_id=f"v{n}", subject=subject, cluster=n, truth=truth, window=window
            )
            found.setdefault(run, []).append(
                Pair(reference, Prediction(f"i{n}", value, "missing" if value is None else "answered"))
            )
    return {spec.name: (spec, found)}


@pytest.mark.parametrize(
    ("number", "subject", "truths", "first", "second", "expected"),
    [
        (1, "tonic", ["yes", "no", "yes", "no"], ["yes", "yes", "no", "no"], ["yes", "no", "yes", None], (2, 1, 1)),
        (4, "tonic", [10.0, 20.0, 5.0], [11.0, 20.0, 5.0], [10.0, 28.0, 5.0], (1, 1, 1)),
        (3, "head_turning", ["left", "right"], ["left", "right"], ["right", "right"], (0, 1, 1)),
    ],
)
def test_won_lost_and_the_same(
    number: int, subject: str, truths: list[Any], first: list[Any], second: list[Any], expected: tuple[int, int, int]
) -> None:
    (duel,) = versus(_shared(number, subject, truths, a=first, b=second)).duels
    assert (duel.won, duel.lost, duel.tied) == expected
    (turned,) = versus(_shared(number, subject, truths, a=second, b=first)).duels
    assert (turned.won, turned.lost, turned.tied) == (expected[1], expected[0], expected[2])


def test_disagreements_name_the_better_run_and_those_where_nobody_is() -> None:
    truths, a, b = ["head", "eyes", "legs"], ["head", "legs", "legs"], ["eyes", "head", "legs"]
    found = versus(_shared(3, "onset_body_part", truths, a=a, b=b)).disagreements
    assert [(one.video_id, one.best) for one in found] == [("v0", ("a",)), ("v1", ())]
    assert found[0].answers == ("head", "eyes")
    assert found[0].scores == (1.0, 0.0)


def test_three_runs_make_three_duels() -> None:
    truths = ["yes", "no"]
    found = versus(_shared(1, "tonic", truths, a=["yes", "no"], b=["no", "no"], c=["no", "yes"]))
    assert [(duel.first, duel.second, duel.lost) for duel in found.duels] == [
        ("a", "b", 1),
        ("a", "c", 2),
        ("b", "c", 1),
    ]
    assert [one.best for one in found.disagreements] == [("a",), ("a", "b")]


def test_an_item_that_the_annotators_did_not_test_is_nobodys() -> None:
    (duel,) = versus(_shared(1, "tonic", ["untested", "yes"], a=["yes", "yes"], b=["no", "yes"])).duels
    assert duel.won + duel.lost == 0
