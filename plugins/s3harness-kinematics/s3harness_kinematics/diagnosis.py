"""Diagnosis (ES or NES) from the numbers of a whole event, and from the words of a report where there is one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from s3harness import Diagnosis
from s3harness_kinematics.parameters import Scales, WeightedSum, parameters, scales, standardised, weights

REPORT_POINTS: Mapping[str, int] = {
    "asynchronous": 3,
    "pelvic": 3,
    "thrashing": 2,
    "eye closure": 2,
    "closure of the eyes": 2,
    "eyes closed": 2,
    "weeping": 3,
    "crying": 2,
    "simultaneous": 1,
    "figure": -3,
    "clonic": -3,
    "tonic": -2,
    "head turning": -2,
    "stare": -2,
    "automatisms": -2,
    "facial": -2,
    "face": -1,
    "sleep": -1,
    "cry": -1,
}
"""Beginning of a word in a report → points: above 0 for a functional event, below 0 for an epileptic one."""

MOST_REASONS = 2

RHYTHMIC = ("band", "pace", "regular", "slowing")
"""Beginnings of the last word of numbers that need a steady frame rate, which the frames of a whole event lack."""


def is_usable(name: str) -> bool:
    """Return ``True`` for a number that means the same for events of any length."""
    return not name.rpartition("_")[2].startswith(RHYTHMIC)


def diagnose(numbers: Mapping[str, float]) -> tuple[Diagnosis, str]:
    """Return the diagnosis from the numbers of a clip, and a sentence on the numbers that decide it."""
    usual, weighted_sum = _event()
    standard = standardised(numbers, usual)
    is_functional = weighted_sum.probability(standard) >= weighted_sum.threshold
    # The weights point to a functional event; for an epileptic one the reasons are the negative terms.
    sign = 1.0 if is_functional else -1.0
    parts = {name: sign * weight * standard.get(name, 0.0) for name, weight in weighted_sum.weights.items()}
    reasons = sorted((name for name in parts if parts[name] > 0), key=lambda name: -parts[name])[:MOST_REASONS]
    words = " and ".join(f"{_worded(name)} {'above' if standard[name] > 0 else 'below'} the usual" for name in reasons)
    return ("NES" if is_functional else "ES"), f"{(words or 'nothing out of the usual').capitalize()}."


def diagnose_report(report: str, numbers: Mapping[str, float]) -> tuple[Diagnosis, str]:
    """Return the diagnosis from the words of a report; where they are undecided, from the numbers of the clip."""
    words = [word for word in REPORT_POINTS if re.search(rf"\b{word}", report.casefold())]
    total = sum(REPORT_POINTS[word] for word in words)
    if not total:  # no telling word, or as many points for the one as for the other
        return diagnose(numbers)
    answer: Diagnosis = "NES" if total > 0 else "ES"
    decisive = [word for word in words if (REPORT_POINTS[word] > 0) == (total > 0)]
    return answer, f"The report speaks of {', '.join(decisive)}."


def quoted_report(prompt: str) -> str:
    """Return the report within a prompt: its longest text in double quotes; empty if there is none."""
    return max(re.findall(r'"([^"]*)"', prompt, re.DOTALL), key=len, default="")


def _worded(name: str) -> str:
    return re.sub(r"[_+|]", " ", name).replace("log ", "").strip()


@lru_cache(maxsize=1)
def _event() -> tuple[Scales, WeightedSum]:
    entry = parameters()["diagnosis"]
    return scales(entry["scales"]), weights(entry)
