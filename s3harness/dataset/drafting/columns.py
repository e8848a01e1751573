"""Subjects of columns, by the words of their headers and the forms of their cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PureWindowsPath

from s3harness.dataset.drafting.signs import Understanding, understand_diagnosis, understand_sign, understand_value
from s3harness.dataset.drafting.table_words import table_words, tokens
from s3harness.dataset.importing.times import moment, seconds
from s3harness.dataset.importing.video_files import VIDEO_SUFFIXES

MOSTLY = 0.8
"""Share of a column's values from which its form is taken for that of the column."""
SAMPLED = 3_000
"""Values of a column that are looked at."""
OF_SIGNS = ("begin", "end", "side", "duration", "certain", "comment", "reason", "present", "time", "seconds")
"""Concepts that may stand beside the name of a sign in a header."""
PRESENCE = ("yes", "no", "untested")
SIDES = ("left", "right", "both", "no_side")


@dataclass(frozen=True)
class Column:
    """A column: its header, and its different values that are not empty, in the order of the rows."""

    name: str
    values: Sequence[str]

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Return the folded words of the header."""
        return tuple(tokens(self.name))

    @cached_property
    def concepts(self) -> frozenset[str]:
        """Return the concepts of the header, without those of prepositions inside it."""
        return frozenset(c for n, word in enumerate(self.words) for c in self._concepts_at(n, word))

    def has(self, *concepts: str) -> bool:
        """Return whether the header has all of these concepts."""
        return self.concepts.issuperset(concepts)

    @cached_property
    def beside_sign(self) -> frozenset[str]:
        """Return the concepts of the words that name no part of the body and no movement."""
        return frozenset(c for n, w in enumerate(self.words) if not self._is_sign(w) for c in self._concepts_at(n, w))

    @cached_property
    def sign(self) -> Understanding | None:
        """Return the sign that the header names besides a begin, an end or a side; ``None`` if it names none."""
        rest = [w for n, w in enumerate(self.words) if not self._concepts_at(n, w) & set(OF_SIGNS) or self._is_sign(w)]
        return understand_sign(" ".join(rest)) if rest else None

    def share(self, is_form: Callable[[str], object]) -> float:
        """Return the share of the values that have a form; 0 if there are none."""
        values = self.values[:SAMPLED]
        return sum(bool(is_form(value)) for value in values) / len(values) if values else 0.0

    @cached_property
    def of_files(self) -> float:
        """Return the share of values that are names of video files."""
        return self.share(lambda value: PureWindowsPath(value).suffix.lower() in VIDEO_SUFFIXES)

    @cached_property
    def of_signs(self) -> float:
        """Return the share of values that name a sign or the event."""
        return self.share(lambda value: not is_number(value) and understand_sign(value))

    @cached_property
    def of_times(self) -> float:
        """Return the share of values that are times: seconds, minutes, times of day."""
        return self.share(is_time)

    @property
    def has_times(self) -> bool:
        """Return whether the values are times, or there are none yet."""
        return self.of_times >= MOSTLY or not self.values

    @cached_property
    def of_clocks(self) -> float:
        """Return the share of values that are times of day, with or without a date."""
        return self.share(lambda value: moment(value)[1] is not None)

    @cached_property
    def of_dates(self) -> float:
        """Return the share of values that are dates."""
        return self.share(lambda value: moment(value)[0] is not None)

    @cached_property
    def of_presence(self) -> float:
        """Return the share of values that are words for yes, no and untested."""
        return self.share(lambda value: understand_value(value, PRESENCE))

    @cached_property
    def of_sides(self) -> float:
        """Return the share of values that are words for sides."""
        return self.share(lambda value: understand_value(value, SIDES))

    @cached_property
    def of_diagnoses(self) -> float:
        """Return the share of values that name a diagnosis."""
        return self.share(understand_diagnosis)

    @cached_property
    def of_certainty(self) -> float:
        """Return the share of values that are words for certain and uncertain."""
        return self.share(lambda value: understand_value(value, ("certain", "uncertain")))

    def _concepts_at(self, place: int, word: str) -> set[str]:
        is_last = not any(self._is_word(other) for other in self.words[place + 1 :])
        if word in table_words().prepositions and not (is_last or len(self.words) == 1):
            return set()
        return {c for parts in table_words().headers.concepts(word) for c in parts} - {"filler"}

    @staticmethod
    def _is_word(word: str) -> bool:
        """Return whether a word is more than a unit."""
        concepts = {c for parts in table_words().headers.concepts(word) for c in parts}
        return not concepts or bool(concepts - {"seconds"})

    @staticmethod
    def _is_sign(word: str) -> bool:
        """Return whether a word names a part of the body or a movement, whatever else it may mean in a header."""
        concepts = {c for parts in table_words().signs.concepts(word) for c in parts}
        of_words = {"filler", "left", "right", "both", "not", "seizure", "begin", "end", "clinical"}
        return bool(concepts - of_words)


def columns_of(header: Iterable[str], values: Callable[[str], list[str]]) -> list[Column]:
    """Return the columns of a table that have a name."""
    return [Column(name, values(name)) for name in header if name]


def is_number(text: str) -> bool:
    """Return whether a text is a number, with a decimal point or comma."""
    return text.strip().replace(",", ".", 1).replace(".", "", 1).isdigit()


def is_time(text: str) -> bool:
    """Return whether a text is a time of the recording or of the day."""
    if moment(text)[1] is not None:
        return True
    try:
        return seconds(text) is not None
    except ValueError:
        return False


def doubt(understood: Understanding) -> str:
    """Return the reason of a doubt about a meaning, empty if it is certain."""
    if understood.is_certain:
        return ""
    others = f"; or {', '.join(understood.others)}" if understood.others else ""
    return f"not all of its words are known{others}"
