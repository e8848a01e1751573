"""Text of an answer in the form that a request asks for, from a value; for backends without an engine."""

from __future__ import annotations

import json

from s3harness.spans import Span, spans_of
from s3harness.types import Request


def write_answer(request: Request, value: object, words: str = "") -> str:
    """Write a value as text in the form that the request's prompt asks for.

    A time is in seconds from the start of the clip, and so are the two times of a span. ``words`` fill the free text
    beside an answer.
    """
    fields = _fields(request)
    # By the fields of the schema, which tell what the prompt asks for; the task's name may be anything.
    if "timestamp" in fields:
        return json.dumps({"timestamp": format_timestamp(_number(value))})
    if "frame" in fields:
        return json.dumps({"frame": str(_frame(request, _number(value)))})
    if "answer" in fields:
        return json.dumps({name: value if name == "answer" else words for name in fields}, ensure_ascii=False)
    if "seizures" in fields:
        spans = [{"start": format_timestamp(start), "end": format_timestamp(end)} for start, end in _spans(value)]
        return json.dumps({"seizures": spans})
    return _plain(value)


def _plain(value: object) -> str:
    """Write a value for a prompt that asks for no JSON."""
    if isinstance(value, float):
        return format_timestamp(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def format_timestamp(seconds: float) -> str:
    """Format seconds as MM:SS, with milliseconds where they are not zero."""
    # A guess before the clip becomes its start: parsers know no negative times.
    milliseconds = max(0, round(seconds * 1000))
    whole, fraction = divmod(milliseconds, 1000)
    text = f"{whole // 60:02d}:{whole % 60:02d}"
    return f"{text}.{fraction:03d}".rstrip("0") if fraction else text


def _fields(request: Request) -> list[str]:
    properties = (request.answer_schema or {}).get("properties", {})
    # A schema may have no properties at all, or odd ones.
    return list(properties) if isinstance(properties, dict) else []


def _frame(request: Request, seconds: float) -> int:
    """Return the number, from 1, of the frame nearest to a time in the clip."""
    wanted = request.clip.start_s + seconds
    times = request.clip.timestamps
    return 1 + min(range(len(times)), key=lambda i: abs(times[i] - wanted))


def _spans(value: object) -> list[Span]:
    spans = spans_of(value)
    if spans is None:
        raise TypeError(f"spans of time in seconds are expected, not {value!r}")
    return spans


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"a time in seconds is expected, not {value!r}")
    return float(value)
