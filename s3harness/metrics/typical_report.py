"""A report made of what most of the true reports say: what can be written without watching, by who knows the cohort.

The signs that at least a quarter of the reports name, in their usual order, each with the side that is commonest, and a
state afterwards. A formula that pays for the likely must show what the likely earns.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean

from s3harness.metrics.rqi.extract import extract
from s3harness.metrics.rqi.structure import NONE, ReportStructure

SHARE = 1 / 4
"""The share of the reports that name a sign which the typical report names."""
AFTERWARDS = "Afterwards the patient is confused."

WORDS: Mapping[str, str] = {
    "occur_during_sleep": "arousal from sleep",
    "head_turning": "head turning",
    "blank_stare": "a blank stare",
    "close_eyes": "closed eyes",
    "eye_blinking": "eye blinking",
    "face_pulling": "facial pulling",
    "face_twitching": "facial twitching",
    "tonic": "tonic stiffening",
    "clonic": "clonic jerking",
    "arm_straightening": "extension of an arm",
    "arm_flexion": "flexion of an arm",
    "figure4": "figure 4",
    "oral_automatisms": "oral automatisms",
    "limb_automatisms": "limb automatisms",
    "asynchronous_movement": "asynchronous movements",
    "pelvic_thrusting": "pelvic thrusting",
    "full_body_shaking": "shaking of the whole body",
    "arms_move_simultaneously": "simultaneous movement of both arms",
    "verbal_responsiveness": "verbal responses",
    "ictal_vocalization": "vocalization",
}
"""Sign → words that name it."""


def typical_report(texts: Sequence[str]) -> str:
    """The typical one of these reports; empty if no sign is named in a quarter of them."""
    told = [extract(text) for text in texts]
    counts = Counter(event for one in told for event in one.events if event in WORDS)
    usual = [sign for sign in _usual_order(told) if counts[sign] >= SHARE * len(texts)]
    if not usual:
        return ""
    signs = ", then ".join(_with_side(sign, told) for sign in usual)
    return f"{signs[0].upper()}{signs[1:]}. {AFTERWARDS}"


def _usual_order(told: Sequence[ReportStructure]) -> list[str]:
    """All signs by their mean place in the reports that name them."""
    places: defaultdict[str, list[float]] = defaultdict(list)
    for one in told:
        for number, sign in enumerate(one.events):
            places[sign].append((number + 0.5) / len(one.events))
    return sorted(places, key=lambda sign: (mean(places[sign]), sign))


def _with_side(sign: str, told: Sequence[ReportStructure]) -> str:
    """The words of a sign, with the side that the reports give it most often, if they give one."""
    words = WORDS[sign]
    if sign == "head_turning" and (side := _commonest(told, "head_turning")):
        return f"{words} to the {side}"
    if sign in ("arm_straightening", "arm_flexion") and (posture := _commonest(told, "asymmetric_posturing")):
        side, _, motion = posture.split()
        is_same = (motion == "extension") == (sign == "arm_straightening")
        return words.replace("an arm", f"the {side if is_same else _OTHER[side]} arm")
    return words


_OTHER: Mapping[str, str] = {"left": "right", "right": "left"}


def _commonest(told: Sequence[ReportStructure], key: str) -> str:
    """The commonest one-sided value of a lateralising sign, of several the first by alphabet; "" if there is none."""
    counts = Counter(one.side(key) for one in told if one.side(key) not in (NONE, "both"))
    return min(counts, key=lambda value: (-counts[value], value), default="")
