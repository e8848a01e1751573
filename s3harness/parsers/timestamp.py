"""The parser of a moment in a clip."""

from __future__ import annotations

import re
from collections.abc import Mapping

from s3harness.parsers.json_text import embedded_json, strict_json
from s3harness.parsers.key_value import keyed_values
from s3harness.parsers.labels import marked_segments
from s3harness.parsers.reading import Reading
from s3harness.parsers.refusal import looks_like_refusal
from s3harness.parsers.text import AnswerText, answer_text, without_markup

MAX_SECONDS = 24 * 3600.0
"""No recording is longer; a larger number is no time."""


def timestamp(text: str, key: str = "timestamp") -> Reading:
    """Read one time, as seconds (``float``) from the start of the clip.

    Forms: ``{"timestamp": "MM:SS"}`` (the name is ``key``, or one that means the same, or the object's only one) or the
    bare time; MM:SS, H:MM:SS, either with decimals, or seconds ("37", "37.5 s", "37 Sekunden"; inside a longer text
    only with their unit). A time marked as the answer ("Answer: 00:37") counts before others. Clean when the text is
    the time alone, repaired when more surrounds it. Unparsable when there is no time, when there are several different
    ones or a span ("10-12 s"), and when the time is negative or beyond 24 h. A duration ("60 seconds long", "lasts 5
    s") and a bound ("before 00:12") are no moments. A time past the end of the clip is not clipped: it is a wrong
    answer, not an unreadable one.
    """
    answer = answer_text(text)
    if not answer.text:
        return Reading.unparsable("empty")
    keyed = keyed_values(answer.text, key)
    values = list(keyed.values) or _lone(answer.text) if keyed else []
    # json-repair 0.64 reads 00:37 without quotes as the number 0.
    if keyed and values and not (keyed.sources and any(isinstance(value, int | float) for value in values)):
        notes = answer.notes if keyed.is_whole else (*answer.notes, "text around the answer removed")
        return Reading.unparsable("several different times") if keyed.contradicts else _from_values(values, notes)
    # Times in other fields of a whole object ("duration": "01:00") are no answers.
    if isinstance(strict_json(answer.text), dict):
        return Reading.unparsable(f"no {key} in the JSON")
    # The whole text first: a bare "37" is an answer, which within a longer text is any number.
    if seconds_of(answer.text) is not None:
        return _from_values([answer.text], answer.notes)
    return _from_longer_text(answer, key)


_EDGES = " \t\r\n\"'`*_[](){}<>~≈“”„«»"
_FRACTION = r"(?:\.[0-9]{1,9}|,[0-9]{1,3})?"
_CLOCK = rf"(?:(?P<hours>[0-9]{{1,3}}):)?(?P<minutes>[0-9]{{1,4}}):(?P<seconds>[0-9]{{2}}{_FRACTION})"
_PLAIN = r"(?P<plain>[0-9]{1,9}(?:\.[0-9]{1,9}|,[0-9]{1,2}(?![0-9]))?)"
_MINUTE = r"(?:minutes?|mins?|m|minuten?|minutos?|minuti|dakika|мин\w{0,4}|分钟?|분)"
_SPOKEN = rf"(?:(?P<spoken>[0-9]{{1,4}})\s?{_MINUTE}[\s,]{{0,2}}(?:(?:and|und|et|y|e|ve)\s)?)?{_PLAIN}"
_SECOND = r"(?:seconds?|secs?|s|sekunden?|sek|secondes?|segundos?|secondi|saniye\w{0,3}|сек\w{0,5}|秒钟?|초)"
_UNIT = rf"\.?[\s-]?(?:(?P<milli>ms|milliseconds?|msecs?)|{_SECOND})"
_MINUTES = rf"(?P<alone>[0-9]{{1,4}}(?:\.[0-9]{{1,9}})?)\s?{_MINUTE}"
_ORDINAL = r"(?:(?:second|sekunde|seconde|segundo|saniye|t)\s?=?\s?)(?P<ordinal>[0-9]{1,4}(?:\.[0-9]{1,9})?)"
_WHOLE = re.compile(
    rf"(?P<minus>[-−])?(?:{_CLOCK}|{_SPOKEN}(?:{_UNIT})?|{_MINUTES}|{_ORDINAL}(?:\s?{_SECOND})?)\.?", re.IGNORECASE
)
_INSIDE = re.compile(
    rf"(?<![\w.,:])(?P<minus>(?<![)\]])[-−])?(?:{_CLOCK}(?![\d:])|{_SPOKEN}{_UNIT}(?![a-zà-ÿ])|{_MINUTES}(?![\w])"
    rf"|{_ORDINAL}(?![\w:]))",
    re.IGNORECASE,
)
_IDEOGRAPHIC = re.compile(r"(?<=[第在到\u3400-\u9fff])(?=[0-9])")
_SPAN = re.compile(
    r"(?<![\w:.])[0-9]{1,4}(?:[:.][0-9]{1,4}){0,2}\s?(?:seconds?|secs?|s)?\s{0,2}"
    r"(?:[-–—~]|to|and|or|bis|à|oder|und|et|ou|a|y|o|至|到|或)\s{0,2}(?=[0-9]{1,4}(?:[:.][0-9]{1,4}){0,2}\s?(?:\)|\Z|\w|-))",
    re.IGNORECASE,
)
_LENGTH_BEFORE = re.compile(
    r"(?:last(?:s|ed|ing)?|duration(?: of| is|:)?|length(?: of| is|:)?|for|every|first|last|within|before|until|by"
    r"|under|less than|more than|up to|earlier than|later than|dauert|während)"
    r"[\s:]{1,3}(?:(?:about|around|approximately|the|first|last)\s{1,3}){0,3}\Z",
    re.IGNORECASE,
)
_LENGTH_AFTER = re.compile(
    r"[\s-]{0,3}(?:long|in length|in duration|of (?:video|footage)|duration|(?:video|clip)s?\b)", re.IGNORECASE
)
_LONGEST_CUE = 60


def seconds_of(value: object) -> float | None:
    """The time that a value states in seconds, negative ones included; ``None`` for a value that is no time."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        # An integer of a thousand digits does not fit a float: it becomes a number just beyond the limit.
        return float(value) if abs(value) <= MAX_SECONDS else (MAX_SECONDS + 1 if value > 0 else -1.0)
    if isinstance(value, dict):
        return _of_parts(value)
    match = _WHOLE.fullmatch(without_markup(value).strip(_EDGES)) if isinstance(value, str) else None
    return None if match is None else _match_seconds(match)


def _of_parts(value: Mapping[str, object]) -> float | None:
    """The time of {"minutes": 0, "seconds": 12}."""
    parts = {name: value.get(name, 0) for name in ("minutes", "seconds")}
    is_time = bool(value) and value.keys() <= parts.keys()
    numbers = [
        n for n in parts.values() if isinstance(n, int | float) and not isinstance(n, bool) and 0 <= n < MAX_SECONDS
    ]
    return 60 * float(numbers[0]) + float(numbers[1]) if is_time and len(numbers) == len(parts) else None


def _match_seconds(match: re.Match[str]) -> float | None:
    sign = -1.0 if match["minus"] else 1.0
    if alone := match["alone"] or match["ordinal"]:
        return sign * float(alone) * (60 if match["alone"] else 1)
    if match["plain"] is not None:
        plain = _number(match["plain"]) / (1000 if match["milli"] else 1)
        return sign * (60 * int(match["spoken"] or 0) + plain)
    hours, minutes, seconds = int(match["hours"] or 0), int(match["minutes"]), _number(match["seconds"])
    # 00:75 is no clock time; 90:00 is one, in minutes.
    if seconds >= 60 or (match["hours"] and minutes >= 60):
        return None
    return sign * (3600 * hours + 60 * minutes + seconds)


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _lone(text: str) -> list[object]:
    """The values of objects with a single field, whatever its name."""
    objects = [one.value for one in embedded_json(text, "{") if isinstance(one.value, dict)]
    return [value for one in objects if len(one) == 1 for value in one.values()]


def _from_longer_text(answer: AnswerText, key: str) -> Reading:
    if looks_like_refusal(answer.text):
        return Reading.unparsable("a refusal")
    plain = without_markup(answer.text)
    named = re.finditer(rf"'?\b{re.escape(key)}\b'?\s{{0,9}}[:=]\s{{0,9}}([^,}}\n]{{1,40}})", plain, re.IGNORECASE)
    marked = [match[1] for match in named] or [s for s in marked_segments(plain) if _times_inside(s)]
    if marked:
        return _from_values(list(marked), (*answer.notes, "text around the answer removed"))
    # "10-12 s" has a unit at its end alone, so that only one time would be seen in it.
    if _SPAN.search(plain):
        return Reading.unparsable("several different times, or a span")
    return _settle(_times_inside(plain), (*answer.notes, "found in a longer text"))


def _from_values(values: list[object], notes: tuple[str, ...]) -> Reading:
    exact = [seconds_of(value) for value in values]
    if None not in exact or not all(isinstance(value, str) for value in values):
        return _settle(exact, notes)
    texts = [without_markup(str(value)) for value in values]
    if any(_SPAN.search(text) for text in texts):
        return Reading.unparsable("several different times, or a span")
    inside = [_times_inside(text) or [None] for text in texts]
    return _settle([seconds for times in inside for seconds in times], (*notes, "found in a longer text"))


def _times_inside(text: str) -> list[float | None]:
    # Chinese and Japanese write no blank before a number, which the patterns of times need.
    spaced = _IDEOGRAPHIC.sub(" ", text)
    return [_match_seconds(match) for match in _INSIDE.finditer(spaced) if not _is_length(spaced, match)]


def _is_length(text: str, match: re.Match[str]) -> bool:
    """Return whether a time is a duration, or a bound of a moment, and no moment."""
    before = text[max(0, match.start() - _LONGEST_CUE) : match.start()]
    after = text[match.end() : match.end() + _LONGEST_CUE]
    return _LENGTH_BEFORE.search(before) is not None or _LENGTH_AFTER.match(after) is not None


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
