"""Names of the presets of the Seizure-RQI: the short ones of specs and calls, and the full ones of results."""

from __future__ import annotations

from s3harness.errors import UsageError

PRESETS = ("paper", "strict-1", "strict-2")
NEWEST = "strict-2"
_ALIASES = {"rqi": NEWEST, "strict": NEWEST}


def preset_name(name: str) -> str:
    """Return the full name of a preset, as results store it: ``strict+length`` is ``strict-2+length``.

    Raises :class:`UsageError` for an unknown preset.
    """
    first, *more = (part.strip() for part in name.split("+"))
    base = _ALIASES.get(first, first)
    if base not in PRESETS:
        known = ", ".join((*PRESETS, "strict"))
        raise UsageError(f"no RQI preset is called {first!r}; known are {known}, with +PENALTY after it")
    return "+".join((base, *more))
