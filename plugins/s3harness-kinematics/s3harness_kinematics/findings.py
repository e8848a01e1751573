"""From measurements to findings: which signs a clip shows, since when and on which side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from s3harness import Side
from s3harness_kinematics.dialogue import is_spoken_to
from s3harness_kinematics.measure import Measurements
from s3harness_kinematics.onset import Moments
from s3harness_kinematics.presence import Presence, presences
from s3harness_kinematics.side import side_of, sided_signs, signed_numbers
from s3harness_kinematics.summary import summarise

HEARD = frozenset({"ictal_vocalization", "verbal_responsiveness"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One sign that was found: when it begins (s from the clip's start), on which side, and how likely it is (0–1)."""

    sign: str
    onset_s: float
    side: Side | None
    probability: float


@dataclass(frozen=True)
class Judgement:
    """All that is thought of one clip. ``numbers`` are those of :func:`summarise`, ``findings`` are by onset."""

    measured: Measurements
    numbers: Mapping[str, float]
    signed: Mapping[str, float]
    presences: Mapping[str, Presence]
    findings: tuple[Finding, ...]
    moments: Moments = field(repr=False)

    def find(self, sign: str) -> Finding | None:
        """The finding of a sign, if it was found."""
        return next((finding for finding in self.findings if finding.sign == sign), None)

    def onset_s(self, subject: str) -> float:
        """When a sign or ``seizure_onset`` begins, or ``seizure_offset`` comes, if it is somewhere in the clip."""
        return self.moments.of(subject)


def judge(measured: Measurements) -> Judgement:
    """Weigh what was measured of a clip. A single frame shows no movement, so nothing is seen in it."""
    numbers, signed = summarise(measured), signed_numbers(measured)
    likely = presences(numbers, measured.rate)
    moments = Moments(measured)
    found = [
        Finding(sign, moments.of(sign), side_of(signed, sign) if sign in sided_signs() else None, presence.probability)
        for sign, presence in likely.items()
        if presence.is_found and _can_be_told(sign, measured)
    ]
    ordered = tuple(sorted(found, key=lambda finding: finding.onset_s))
    return Judgement(measured, numbers, signed, likely, ordered, moments)


def _can_be_told(sign: str, measured: Measurements) -> bool:
    if sign == "verbal_responsiveness":
        return is_spoken_to(measured.voice)
    return sign in HEARD or len(measured.times) > 1
