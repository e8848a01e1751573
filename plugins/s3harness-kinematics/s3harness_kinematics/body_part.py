"""The part of the body at onset: that of the sign that is likely and early."""

from __future__ import annotations

import math
from collections.abc import Mapping

from s3harness_kinematics.findings import Judgement
from s3harness_kinematics.side import side_of

PARTS: Mapping[str, str] = {
    "head_turning": "head",
    "blank_stare": "eyes",
    "close_eyes": "eyes",
    "eye_blinking": "eyes",
    "face_pulling": "face",
    "face_twitching": "face",
    "oral_automatisms": "mouth",
    "ictal_vocalization": "mouth",
    "asynchronous_movement": "full body",
    "pelvic_thrusting": "full body",
    "full_body_shaking": "full body",
    "tonic": "full body",
    "clonic": "full body",
    "arms_move_simultaneously": "arms",
    "arm_straightening": "arm",
    "arm_flexion": "arm",
    "limb_automatisms": "arm",
}
"""Sign → part of the body; an "arm" is the left one, the right one or both."""

PATIENCE_S = 3.0
"""A sign that begins so much later must be e times as likely to be the first."""


def first_body_part(judgement: Judgement) -> str:
    """Return the part in the benchmark's words."""
    first = max(PARTS, key=lambda sign: _earliness(judgement, sign))
    if PARTS[first] != "arm":
        return PARTS[first]
    side = side_of(judgement.signed, first)
    return "arms" if side == "both" else f"{side} arm"


def _earliness(judgement: Judgement, sign: str) -> float:
    """Odds of the sign, discounted by its onset; above 0."""
    presence = judgement.presences.get(sign)
    probability = presence.probability if presence else 0.0
    # Odds, not probabilities: between two certain signs a small difference must still decide.
    odds = probability / max(1.0 - probability, 1e-6)
    return odds * math.exp(-judgement.onset_s(sign) / PATIENCE_S)
