"""The result of a parser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ReadingStatus = Literal["clean", "repaired", "unparsable"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One text as a parser read it.

    ``clean``: the text has exactly the requested form. ``repaired``: the value was read after removing or mending
    something, and ``note`` says what. ``unparsable``: no value (``None``), and ``note`` says why.
    """

    value: object | None
    status: ReadingStatus
    note: str = ""

    @classmethod
    def clean(cls, value: object) -> Reading:
        """Return a value that was read from exactly the requested form."""
        return cls(value, "clean")

    @classmethod
    def repaired(cls, value: object, why: str) -> Reading:
        """Return a value with the repair, ``why``, that reading it needed."""
        return cls(value, "repaired", why)

    @classmethod
    def unparsable(cls, why: str) -> Reading:
        """Return a reading without a value; ``why`` is the reason."""
        return cls(None, "unparsable", why)

    @classmethod
    def noted(cls, value: object, notes: tuple[str, ...]) -> Reading:
        """Return a clean reading without notes, a repaired one with them."""
        return cls.repaired(value, "; ".join(notes)) if notes else cls.clean(value)
