"""A moment in a clip."""

from __future__ import annotations

import re

from s3harness.parsers.json_text import embedded_json, strict_json
from s3harness.parsers.reading import Reading
from s3harness.parsers.text import AnswerText, answer_text

MAX_SECONDS = 24 * 3600.0
"""No recording is longer; a larger number is no time."""


def timestamp(text: str, key: str = "timestamp") -> Reading:
    """Read one time, as seconds (``float``) from the start of the clip.

    Forms: ``{"timestamp": "MM:SS"}`` (the name is ``key``) or the bare time; MM:SS, H:MM:SS, either with decimals, or
    seconds ("37", "37.5 s"; inside a longer text only with their unit). Clean when the text is just that, repaired when
    more surrounds it, unparsable when there is none, when there are several different ones, or when it is negative or
    beyond 24 h. A time past the end of the clip is a wrong answer, not an unreadable one: it is not clipped.
    """
    answer = answer_text(text)
    if not answer.text:
        return Reading.unparsable("empty")
    whole = strict_json(answer.text)
    if isinstance(whole, dict):
        return _from_values([whole[key]], answer.notes) if key in whole else Reading.unparsable(f"no {key} in the JSON")
    bare = _seconds(answer.text)
    if bare is not None:
        return _from_values([answer.text], answer.notes)
    return _from_longer_text(answer, key)


_EDGES = " \t\r\n\"'`*_[](){}<>"
_CLOCK = r"(?:(?P<hours>[0-9]{1,3}):)?(?P<minutes>[0-9]{1,4}):(?P<seconds>[0-9]{2}(?:\.[0-9]{1,9})?)"
_PLAIN = r"(?P<plain>[0-9]{1,9}(?:\.[0-9]{1,9})?)"
_SPOKEN = rf"(?:(?P<spoken>[0-9]{{1,4}})\s?(?:minutes?|mins?|m)[\s,]{{0,2}}(?:and\s)?)?{_PLAIN}"
_UNIT = r"\s?(?:seconds?|secs?|s)"
_WHOLE = re.compile(rf"(?P<minus>[-−])?(?:{_CLOCK}|{_SPOKEN}(?:{_UNIT})?)\.?", re.IGNORECASE | re.ASCII)
_INSIDE = re.compile(
    rf"(?<![\w.,:])(?P<minus>(?<![)\]])[-−])?(?:{_CLOCK}(?![\d:])|{_SPOKEN}{_UNIT}(?!\w))",
    re.IGNORECASE | re.ASCII,
)


def _seconds(text: object) -> float | None:
    """The time a value states, negative where it says so; ``None`` if it is none."""
    if isinstance(text, bool):
        return None
    if isinstance(text, (int, float)):
        return float(text) if abs(text) <= MAX_SECONDS else (MAX_SECONDS + 1 if text > 0 else -1.0)
    match = _WHOLE.fullmatch(text.strip(_EDGES)) if isinstance(text, str) else None
    return None if match is None else _match_seconds(match)


def _match_seconds(match: re.Match[str]) -> float | None:
    sign = -1.0 if match["minus"] else 1.0
    if match["plain"] is not None:
        return sign * (60 * int(match["spoken"] or 0) + float(match["plain"]))
    hours, minutes, seconds = int(match["hours"] or 0), int(match["minutes"]), float(match["seconds"])
    if seconds >= 60 or (match["hours"] and minutes >= 60):
        return None
    return sign * (3600 * hours + 60 * minutes + seconds)


def _from_longer_text(answer: AnswerText, key: str) -> Reading:
    keyed = [one.value for one in embedded_json(answer.text, "{") if not one.is_mended and isinstance(one.value, dict)]
    values: list[object] = [value[key] for value in keyed if key in value]
    pattern = rf"[\"']?\b{re.escape(key)}\b[\"']?\s{{0,9}}[:=]\s{{0,9}}([^,}}\n]{{1,40}})"
    values = values or [match[1] for match in re.finditer(pattern, answer.text, re.IGNORECASE)]
    if values:
        return _from_values(values, (*answer.notes, "text around the answer removed"))
    return _settle(_times_inside(answer.text), (*answer.notes, "found in a longer text"))


def _from_values(values: list[object], notes: tuple[str, ...]) -> Reading:
    exact = [_seconds(value) for value in values]
    if None not in exact or not all(isinstance(value, str) for value in values):
        return _settle(exact, notes)
    inside = [_times_inside(str(value)) or [None] for value in values]
    return _settle([seconds for times in inside for seconds in times], (*notes, "found in a longer text"))


def _times_inside(text: str) -> list[float | None]:
    return [_match_seconds(match) for match in _INSIDE.finditer(text)]


def _settle(times: list[float | None], notes: tuple[str, ...]) -> Reading:
    if not times or None in times:
        return Reading.unparsable("no time" if not times else "not a time")
    if len(set(times)) > 1:
        return Reading.unparsable("several different times")
    seconds = times[0]
    if seconds is None or seconds < 0:
        return Reading.unparsable("a negative time")
    if seconds > MAX_SECONDS:
        return Reading.unparsable("a time beyond 24 h")
    return Reading.noted(seconds, notes)
