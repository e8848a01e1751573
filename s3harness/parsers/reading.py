"""What a parser returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ReadingStatus = Literal["clean", "repaired", "unparsable"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One text as a parser read it.

    ``clean``: the text was what had been asked for. ``repaired``: the value is there, but something had to be removed
    or mended to get at it, and ``note`` says what. ``unparsable``: no value (``None``), and ``note`` says why.
    """

    value: object | None
    status: ReadingStatus
    note: str = ""

    @classmethod
    def clean(cls, value: object) -> Reading:
        """A value read from exactly the asked-for form."""
        return cls(value, "clean")

    @classmethod
    def repaired(cls, value: object, why: str) -> Reading:
        """A value that had to be dug out; ``why`` names what was in the way."""
        return cls(value, "repaired", why)

    @classmethod
    def unparsable(cls, why: str) -> Reading:
        """No value; ``why`` names the reason."""
        return cls(None, "unparsable", why)

    @classmethod
    def noted(cls, value: object, notes: tuple[str, ...]) -> Reading:
        """Clean without notes, repaired with them."""
        return cls.repaired(value, "; ".join(notes)) if notes else cls.clean(value)
