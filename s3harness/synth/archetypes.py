"""How seizures of one kind run: which signs, when in the event, for how long, on which side.

A slot gives the chance that a sign occurs, and its onset and length as shares of the event's span; the numbers follow
the benchmark's prevalences, orders and durations, and the textbook sequence of each kind (ILAE glossary; Theodore
1994 for the tonic-clonic march). The kinds and their weights are clusters of the benchmark's label sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from s3harness.types import Diagnosis

SlotSide = Literal["", "contralateral", "ipsilateral", "both", "contralateral or both"]
Share = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Slot:
    """A sign that an event of this kind may show; sides are relative to the hemisphere of the focus."""

    feature: str
    chance: float
    onset: Share
    length: Share
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

SLEEP_CHANCE: dict[str, float] = {
    "tonic_clonic": 0.4,
    "posturing": 0.4,
    "hypomotor": 0.2,
    "automotor": 0.15,
    "focal_clonic": 0.25,
    "hyperkinetic": 0.6,
    "thrashing": 0.2,
    "collapse": 0.3,
    "rigid": 0.2,
    "fumbling": 0.15,
}

SLOTS: dict[str, tuple[Slot, ...]] = {
    "tonic_clonic": (
        Slot("blank_stare", 0.20, (0.00, 0.04), (0.10, 0.20)),
        Slot("oral_automatisms", 0.15, (0.00, 0.03), (0.10, 0.15)),
        Slot("head_turning", 0.75, (0.02, 0.12), (0.22, 0.40), "contralateral"),
        Slot("face_pulling", 0.45, (0.08, 0.18), (0.22, 0.45), "contralateral"),
        Slot("ictal_vocalization", 0.80, (0.13, 0.20), (0.30, 0.60), style="cry"),
        Slot("tonic", 1.00, (0.14, 0.24), (0.27, 0.36), "both"),
        Slot("arm_flexion", 0.70, (0.15, 0.24), (0.22, 0.34), "contralateral or both"),
        Slot("arm_straightening", 0.62, (0.19, 0.28), (0.18, 0.32), "contralateral"),
        Slot("figure4", 0.50, (0.24, 0.32), (0.14, 0.22), "contralateral"),
        Slot("eye_blinking", 0.32, (0.45, 0.62), (0.12, 0.22)),
        Slot("face_twitching", 0.50, (0.52, 0.58), (0.25, 0.38), "contralateral or both"),
        Slot("clonic", 1.00, (0.52, 0.58), (0.34, 0.44), "both"),
        Slot("full_body_shaking", 0.25, (0.56, 0.62), (0.22, 0.32)),
    ),
    "posturing": (
        Slot("head_turning", 0.45, (0.00, 0.15), (0.30, 0.55), "contralateral"),
        Slot("blank_stare", 0.15, (0.00, 0.05), (0.15, 0.30)),
        Slot("close_eyes", 0.15, (0.00, 0.05), (0.40, 0.80)),
        Slot("face_pulling", 0.30, (0.10, 0.25), (0.25, 0.50), "contralateral"),
        Slot("ictal_vocalization", 0.55, (0.05, 0.25), (0.20, 0.50), style="groan"),
        Slot("tonic", 0.85, (0.10, 0.30), (0.45, 0.65), "contralateral or both"),
        Slot("arm_flexion", 0.80, (0.12, 0.32), (0.30, 0.55), "contralateral or both"),
        Slot("arm_straightening", 0.55, (0.15, 0.40), (0.25, 0.45), "contralateral"),
        Slot("figure4", 0.20, (0.35, 0.50), (0.20, 0.35), "contralateral"),
        Slot("eye_blinking", 0.15, (0.60, 0.80), (0.12, 0.20)),
        Slot("arms_move_simultaneously", 0.15, (0.00, 0.04), (0.12, 0.16)),
        Slot("face_twitching", 0.15, (0.45, 0.60), (0.25, 0.35), "contralateral"),
    ),
    "hypomotor": (
        Slot("blank_stare", 0.38, (0.00, 0.05), (0.50, 0.95)),
        Slot("close_eyes", 0.40, (0.00, 0.08), (0.50, 0.90)),
        Slot("head_turning", 0.22, (0.05, 0.35), (0.25, 0.50), "ipsilateral"),
        Slot("eye_blinking", 0.25, (0.10, 0.50), (0.20, 0.40)),
        Slot("limb_automatisms", 0.25, (0.05, 0.30), (0.30, 0.50), "ipsilateral"),
        Slot("oral_automatisms", 0.15, (0.20, 0.50), (0.25, 0.45)),
        Slot("arm_flexion", 0.15, (0.20, 0.50), (0.20, 0.40), "contralateral"),
        Slot("ictal_vocalization", 0.18, (0.10, 0.50), (0.15, 0.35), style="groan"),
    ),
    "automotor": (
        Slot("oral_automatisms", 0.80, (0.00, 0.10), (0.50, 0.85)),
        Slot("limb_automatisms", 0.80, (0.03, 0.20), (0.40, 0.75), "ipsilateral"),
        Slot("blank_stare", 0.35, (0.00, 0.08), (0.50, 0.90)),
        Slot("head_turning", 0.28, (0.15, 0.45), (0.20, 0.40), "ipsilateral"),
        Slot("arm_straightening", 0.20, (0.35, 0.60), (0.20, 0.35), "contralateral"),
        Slot("arms_move_simultaneously", 0.30, (0.40, 0.60), (0.20, 0.35)),
        Slot("eye_blinking", 0.15, (0.30, 0.60), (0.15, 0.30)),
        Slot("ictal_vocalization", 0.30, (0.20, 0.50), (0.15, 0.40), style="groan"),
    ),
    "focal_clonic": (
        Slot("head_turning", 0.45, (0.00, 0.10), (0.30, 0.60), "contralateral"),
        Slot("face_pulling", 0.35, (0.02, 0.15), (0.25, 0.40), "contralateral"),
        Slot("face_twitching", 0.60, (0.10, 0.30), (0.40, 0.65), "contralateral"),
        Slot("arm_flexion", 0.40, (0.05, 0.25), (0.25, 0.50), "contralateral"),
        Slot("clonic", 0.90, (0.20, 0.40), (0.40, 0.60), "contralateral"),
        Slot("eye_blinking", 0.30, (0.30, 0.60), (0.20, 0.35)),
        Slot("ictal_vocalization", 0.25, (0.20, 0.50), (0.15, 0.35), style="groan"),
    ),
    "hyperkinetic": (
        Slot("asynchronous_movement", 0.75, (0.02, 0.20), (0.45, 0.75)),
        Slot("full_body_shaking", 0.40, (0.10, 0.40), (0.30, 0.55)),
        Slot("arms_move_simultaneously", 0.60, (0.00, 0.10), (0.25, 0.40)),
        Slot("pelvic_thrusting", 0.12, (0.15, 0.40), (0.30, 0.55)),
        Slot("ictal_vocalization", 0.60, (0.00, 0.15), (0.40, 0.80), style="moan"),
    ),
    "thrashing": (
        Slot("close_eyes", 0.62, (0.00, 0.03), (0.70, 1.00)),
        Slot("asynchronous_movement", 0.92, (0.02, 0.25), (0.50, 0.80)),
        Slot("full_body_shaking", 0.64, (0.10, 0.45), (0.30, 0.55)),
        Slot("arms_move_simultaneously", 0.64, (0.00, 0.40), (0.20, 0.40)),
        Slot("pelvic_thrusting", 0.32, (0.05, 0.40), (0.35, 0.60)),
        Slot("arm_flexion", 0.22, (0.00, 0.20), (0.15, 0.30), "contralateral or both"),
        Slot("arm_straightening", 0.12, (0.75, 0.85), (0.12, 0.20), "contralateral or both"),
        Slot("head_turning", 0.07, (0.00, 0.10), (0.15, 0.30), "contralateral"),
        Slot("ictal_vocalization", 0.20, (0.05, 0.50), (0.30, 0.50), style="weeping"),
        Slot("head_shaking", 0.45, (0.15, 0.50), (0.20, 0.40)),
    ),
    "collapse": (
        Slot("close_eyes", 0.60, (0.00, 0.03), (0.60, 1.00)),
        Slot("blank_stare", 0.20, (0.00, 0.05), (0.40, 0.80)),
        Slot("asynchronous_movement", 0.22, (0.40, 0.60), (0.20, 0.40)),
        Slot("arms_move_simultaneously", 0.32, (0.20, 0.60), (0.15, 0.35)),
        Slot("oral_automatisms", 0.15, (0.20, 0.50), (0.20, 0.40)),
        Slot("eye_blinking", 0.10, (0.05, 0.40), (0.20, 0.40)),
        Slot("full_body_shaking", 0.30, (0.30, 0.60), (0.20, 0.40)),
        Slot("ictal_vocalization", 0.18, (0.10, 0.50), (0.25, 0.45), style="weeping"),
    ),
    "rigid": (
        Slot("close_eyes", 0.50, (0.00, 0.05), (0.50, 0.95)),
        Slot("tonic", 0.65, (0.05, 0.25), (0.40, 0.70), "both"),
        Slot("arm_straightening", 0.60, (0.10, 0.30), (0.30, 0.50), "both"),
        Slot("arm_flexion", 0.60, (0.05, 0.35), (0.30, 0.50), "both"),
        Slot("face_pulling", 0.30, (0.10, 0.30), (0.30, 0.50), "both"),
        Slot("full_body_shaking", 0.40, (0.35, 0.60), (0.25, 0.40)),
        Slot("ictal_vocalization", 0.20, (0.10, 0.40), (0.25, 0.45), style="moan"),
    ),
    "fumbling": (
        Slot("limb_automatisms", 0.75, (0.00, 0.15), (0.50, 0.85), "both"),
        Slot("oral_automatisms", 0.85, (0.10, 0.30), (0.35, 0.60)),
        Slot("close_eyes", 0.30, (0.00, 0.10), (0.50, 0.90)),
        Slot("blank_stare", 0.20, (0.00, 0.10), (0.40, 0.80)),
        Slot("asynchronous_movement", 0.25, (0.50, 0.70), (0.15, 0.30)),
        Slot("ictal_vocalization", 0.20, (0.20, 0.50), (0.20, 0.40), style="moan"),
    ),
}
"""The slots of each kind; ``head_shaking`` is no sign of the benchmark but looks like one."""
