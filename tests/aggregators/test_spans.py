"""clip_spans joins what the windows of a recording show."""

import pytest

from s3harness.aggregators.aggregate import Aggregate
from s3harness.aggregators.spans import clip_spans
from s3harness.errors import SpecError
from s3harness.types import Answer, Clip


def seizures(aggregate: Aggregate) -> object:
    assert isinstance(aggregate.value, dict)
    return aggregate.value["seizures"]


def windows(*values: object) -> list[Answer]:
    return [Answer(f"r{i}", v, clip=Clip("v1", 110.0 * i, 110.0 * i + 120, (), 1)) for i, v in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "spans"),
    [
        ([[], []], []),
        # One seizure across two windows, which share the seconds from 110 to 120.
        ([[(100, 120)], [(0, 30)]], [[100, 140]]),
        ([[(10, 20)], [(10, 20)]], [[10, 20], [120, 130]]),
        # A moment is as long as the time between two frames can be.
        ([[(10, 10)]], [[10, 11]]),
    ],
)
def test_spans_of_windows_become_those_of_the_recording(values: list[object], spans: list[list[float]]) -> None:
    assert seizures(clip_spans(windows(*values))) == spans


def test_gaps_are_filled_when_that_is_wanted() -> None:
    assert seizures(clip_spans(windows([(10, 20), (25, 30)]), gap_s=5)) == [[10, 30]]


def test_the_time_without_an_answer_is_told_from_that_without_a_seizure() -> None:
    first, _, third, fourth = windows([], [], [(5, 9)], [])
    assert clip_spans([first, third, fourth]).value == {"seizures": [[225, 229]], "seen": [[0, 120], [220, 450]]}


def test_another_parser_is_an_error_of_the_spec() -> None:
    with pytest.raises(SpecError, match="time_spans"):
        clip_spans(windows("00:37"))
