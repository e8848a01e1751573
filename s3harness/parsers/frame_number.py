"""The parser of a moment in a clip that is given as the number of a frame."""

from __future__ import annotations

import re

from s3harness.parsers.json_text import embedded_json, strict_json
from s3harness.parsers.reading import Reading
from s3harness.parsers.text import answer_text

MAX_FRAME = 1_000_000
"""No clip has as many frames; a larger number is none of a frame."""


def frame_number(text: str, key: str = "frame") -> Reading:
    """Read the number of a frame, as seconds (``float``) from the start of the clip: frame *n* is second *n*.

    The authors read models that get 60 frames of a clip of 60 s in this way; it is wrong for a shorter clip. Forms:
    ``{"frame": "12"}`` (the name is ``key``), the bare number, or "frame 12" in a longer text. Unparsable when there is
    no number, or when there are several different ones.
    """
    answer = answer_text(text)
    if not answer.text:
        return Reading.unparsable("empty")
    whole = strict_json(answer.text)
    if isinstance(whole, dict) and key not in whole:
        return Reading.unparsable(f"no {key} in the JSON")
    exact = _number(whole[key] if isinstance(whole, dict) else answer.text)
    if exact is not None:
        return Reading.noted(exact, answer.notes)
    # Mended JSON is left to the words: json-repair 0.64 reads an unquoted 00:12 as the number 0.
    keyed = [one.value for one in embedded_json(answer.text, "{") if not one.is_mended and isinstance(one.value, dict)]
    numbers = [_number(value[key]) for value in keyed if key in value]
    return _settle(numbers or [float(n) for n in _NAMED.findall(answer.text)], answer.notes)


_WHOLE = re.compile(r"\W*(?:frame\W{0,3})?([0-9]{1,6})\W*", re.IGNORECASE | re.ASCII)
_NAMED = re.compile(r"(?<![a-z0-9])frame\W{0,6}([0-9]{1,6})(?![0-9:.])", re.IGNORECASE | re.ASCII)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if not isinstance(value, str):
        return float(value) if 0 <= value <= MAX_FRAME and value == int(value) else None
    # A hyphen is a minus or a span ("12-14"): neither is one frame.
    match = None if "-" in value or len(value) > _LONGEST_NUMBER else _WHOLE.fullmatch(value)
    return None if match is None else float(match[1])


_LONGEST_NUMBER = 50
"""Characters of a text that may be a bare number; \\W* on both sides would take long on a longer one."""


def _settle(numbers: list[float | None], notes: tuple[str, ...]) -> Reading:
    if not numbers or numbers[0] is None or None in numbers:
        return Reading.unparsable("no number of a frame")
    if len(set(numbers)) > 1:
        return Reading.unparsable("several different frames")
    return Reading.noted(numbers[0], (*notes, "found in a longer text"))
