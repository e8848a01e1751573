"""Findings from measurements: the signs of a clip, each with its onset and its side."""

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

AUDIBLE = frozenset({"ictal_vocalization", "verbal_responsiveness"})


@dataclass(frozen=True, slots=True)
class SignFinding:
    """One detected sign: its onset (seconds from the clip's start), its side, and its probability (0–1)."""

    sign: str
    onset_s: float
    side: Side | None
    probability: float


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The judgement of one clip: ``numbers`` are those of :func:`summarise`, ``findings`` are in the order of onset."""

    measured: Measurements
    numbers: Mapping[str, float]
    signed: Mapping[str, float]
    presences: Mapping[str, Presence]
    findings: tuple[SignFinding, ...]
    moments: Moments = field(repr=False)

    def find(self, sign: str) -> SignFinding | None:
        """Return the finding of a sign; ``None`` if it was not detected."""
        return next((finding for finding in self.findings if finding.sign == sign), None)

    def onset_s(self, subject: str) -> float:
        """Return seconds from the clip's start to the onset of a sign, ``seizure_onset`` or ``seizure_offset``."""
        return self.moments.of(subject)


def judge(measured: Measurements) -> Judgement:
    """Return the judgement of a measured clip."""
    numbers, signed = summarise(measured), signed_numbers(measured)
    likely = presences(numbers, measured.rate)
    moments = Moments(measured)
    findings = [
        SignFinding(
            sign, moments.of(sign), side_of(signed, sign) if sign in sided_signs() else None, presence.probability
        )
        for sign, presence in likely.items()
        if presence.is_likely and _is_detectable(sign, measured)
    ]
    ordered = tuple(sorted(findings, key=lambda finding: finding.onset_s))
    return Judgement(
        measured=measured, numbers=numbers, signed=signed, presences=likely, findings=ordered, moments=moments
    )


def _is_detectable(sign: str, measured: Measurements) -> bool:
    if sign == "verbal_responsiveness":
        return is_spoken_to(measured.voice)
    # A single frame shows no movement, so no visible sign is detected in it.
    return sign in AUDIBLE or len(measured.times) > 1
