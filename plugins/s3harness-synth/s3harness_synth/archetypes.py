"""Kinds of seizure: which signs go together, and on which side they are.

An affinity says how likely a sign is in one kind of event beside the others; the prior says how often it occurs in all
events of a diagnosis, and :mod:`~s3harness_synth.chances` makes chances of the two. The kinds and their weights are
clusters of the benchmark's label sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from s3harness import Diagnosis

SlotSide = Literal["", "contralateral", "ipsilateral", "both", "contralateral or both"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A sign that an event of this kind may show; sides are relative to the hemisphere of the focus."""

    feature: str
    affinity: float
    side: SlotSide = ""
    style: str = ""


WEIGHTS: dict[Diagnosis, dict[str, float]] = {
    "ES": {
        "tonic_clonic": 0.31,
        "posturing": 0.22,
        "hypomotor": 0.21,
        "automotor": 0.14,
        "focal_clonic": 0.08,
        "hyperkinetic": 0.04,
    },
    "NES": {"thrashing": 0.57, "collapse": 0.28, "rigid": 0.08, "fumbling": 0.07},
}
"""Share of each kind among the events with a diagnosis."""

SLEEP_AFFINITY: dict[str, float] = {
    "tonic_clonic": 0.4,
    "posturing": 0.4,
    "hypomotor": 0.2,
    "automotor": 0.15,
    "focal_clonic": 0.25,
    # Hyperkinetic seizures of the frontal lobe mostly come out of sleep.
    "hyperkinetic": 0.6,
    "thrashing": 0.2,
    "collapse": 0.3,
    "rigid": 0.2,
    "fumbling": 0.15,
}

ANSWER_AFFINITY: dict[str, float] = {
    # A generalised convulsion takes consciousness; a focal clonic seizure often leaves it.
    "tonic_clonic": 0.02,
    "posturing": 0.15,
    "hypomotor": 0.4,
    "automotor": 0.35,
    "focal_clonic": 0.6,
    "hyperkinetic": 0.2,
    "thrashing": 0.25,
    "collapse": 0.4,
    "rigid": 0.3,
    "fumbling": 0.6,
}

SLOTS: dict[str, tuple[Slot, ...]] = {
    # The tonic and the clonic phase define this kind, so no other sign is as likely.
    "tonic_clonic": (
        Slot("tonic", 1.00, "both"),
        Slot("clonic", 1.00, "both"),
        Slot("ictal_vocalization", 0.80, style="cry"),
        Slot("head_turning", 0.75, "contralateral"),
        Slot("arm_flexion", 0.70, "contralateral or both"),
        Slot("arm_straightening", 0.62, "contralateral"),
        Slot("figure4", 0.50, "contralateral"),
        Slot("face_twitching", 0.50, "contralateral or both"),
        Slot("face_pulling", 0.45, "contralateral"),
        Slot("eye_blinking", 0.32),
        Slot("full_body_shaking", 0.25),
        Slot("blank_stare", 0.20),
        Slot("oral_automatisms", 0.15),
        Slot("limb_automatisms", 0.12, "ipsilateral"),
        Slot("close_eyes", 0.10),
        Slot("arms_move_simultaneously", 0.05),
    ),
    "posturing": (
        Slot("tonic", 0.85, "contralateral or both"),
        Slot("arm_flexion", 0.80, "contralateral or both"),
        Slot("ictal_vocalization", 0.55, style="groan"),
        Slot("arm_straightening", 0.55, "contralateral"),
        Slot("head_turning", 0.45, "contralateral"),
        Slot("face_pulling", 0.30, "contralateral"),
        # A figure 4 is an asymmetric tonic posture: only this kind and the convulsion have it.
        Slot("figure4", 0.20, "contralateral"),
        Slot("blank_stare", 0.15),
        Slot("close_eyes", 0.15),
        Slot("eye_blinking", 0.15),
        Slot("arms_move_simultaneously", 0.15),
        Slot("face_twitching", 0.15, "contralateral"),
        Slot("limb_automatisms", 0.12, "ipsilateral"),
        Slot("clonic", 0.12, "contralateral"),
        Slot("oral_automatisms", 0.10),
        Slot("full_body_shaking", 0.06),
    ),
    "hypomotor": (
        Slot("close_eyes", 0.40),
        Slot("blank_stare", 0.38),
        Slot("eye_blinking", 0.25),
        Slot("limb_automatisms", 0.25, "ipsilateral"),
        # A head that turns without force turns towards the focus; a forced version turns away from it.
        Slot("head_turning", 0.22, "ipsilateral"),
        Slot("ictal_vocalization", 0.18, style="groan"),
        Slot("oral_automatisms", 0.15),
        Slot("arm_flexion", 0.15, "contralateral"),
        Slot("tonic", 0.08, "both"),
        Slot("face_pulling", 0.06, "contralateral"),
        Slot("face_twitching", 0.05, "contralateral"),
    ),
    "automotor": (
        Slot("oral_automatisms", 0.80),
        # The hand of the focus's side fumbles, while the opposite arm is in a posture.
        Slot("limb_automatisms", 0.80, "ipsilateral"),
        Slot("blank_stare", 0.35),
        Slot("arms_move_simultaneously", 0.30),
        Slot("ictal_vocalization", 0.30, style="groan"),
        Slot("arm_flexion", 0.30, "contralateral or both"),
        Slot("head_turning", 0.28, "ipsilateral"),
        Slot("arm_straightening", 0.20, "contralateral"),
        Slot("eye_blinking", 0.15),
        Slot("tonic", 0.12, "both"),
        Slot("face_pulling", 0.10, "contralateral"),
        Slot("close_eyes", 0.08),
        Slot("clonic", 0.06, "contralateral"),
        Slot("asynchronous_movement", 0.03),
    ),
    "focal_clonic": (
        Slot("clonic", 0.90, "contralateral"),
        Slot("face_twitching", 0.60, "contralateral"),
        Slot("head_turning", 0.45, "contralateral"),
        Slot("arm_flexion", 0.40, "contralateral"),
        Slot("face_pulling", 0.35, "contralateral"),
        Slot("eye_blinking", 0.30),
        Slot("ictal_vocalization", 0.25, style="groan"),
        Slot("tonic", 0.20, "both"),
        Slot("arm_straightening", 0.20, "contralateral"),
        Slot("full_body_shaking", 0.10),
        Slot("limb_automatisms", 0.08, "ipsilateral"),
    ),
    "hyperkinetic": (
        Slot("asynchronous_movement", 0.75),
        Slot("arms_move_simultaneously", 0.60),
        Slot("ictal_vocalization", 0.60, style="moan"),
        Slot("full_body_shaking", 0.40),
        Slot("arm_flexion", 0.20, "contralateral or both"),
        Slot("arm_straightening", 0.20, "contralateral"),
        Slot("pelvic_thrusting", 0.12),
        Slot("tonic", 0.10, "both"),
        Slot("close_eyes", 0.10),
        Slot("limb_automatisms", 0.05, "ipsilateral"),
    ),
    # A functional event has no focus: here a side only stands for the patient's habit.
    "thrashing": (
        Slot("asynchronous_movement", 0.92),
        Slot("full_body_shaking", 0.64),
        Slot("arms_move_simultaneously", 0.64),
        Slot("close_eyes", 0.62),
        Slot("pelvic_thrusting", 0.32),
        Slot("arm_flexion", 0.22, "contralateral or both"),
        # Crying during the event is a mark of functional seizures, so no epileptic kind weeps.
        Slot("ictal_vocalization", 0.20, style="weeping"),
        Slot("arm_straightening", 0.12, "contralateral or both"),
        Slot("head_turning", 0.07, "contralateral"),
        Slot("oral_automatisms", 0.05),
        Slot("limb_automatisms", 0.04, "ipsilateral"),
        Slot("blank_stare", 0.03),
        Slot("eye_blinking", 0.03),
        Slot("tonic", 0.02, "both"),
    ),
    "collapse": (
        Slot("close_eyes", 0.60),
        Slot("arms_move_simultaneously", 0.32),
        Slot("full_body_shaking", 0.30),
        Slot("asynchronous_movement", 0.22),
        Slot("blank_stare", 0.20),
        Slot("ictal_vocalization", 0.18, style="weeping"),
        Slot("oral_automatisms", 0.15),
        Slot("eye_blinking", 0.10),
        Slot("arm_flexion", 0.10, "contralateral or both"),
        Slot("arm_straightening", 0.05, "contralateral"),
        Slot("face_pulling", 0.04, "contralateral"),
        Slot("limb_automatisms", 0.03, "ipsilateral"),
        Slot("head_turning", 0.03, "contralateral"),
        Slot("pelvic_thrusting", 0.03),
    ),
    "rigid": (
        Slot("tonic", 0.65, "both"),
        Slot("arm_straightening", 0.60, "both"),
        Slot("arm_flexion", 0.60, "both"),
        Slot("close_eyes", 0.50),
        Slot("full_body_shaking", 0.40),
        Slot("face_pulling", 0.30, "both"),
        Slot("asynchronous_movement", 0.30),
        Slot("ictal_vocalization", 0.20, style="moan"),
        Slot("clonic", 0.10, "contralateral"),
        Slot("face_twitching", 0.10, "contralateral"),
        Slot("pelvic_thrusting", 0.10),
        Slot("arms_move_simultaneously", 0.10),
        Slot("head_turning", 0.08, "contralateral"),
    ),
    "fumbling": (
        Slot("oral_automatisms", 0.85),
        Slot("limb_automatisms", 0.75, "both"),
        Slot("close_eyes", 0.30),
        Slot("asynchronous_movement", 0.25),
        Slot("blank_stare", 0.20),
        Slot("ictal_vocalization", 0.20, style="moan"),
        Slot("arms_move_simultaneously", 0.20),
        Slot("arm_flexion", 0.10, "contralateral or both"),
        Slot("face_pulling", 0.10, "contralateral"),
        Slot("full_body_shaking", 0.10),
    ),
}
"""The slots of each kind."""
