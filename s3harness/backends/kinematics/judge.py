"""From measurements to findings: which signs a clip shows, since when and on which side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from s3harness.backends.kinematics.motion import Motion
from s3harness.backends.kinematics.picture import Array
from s3harness.backends.kinematics.rules import BOUNDARIES, RULES, Onset, SidedBy
from s3harness.backends.kinematics.series import change_scores, rest_level, smooth
from s3harness.backends.kinematics.summary import arms, legs, summarise
from s3harness.backends.kinematics.voice import Utterance, Voice
from s3harness.types import Side

LARGEST_PERCENTILE = 95
FALLBACK_SHARE = 0.3
"""Where nothing changes, an onset is said to be at this share of the clip: what comes before it is short."""

TOGETHER = 1.3
"""Two sides whose movement differs by less than this factor move together."""

SPEECH_VARIETY = 0.22
"""A cry or groan holds one vowel; speech goes through several, and its timbre varies by more than this."""

REPLY_WITHIN_S = 3.0
OTHER_VOICE = 1.2
"""Ratio of the pitches of two voices: two people, or one that asks and one that answers."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sign that was found: when it begins (s from the clip's start), on which side, and what speaks for it."""

    sign: str
    onset_s: float
    side: Side | None
    evidence: str


@dataclass(frozen=True)
class Judgement:
    """All that is thought of one clip. ``numbers`` are those of :func:`summarise`, ``findings`` are by onset."""

    motion: Motion
    voice: Voice
    numbers: Mapping[str, float]
    findings: tuple[Finding, ...]

    def find(self, sign: str) -> Finding | None:
        """The finding of a sign, if it was found."""
        return next((finding for finding in self.findings if finding.sign == sign), None)


def judge(motion: Motion, voice: Voice) -> Judgement:
    """Apply every rule to what was measured of a clip. A single frame shows no movement, so nothing is found in it."""
    numbers = summarise(motion, voice)
    names = [name for name in RULES if _is_found(name, numbers, motion, voice)]
    found = [
        Finding(name, onset_s(motion, voice, name), side_of(motion, RULES[name].sided_by), _evidence(name, numbers))
        for name in names
    ]
    return Judgement(motion, voice, numbers, tuple(sorted(found, key=lambda finding: finding.onset_s)))


def onset_s(motion: Motion, voice: Voice, subject: str) -> float:
    """When a sign or ``seizure_onset`` begins, or ``seizure_offset`` comes, if it is somewhere in the clip."""
    onset = BOUNDARIES.get(subject) or (RULES[subject].onset if subject in RULES else Onset("body"))
    heard = _heard_s(onset.series, voice)
    if heard is not None:
        return heard
    series = SERIES.get(onset.series, SERIES["mouth dark"])(motion)
    found = _moment(motion.times, series, onset)
    share = 1 - FALLBACK_SHARE if onset.how == "last" else FALLBACK_SHARE
    return share * motion.duration_s if found is None else min(max(found, 0.0), motion.duration_s)


def side_of(motion: Motion, by: SidedBy) -> Side | None:
    """The patient's side of what happens to the head, the arms or the mouth; ``None`` where no side is asked."""
    if not by:
        return None
    if by == "head":
        return "left" if motion.head_offset.mean() > 0 else "right"
    left, right = _amounts(motion, by)
    if max(left, right) < TOGETHER * min(left, right):
        return "both"
    return "left" if left > right else "right"


def stronger_side(motion: Motion, by: Literal["head", "arms"]) -> Literal["left", "right"]:
    """One of two sides, however small the difference."""
    if by == "head":
        return "left" if motion.head_offset.mean() > 0 else "right"
    left, right = _amounts(motion, by)
    return "left" if left > right else "right"


def reply(voice: Voice) -> Utterance | None:
    """The answer of a dialogue: speech that soon follows other speech in another pitch."""
    spoken = [one for one in voice.utterances if one.variety >= SPEECH_VARIETY]
    for asked, answered in pairwise(spoken):
        ratio = max(asked.pitch_hz, answered.pitch_hz) / max(min(asked.pitch_hz, answered.pitch_hz), 1.0)
        if answered.start_s - asked.end_s < REPLY_WITHIN_S and ratio > OTHER_VOICE:
            return answered
    return None


def is_spoken_to(voice: Voice) -> bool:
    """Whether speech is heard at all."""
    return any(one.variety >= SPEECH_VARIETY for one in voice.utterances)


SERIES: dict[str, Callable[[Motion], Array]] = {
    "body": lambda m: m.energy,
    "arms": arms,
    "legs": legs,
    "eyes": lambda m: m.eyes,
    "eyes open": lambda m: m.eye_openness,
    "mouth dark": lambda m: m.mouth_darkness,
    "head posture": lambda m: m.posture["head"],
    "arm posture": lambda m: np.asarray((m.posture["left arm"] + m.posture["right arm"]) / 2),
    "leg posture": lambda m: np.asarray((m.posture["left leg"] + m.posture["right leg"]) / 2),
    "busier arm posture": lambda m: m.posture[f"{stronger_side(m, 'arms')} arm"],
}
"""The series in which beginnings are looked for; those that are heard are not here."""


def _is_found(name: str, numbers: Mapping[str, float], motion: Motion, voice: Voice) -> bool:
    if name == "verbal_responsiveness":
        return reply(voice) is not None
    if name != "ictal_vocalization" and len(motion.times) < 2:
        return False
    return all(_holds(numbers[what], than, limit) for what, than, limit in RULES[name].conditions)


def _holds(value: float, than: str, limit: float) -> bool:
    return value > limit if than == ">" else value < limit


def _evidence(name: str, numbers: Mapping[str, float]) -> str:
    measured = ", ".join(
        f"{what.replace('_', ' ')} {numbers[what]:.3g} ({'over' if than == '>' else 'under'} {limit:g})"
        for what, than, limit in RULES[name].conditions
    )
    return f"{RULES[name].seen}{f' ({measured})' if measured else ''}."


def _heard_s(series: str, voice: Voice) -> float | None:
    if series == "voice" and voice.utterances:
        return voice.utterances[0].start_s
    if series == "reply" and voice.utterances:
        return (reply(voice) or voice.utterances[-1]).start_s
    return None


def _moment(times: Array, values: Array, onset: Onset) -> float | None:
    """The moment of an onset in a series, ``None`` where the series does not change."""
    if len(values) < 3 or np.ptp(values) <= 0:
        return None
    if onset.how in ("rise", "fall"):
        scores = change_scores(times, values, onset.span_s)
        return float(times[int(np.argmax(scores if onset.how == "rise" else -scores))])
    calm, high = rest_level(smooth(values, 1)), float(np.percentile(smooth(values, 1), LARGEST_PERCENTILE))
    over = np.flatnonzero(smooth(values, 1) > calm + onset.share * (high - calm))
    return float(times[over[0 if onset.how == "first" else -1]]) if len(over) else None


def _amounts(motion: Motion, by: str) -> tuple[float, float]:
    """How much happens on the patient's left and right."""
    if by == "mouth":
        return float(motion.mouth_sides["left"].mean()), float(motion.mouth_sides["right"].mean())
    return float(motion.posture["left arm"].mean()), float(motion.posture["right arm"].mean())
