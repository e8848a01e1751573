"""Statements as texts that people can read and this package reads back, and the meaning of labels of other tools."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast, get_args
from urllib.parse import unquote

import s3harness

SIDES = {
    "left": ("left", "l", "lt", "li", "links", "linke", "linker", "linkes", "gauche", "g", "izquierda", "izquierdo"),
    "right": ("right", "r", "rt", "re", "rechts", "rechte", "rechter", "rechtes", "droite", "droit", "dr", "derecha"),
    "both": ("both", "bilateral", "bilat", "beidseits", "bds", "beide", "bilatéral", "bilatérale", "ambos"),
}
"""Side → words for it in labels of clinical tools, in English, German, French and Spanish."""
DOUBT = re.compile(
    r"\?+$|\b(possible|probable|questionable|uncertain|fraglich|möglich|wahrscheinlich|douteux|dudoso)\b"
)
FIELDS = ("present", "side", "certainty", "start", "end", "note")
NONE = "none"

_TEXT = re.compile(r"(?P<label>.*?)(?: \((?P<details>[a-z]+=[^()]*)\))?", re.DOTALL)
_ESCAPED = re.compile(r"[%;()|\x00-\x1f]")
_SIDE_OF = {word: side for side, words in SIDES.items() for word in words}


@dataclass
class ReadStatements:
    """Recordings read from another tool; the statement of an ``unmapped`` label has that label as its sign."""

    recordings: list[s3harness.Recording] = field(default_factory=list)
    unmapped: Counter[str] = field(default_factory=Counter)

    def statement(self, labels: LabelMeanings, text: str) -> s3harness.SignStatement:
        """Return the statement that a label makes; one that names no sign is counted, and is its own sign."""
        one = labels.statement(text)
        if one is None:
            self.unmapped[text] += 1
        return one or s3harness.SignStatement(sign=" ".join(text.split()))


def details(one: s3harness.SignStatement, omit: Iterable[str] = ()) -> str:
    """Return what a statement says beyond its sign and times: ``side=left; certainty=probable``."""
    values = {"side": one.side or "", "certainty": one.certainty, "note": one.note}
    if one.present != "yes":
        values["present"] = one.present
    # A missing time is written only in formats that need one in its place.
    values |= {"start": NONE if one.start_s is None else "", "end": NONE if one.end_s is None else ""}
    chosen = (name for name in FIELDS if name not in omit and values.get(name))
    return "; ".join(f"{name}={_escape(values[name])}" for name in chosen)


def statement_text(one: s3harness.SignStatement, omit: Iterable[str] = ()) -> str:
    """Return a statement without its times as text: ``tonic (side=left; note=the arm)``."""
    more = details(one, omit)
    return f"{one.sign} ({more})" if more else one.sign


def parse_details(text: str) -> dict[str, str]:
    """Return the fields of :func:`details`; pairs of other names are ignored."""
    pairs = (part.partition("=") for part in text.split("; "))
    return {name: unquote(value) for name, _, value in pairs if name in FIELDS}


def apply_details(one: s3harness.SignStatement, fields: Mapping[str, str]) -> s3harness.SignStatement:
    """Return a statement with the fields of :func:`parse_details`; a value that is none of the allowed is a note."""
    present, side = fields.get("present", one.present), fields.get("side", one.side)
    known_side = side if side in get_args(s3harness.Side) else None
    odd = [f"side {side}"] if side and not known_side else []
    return replace(
        one,
        present=cast("s3harness.Presence", present if present in get_args(s3harness.Presence) else one.present),
        side=cast("s3harness.Side | None", known_side),
        certainty=fields.get("certainty", one.certainty),
        start_s=None if fields.get("start") == NONE else one.start_s,
        end_s=None if fields.get("end") == NONE else one.end_s,
        note="; ".join([*filter(None, (fields.get("note", one.note),)), *odd]),
    )


class LabelMeanings:
    """Meanings of labels: the signs of the vocabulary by name, title, synonym and HED tag, and words of the user."""

    def __init__(self, words: Mapping[str, str] | None = None) -> None:
        titles = s3harness.sign_titles()
        self._signs = {_key(title): name for name, title in titles.items()}
        self._signs |= {_key(word): name for word, name in s3harness.vocabulary().synonyms.items()}
        self._signs |= {_key(name): name for name in titles}
        unknown = sorted(set((words or {}).values()) - titles.keys())
        if unknown:
            known = ", ".join(titles)
            raise s3harness.UsageError(f"words: there is no sign named {unknown[0]!r}; the signs are {known}")
        # The user's own words go last, since they may rename even a sign of the vocabulary.
        self._signs |= {_key(word): name for word, name in (words or {}).items()}

    def statement(self, text: str) -> s3harness.SignStatement | None:
        """Return the statement that a label makes, without times; ``None`` if it names no sign.

        Words of side and doubt may stand around the sign: ``Tonic li.``, ``clonic right?``.
        """
        match = _TEXT.fullmatch(text.strip())
        # For mypy: the pattern matches any text.
        assert match is not None
        label = match["label"]
        if sign := self._signs.get(_key(label)):
            return apply_details(s3harness.SignStatement(sign=sign), parse_details(match["details"] or ""))
        doubt = DOUBT.search(label.lower())
        words = _key(DOUBT.sub("", label.lower())).split()
        sides = {_SIDE_OF[word] for word in words if word in _SIDE_OF}
        sign = self._signs.get(" ".join(word for word in words if word not in _SIDE_OF))
        if sign is None or len(sides) > 1:
            return None
        side = cast("s3harness.Side | None", next(iter(sides), None))
        certainty = doubt[0].strip("?") or "uncertain" if doubt else ""
        one = s3harness.SignStatement(sign=sign, side=side, certainty=certainty)
        return apply_details(one, parse_details(match["details"] or ""))


def lanes(statements: Iterable[s3harness.SignStatement]) -> list[list[s3harness.SignStatement]]:
    """Divide timed statements into as few lists as possible in which none overlaps another; each is in order."""
    rows: list[list[s3harness.SignStatement]] = []
    ends: list[float] = []
    for one in sorted(statements, key=span):
        start, end = span(one)
        row = next((n for n, until in enumerate(ends) if until <= start), len(rows))
        if row == len(rows):
            rows.append([])
            ends.append(0.0)
        rows[row].append(one)
        ends[row] = end
    return rows


SHORTEST_S = 0.001
"""Seconds that a statement with one time takes where a tool needs an interval: its unit of time."""


def span(one: s3harness.SignStatement) -> tuple[float, float]:
    """Return the interval of a timed statement; with one time, or equal times, the shortest that begins there."""
    known = [time for time in (one.start_s, one.end_s) if time is not None]
    return known[0], max(known[-1], round(known[0] + SHORTEST_S, 3))


def is_timed(one: s3harness.SignStatement) -> bool:
    """Return whether a statement has a time at all."""
    return one.start_s is not None or one.end_s is not None


def not_to_the_millisecond(annotations: s3harness.AnnotationSet) -> list[str]:
    """Return a note of the times that a format of milliseconds rounds; nothing where there are none."""
    times = [
        time
        for recording in annotations.recordings
        for statements in recording.statements.values()
        for one in statements
        for time in (one.start_s, one.end_s)
        if time is not None and round(time, 3) != time
    ]
    return [f"{len(times)} time{'' if len(times) == 1 else 's'} rounded to milliseconds"] if times else []


def _key(text: str) -> str:
    return " ".join(re.sub(r"[^\w?]+", " ", text.lower().replace("_", " ")).split())


def _escape(text: str) -> str:
    return _ESCAPED.sub(lambda match: f"%{ord(match[0]):02X}", text)
