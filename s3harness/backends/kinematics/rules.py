"""The rules: which numbers speak for which sign, and in which series its beginning is seen.

The limits were chosen on synthetic videos, where each is the one that told best the videos with the sign from those
without. They are the weak, explainable judgement of a baseline, not clinical knowledge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Above = tuple[str, Literal[">", "<"], float]
"""A number of the summary, and the side of a limit on which it lies."""

SidedBy = Literal["", "head", "arms", "mouth"]


@dataclass(frozen=True, slots=True)
class Onset:
    """How the beginning is found in a series: its first or last moment over ``share`` of its range, or a change.

    ``how`` is ``first``, ``last``, ``rise`` or ``fall``; ``span_s`` is how long before and after are compared.
    """

    series: str
    how: Literal["first", "last", "rise", "fall"] = "first"
    share: float = 0.25
    span_s: float = 8.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One sign: all of ``conditions`` hold; where it begins; by what its side is told; and the words for it."""

    conditions: tuple[Above, ...]
    onset: Onset
    seen: str
    sided_by: SidedBy = ""


RULES: dict[str, Rule] = {
    "occur_during_sleep": Rule(
        (("head_rest", "<", 0.027),),  # an awake head is hardly ever still for a quarter of the time
        Onset("body"),
        "The head lay almost still",
    ),
    "head_turning": Rule(
        (
            ("head_turn", ">", 0.108),
            ("head_wander", ">", 0.055),
        ),  # the face moves a tenth of the head's width, and stays
        Onset("head posture", share=0.5),
        "The features of the face moved to one side of the head and stayed there",
        "head",
    ),
    "blank_stare": Rule(
        (("body_most", "<", 0.05), ("legs_usual", "<", 0.003)),  # even the liveliest tenth of the clip is quiet
        Onset("head posture"),
        "The body was almost motionless",
    ),
    "close_eyes": Rule(
        (("eyes_narrow", "<", 0.14), ("eyes_open", "<", 0.4)),  # a closed lid leaves a thin line, and seldom opens
        Onset("eyes open", "fall"),
        "The pupils and the whites of the eyes were hardly to be seen",
    ),
    "eye_blinking": Rule(
        (("lid_flicker", ">", 0.05), ("eyes_narrowest", "<", 0.133)),  # open in one frame and closed in the next
        Onset("eyes", "rise"),
        "The openness of the eyes changed from frame to frame",
    ),
    "face_pulling": Rule(
        (("mouth_opening", ">", 0.1), ("head_wander", ">", 0.017)),  # the mouth changes shape, and the face is drawn
        Onset("head posture"),
        "The outline of the mouth changed and the face was drawn to one side",
        "mouth",
    ),
    "face_twitching": Rule(
        (("mouth_opening", ">", 0.08), ("roughness", ">", 0.142)),  # the mouth changes shape, unsteadily
        Onset("mouth dark", "rise"),
        "The mouth changed shape abruptly",
        "mouth",
    ),
    "tonic": Rule(
        (("leg_shift", ">", 6.8), ("voiced_s", ">", 0.5)),  # legs leave their place as air is forced out
        Onset("leg posture", "rise"),
        "The legs moved to another position and were held there",
        "arms",
    ),
    "clonic": Rule(
        (("roughness", ">", 0.315), ("legs_most", ">", 0.048)),  # sampled jerks: some frames hit one, others do not
        Onset("body", "rise"),
        "Movement came in separate jerks that took the legs too",
        "arms",
    ),
    "arm_straightening": Rule(
        (("other_arm_shift", ">", 5.0), ("legs_to_arms", "<", 0.9)),  # both arms leave their place, the legs less so
        Onset("arm posture"),
        "An arm moved to another position and was held there",
        "arms",
    ),
    "arm_flexion": Rule(
        (("arm_shift", ">", 5.3), ("head_shift", ">", 12.5)),  # an arm comes up, and the head is not left as it was
        Onset("arm posture"),
        "An arm came up and was held there",
        "arms",
    ),
    "figure4": Rule(
        (
            ("arm_shift_difference", ">", 1.07),
            ("voiced_s", ">", 0.5),
        ),  # one arm goes farther than the other, with force
        Onset("arm posture", share=0.5),
        "The arms moved to different positions and were held there",
        "arms",
    ),
    "oral_automatisms": Rule(
        (("mouth_usual", ">", 0.092), ("legs_most", "<", 0.035)),  # the mouth works while the body is quiet
        Onset("mouth dark", share=0.5),
        "The mouth kept moving while the body was quiet",
    ),
    "limb_automatisms": Rule(
        (("arm_shift_difference", ">", 0.78), ("legs_to_arms", "<", 0.44)),  # one arm is busy, the legs are not
        Onset("busier arm posture", "rise", span_s=16.0),
        "One arm kept moving while the legs were quiet",
        "arms",
    ),
    "asynchronous_movement": Rule(
        (
            ("legs_burst", ">", 0.163),
            ("arms_burst", ">", 0.145),
        ),  # a sixth of all limbs' cells change, frame after frame
        Onset("body", share=0.5),
        "Arms and legs moved violently from frame to frame",
    ),
    "pelvic_thrusting": Rule(
        (("leg_shift", ">", 15.4), ("legs_rest", ">", 0.025)),  # legs drawn up, and moving even at their quietest
        Onset("leg posture", share=0.5),
        "Hips and legs left their place and kept moving",
    ),
    "full_body_shaking": Rule(
        (("legs_most", ">", 0.07), ("body_most", ">", 0.1)),  # the legs take part, and a tenth of the body moves
        Onset("body", "rise"),
        "Trunk, arms and legs moved at once",
    ),
    "arms_move_simultaneously": Rule(
        (("arms_most", ">", 0.13),),  # one arm alone reaches less of the two
        Onset("arm posture"),
        "Both arms moved at the same time",
    ),
    "ictal_vocalization": Rule(
        (("voiced_s", ">", 4.0),),  # a short question and its answer take about three seconds
        Onset("voice"),
        "A voice was heard for longer than a question and its answer take",
    ),
    "verbal_responsiveness": Rule((), Onset("reply"), "Two voices of different pitch followed each other"),
}
"""The signs in the benchmark's names; the last one is judged from the dialogue alone."""

BOUNDARIES: dict[str, Onset] = {
    "seizure_onset": Onset("head posture"),
    "seizure_offset": Onset("arms", "last", share=0.5),
}
"""Where a seizure begins (few leave the face as it was) and ends (the arms move last)."""
