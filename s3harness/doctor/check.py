"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "broken"]
"""``broken``: a problem of every run. ``note``: a problem of some runs, or something that a user should know."""


@dataclass(frozen=True, slots=True)
class Check:
    """The subject of a check (``what``) in an area, its result, and the remedy if the state is not ``ok``."""

    area: str
    what: str
    result: str
    state: State = "ok"
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the check as ``doctor --json`` prints it, where the result is called ``found``."""
        about = {"area": self.area, "what": self.what, "found": self.result}
        return about | {"state": self.state, "remedy": self.remedy}
