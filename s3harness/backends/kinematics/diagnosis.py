"""Epileptic or not, from the numbers of a whole event, and from the words of a report where one is given."""

from __future__ import annotations

import re
from collections.abc import Mapping

from s3harness.backends.kinematics.rules import Above
from s3harness.types import Diagnosis

NES_SIGNS: tuple[tuple[int, Above, str], ...] = (
    (2, ("arms_rest", ">", 0.02), "the arms are hardly ever still"),
    (1, ("duration_s", ">", 150.0), "the event is long"),
    (1, ("body_burst", ">", 0.14), "the whole body moves violently for long"),
)
"""Points for a functional event. A tonic arm is still, a limp one too; functional events last longer (Seneviratne 2017)
and thrash."""

NES_POINTS = 2

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
"""What a word of a report speaks for: above 0 for a functional event, below for an epileptic one."""


def diagnose(numbers: Mapping[str, float]) -> tuple[Diagnosis, str]:
    """The diagnosis from what is seen, and the sentence on what decides it."""
    reasons = [(points, why) for points, (name, _, limit), why in NES_SIGNS if numbers[name] > limit]
    if sum(points for points, _ in reasons) >= NES_POINTS:
        return "NES", _sentence([why for _, why in reasons])
    return "ES", "Between movements the arms come to rest, and the event is neither long nor violent throughout."


def diagnose_report(report: str, numbers: Mapping[str, float]) -> tuple[Diagnosis, str]:
    """The diagnosis from a report; where its words are undecided, from what is seen."""
    words = [word for word in REPORT_POINTS if re.search(rf"\b{word}", report.casefold())]
    total = sum(REPORT_POINTS[word] for word in words)
    if not total:
        return diagnose(numbers)
    answer: Diagnosis = "NES" if total > 0 else "ES"
    decisive = [word for word in words if (REPORT_POINTS[word] > 0) == (total > 0)]
    return answer, f"The report speaks of {', '.join(decisive)}."


def quoted_report(prompt: str) -> str:
    """The report within a prompt: its longest text in double quotes; empty if there is none."""
    return max(re.findall(r'"([^"]*)"', prompt, re.DOTALL), key=len, default="")


def _sentence(reasons: list[str]) -> str:
    text = " and ".join(reasons)
    return f"{text[:1].upper()}{text[1:]}."
