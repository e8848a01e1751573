"""time_spans reads the seizures that a model sees in a clip, or says why it cannot."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.parsers.time_spans import MAX_SPANS, time_spans

ONE = '{"seizures": [{"start": "00:10", "end": "01:05.5"}]}'


@pytest.mark.parametrize(
    ("text", "status", "spans"),
    [
        ('{"seizures": []}', "clean", []),
        (ONE, "clean", [(10, 65.5)]),
        ('{"seizures": [{"start": "00:30", "end": "00:40"}, {"start": "00:05", "end": "00:35"}]}', "clean", [(5, 40)]),
        ('[{"start": "00:10", "end": "00:12"}]', "repaired", [(10, 12)]),
        (f"I see one. {ONE} That is all.", "repaired", [(10, 65.5)]),
        (f"{ONE} Again: {ONE}", "repaired", [(10, 65.5)]),
        ("No seizure is visible.", "repaired", []),
        ("There are no seizures", "repaired", []),
        ("none", "repaired", []),
    ],
)
def test_spans_are_read(text: str, status: str, spans: list[tuple[float, float]]) -> None:
    reading = time_spans(text)
    assert (reading.status, list(reading.value)) == (status, spans)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"seizures": "none of them"}',
        '{"seizures": [{"start": "00:10"}]}',
        '{"seizures": [{"start": "00:20", "end": "00:10"}]}',
        '{"seizures": [{"start": "00:10", "end": "00:12"',
        f'{ONE} or rather {{"seizures": []}}',
        "The patient shows no seizure at first, but then one at 00:10.",
        json.dumps({"seizures": [{"start": "00:01", "end": "00:02"}] * (MAX_SPANS + 1)}),
    ],
)
def test_what_cannot_be_read_gives_no_answer(text: str) -> None:
    reading = time_spans(text)
    assert (reading.status, reading.value) == ("unparsable", None)


@given(st.lists(st.tuples(st.integers(0, 119), st.integers(0, 119)).map(sorted), max_size=20))
def test_written_spans_are_read_back_in_order_and_apart(spans: list[list[int]]) -> None:
    named = [{"start": f"{a // 60:02d}:{a % 60:02d}", "end": f"{b // 60:02d}:{b % 60:02d}"} for a, b in spans]
    read = time_spans(json.dumps({"seizures": named})).value
    assert isinstance(read, list)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(read))
    for second in range(120):
        assert any(a <= second <= b for a, b in spans) == any(a <= second <= b for a, b in read)
