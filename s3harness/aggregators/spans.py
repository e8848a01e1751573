"""The aggregator of spans of time: those of a recording, from those of its windows."""

from __future__ import annotations

from collections.abc import Sequence

from s3harness.aggregators.aggregate import Aggregate
from s3harness.errors import SpecError
from s3harness.spans import spans_of, union
from s3harness.types import Answer


def clip_spans(answers: Sequence[Answer], gap_s: float = 0.0, shortest_s: float = 1.0) -> Aggregate:
    """Convert spans within clips to spans within the video and unite them across windows.

    The value is an object: ``seizures`` is the list of the spans, ``seen`` that of the time that the windows with an
    answer cover, so that a metric can tell a time without seizures from one of which there is no answer.
    Gaps of up to ``gap_s`` seconds are filled; a span shorter than ``shortest_s`` is made as long, as a model that sees
    a frame a second can name one moment alone. Raises :class:`SpecError` if an answer holds no spans or has no clip.
    """
    spans, seen = [], []
    for answer in answers:
        in_clip = spans_of(answer.value)
        if in_clip is None or answer.clip is None:
            raise SpecError(
                "aggregate: clip_spans needs spans of time within a clip; use it with the parser time_spans"
            )
        offset_s = answer.clip.start_s
        seen.append((offset_s, answer.clip.end_s))
        spans += [(offset_s + start, offset_s + max(end, start + shortest_s)) for start, end in in_clip]
    joined = union(spans, gap_s)
    named = sum(bool(answer.value) for answer in answers)
    # Lists, not tuples: a prediction is the same before and after it was written as JSON.
    value = {"seizures": [list(span) for span in joined], "seen": [list(span) for span in union(seen)]}
    return Aggregate(value, f"{len(joined)} from {named} of {len(answers)} windows")
