"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "broken"]
"""``broken``: something that a run needs. ``note``: something that some runs need, or that a user should know."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, in which area, what was found, and what to do about it if it is not ``ok``."""

    area: str
    what: str
    found: str
    state: State = "ok"
    remedy: str = ""
