"""The parser of spans of time in a clip: the seizures that a model sees, each from its start to its end."""

from __future__ import annotations

import re
from collections.abc import Mapping

from s3harness.parsers.json_text import embedded_json, strict_json
from s3harness.parsers.reading import Reading
from s3harness.parsers.refusal import looks_like_refusal
from s3harness.parsers.text import answer_text, without_markup
from s3harness.parsers.timestamp import MAX_SECONDS, seconds_of
from s3harness.spans import Span, union

MAX_SPANS = 100
"""Spans of one clip that are read; a reply with more is a model repeating itself."""
_NONE = re.compile(
    r"(?:there (?:is|are) )?(?:none|no seizures?)(?: (?:is |are )?(?:visible|seen|present|found))?\W*", re.I
)


def time_spans(text: str, key: str = "seizures") -> Reading:
    """Read spans of time, as a list of (start, end) in seconds (``float``) from the start of the clip, ascending.

    Form: ``{"seizures": [{"start": "MM:SS", "end": "MM:SS"}, …]}`` (the name is ``key``), an empty list where there is
    none; times as the parser ``timestamp`` reads them. Clean when the text is that object, repaired when more surrounds
    it, for the list alone and for the words "none" and "no seizure". Spans that overlap are united. Unparsable when
    there is no such list, when several differ, when a span has no start or end or ends before it begins, and for more
    than :data:`MAX_SPANS`. A time past the end of the clip stays as it is: the answer is wrong, not unreadable.
    """
    answer = answer_text(text)
    if not answer.text:
        return Reading.unparsable("empty")
    whole = strict_json(answer.text)
    if isinstance(whole, dict) and key in whole:
        return _reading([whole[key]], answer.notes)
    if isinstance(whole, list):
        return _reading([whole], (*answer.notes, "the list alone"))
    return _embedded(answer.text, key, answer.notes)


def _embedded(text: str, key: str, notes: tuple[str, ...]) -> Reading:
    """Read the spans in a text that is more than JSON, or none."""
    objects = [one for one in embedded_json(text, "{") if isinstance(one.value, dict) and key in one.value]
    # A list without an end may lack seizures, and one that is mended may be another one.
    if any(not one.is_closed for one in objects):
        return Reading.unparsable("the JSON has no end")
    if objects:
        lists = [one.value[key] for one in objects if isinstance(one.value, dict)]
        return _reading(lists, (*notes, "text around the JSON removed"))
    if _NONE.fullmatch(without_markup(text).strip()):
        return Reading.repaired([], "in words")
    return Reading.unparsable("a refusal" if looks_like_refusal(text) else f"no JSON object with {key}")


def _reading(lists: list[object], notes: tuple[str, ...]) -> Reading:
    read = [_spans(one) for one in lists]
    problems = [one for one in read if isinstance(one, str)]
    if problems:
        return Reading.unparsable(problems[0])
    if any(one != read[0] for one in read):
        return Reading.unparsable("several different lists")
    return Reading.noted(read[0], notes)


def _spans(value: object) -> list[Span] | str:
    """Return the spans in a list, or the reason why they cannot be read."""
    if not isinstance(value, list):
        return "no list"
    if len(value) > MAX_SPANS:
        return f"more than {MAX_SPANS} spans"
    spans = []
    for entry in value:
        pair = (entry.get("start"), entry.get("end")) if isinstance(entry, Mapping) else ()
        start, end = map(seconds_of, pair) if pair else (None, None)
        if start is None or end is None:
            return "a span without its two times"
        if not 0 <= start <= end <= MAX_SECONDS:
            return "a span that ends before it begins, or with a time out of range"
        spans.append((start, end))
    return union(spans)
