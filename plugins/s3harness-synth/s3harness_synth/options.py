"""Options of a synthetic data set as a JSON file or the command line gives them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from s3harness import UsageError

REQUIRED = ("videos", "seed")

TYPES: Mapping[str, tuple[type, ...]] = {
    "videos": (int,),
    "seed": (int,),
    "resolution": (str, list, tuple),
    "fps": (int,),
    "audio": (bool,),
    "duration_s": (int, float),
    "prior": (str,),
    "balance_nuisance": (bool,),
    "mirrored": (bool,),
    "workers": (int,),
}
"""Option of :func:`~s3harness_synth.dataset.synthesize` → the types that its value may have."""


def parse_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of :func:`~s3harness_synth.dataset.synthesize`, but ``out``, that the values stand for.

    Raises :class:`~s3harness.UsageError` for an option that there is not, a value of another type, and if ``videos`` or
    ``seed`` is missing.
    """
    for name, value in values.items():
        if name not in TYPES:
            near = get_close_matches(name, TYPES, n=1) or [", ".join(TYPES)]
            raise UsageError(f"a synthetic data set has no option {name!r}; did you mean {near[0]}?")
        # A bool is an int in Python; "seed": true is a mistake all the same.
        if not isinstance(value, TYPES[name]) or (isinstance(value, bool) and bool not in TYPES[name]):
            expected = " or ".join(kind.__name__ for kind in TYPES[name] if kind is not tuple)
            raise UsageError(f"{name} is {value!r}; {expected} is expected")
    if missing := [name for name in REQUIRED if name not in values]:
        raise UsageError(f"a synthetic data set needs {' and '.join(missing)}")
    options = dict(values)
    if "resolution" in options:
        options["resolution"] = parse_resolution(options["resolution"])
    return options


def parse_resolution(value: object) -> tuple[int, int]:
    """Return (width, height) in pixels of ``"640x360"`` or ``[640, 360]``; raise :class:`~s3harness.UsageError`."""
    match value:
        case str():
            width, _, height = value.lower().partition("x")
            if width.isdigit() and height.isdigit():
                return int(width), int(height)
        case [int(), int()]:
            return value[0], value[1]
    raise UsageError(f"{value!r} is not WIDTHxHEIGHT")
