"""From a judgement to the answer of a request: the value, and the words beside it."""

from __future__ import annotations

import numpy as np

from s3harness.backends.kinematics.diagnosis import diagnose, diagnose_report, quoted_report
from s3harness.backends.kinematics.judge import TOGETHER, Finding, Judgement, is_spoken_to, onset_s, stronger_side
from s3harness.backends.kinematics.picture import Array
from s3harness.backends.kinematics.rules import RULES
from s3harness.backends.kinematics.series import rest_level, smooth
from s3harness.backends.kinematics.summary import arms
from s3harness.backends.pen import clock, write
from s3harness.types import Request

STATES = frozenset({"occur_during_sleep"})
"""Signs that are a state and begin at no moment, so that they take no place in a sequence."""

LIMB_SERIES = frozenset({"body", "arm posture", "busier arm posture", "leg posture"})
"""Series in which the beginning of a movement of the limbs is seen."""

RHYTHMIC_SHARE = 0.3
"""A rhythm is spoken of where one frequency holds this share of the movement's power; noise spreads over all."""

MOST_REPORTED = 6
"""A report of three short sentences names no more signs than this."""

FULL_BODY_BURST = 0.1
"""Share of the body that moves for long within the first seconds, above which the whole of it began at once."""

FIRST_S = 6.0


def answer(request: Request, judgement: Judgement) -> str:
    """The text that answers a request about the clip that was judged, in the form that the request asks for."""
    task = request.task.split("/")[-1].split("_")[0]
    match task:
        case "task1" | "task2":
            return _presence(request, judgement)
        case "task3":
            return write(request, _side(request, judgement))
        case "task4":
            return write(request, onset_s(judgement.motion, judgement.voice, request.subject))
        case "task5":
            return write(request, _sequence(request, judgement))
        case "task6":
            return write(request, report(judgement))
        case _:
            return _diagnosis(request, judgement)


def report(judgement: Judgement) -> str:
    """One to three sentences on the signs that were found, in the order of their beginning."""
    phrases = [_phrase(finding) for finding in _in_order(judgement)][:MOST_REPORTED]
    if not phrases:
        return "The patient moves little, and no sign of a seizure is seen."
    middle = len(phrases) // 2
    first, rest = phrases[0], phrases[1:]
    sentences = [f"The event begins with {first}."]
    if rest:
        sentences.append(f"This is followed by {_joined(rest[: max(middle, 1)])}.")
    if rest[max(middle, 1) :]:
        sentences.append(f"Then comes {_joined(rest[max(middle, 1) :])}.")
    return " ".join(sentences)


PHRASES: dict[str, str] = {
    "head_turning": "head turning to the {side}",
    "blank_stare": "a blank stare with arrest of movement",
    "close_eyes": "closure of both eyes",
    "eye_blinking": "rapid eye blinking",
    "face_pulling": "pulling of the face on the {side}",
    "face_twitching": "facial twitching on the {side}",
    "tonic": "tonic stiffening of the body",
    "clonic": "rhythmic clonic jerking of the limbs",
    "arm_straightening": "straightening of the {side} arm",
    "arm_flexion": "flexion of the {side} arm",
    "figure4": "a figure-of-four posture with the {side} arm straight",
    "oral_automatisms": "oral automatisms",
    "limb_automatisms": "limb automatisms of the {side} hand",
    "asynchronous_movement": "asynchronous movements of all limbs",
    "pelvic_thrusting": "pelvic thrusting",
    "full_body_shaking": "full body shaking",
    "arms_move_simultaneously": "simultaneous movement of both arms",
    "verbal_responsiveness": "a verbal response",
    "ictal_vocalization": "ictal vocalization",
}


def _presence(request: Request, judgement: Judgement) -> str:
    finding = judgement.find(request.subject)
    if finding is not None:
        where = _where(finding.sign, judgement)
        return write(request, "yes", f"{finding.evidence[:-1]}, from {clock(round(finding.onset_s))} on{where}.")
    if request.subject == "verbal_responsiveness" and not is_spoken_to(judgement.voice):
        return write(request, "na" if "na" in _choices(request) else "no", "No speech is heard.")
    return write(request, "no", _absence(request.subject, judgement))


def _where(sign: str, judgement: Judgement) -> str:
    """Of a movement of the limbs: on which side most of it is, and its rhythm where the frames can show one."""
    if RULES[sign].onset.series not in LIMB_SERIES:
        return ""
    parts = judgement.motion.parts
    left, right = (float((parts[f"{side} arm"] + parts[f"{side} leg"]).mean()) for side in ("left", "right"))
    side = "left" if left > right else "right"
    text = f", mostly on the patient's {side}" if max(left, right) > TOGETHER * min(left, right) else ""
    pace_hz, share = judgement.motion.rhythm
    return f"{text}, at about {pace_hz:.1f} Hz" if share > RHYTHMIC_SHARE else text


def _choices(request: Request) -> list[object]:
    properties = (request.answer_schema or {}).get("properties", {})
    chosen = properties.get("answer", {}) if isinstance(properties, dict) else {}
    return list(chosen.get("enum", ()))


def _absence(subject: str, judgement: Judgement) -> str:
    if subject not in RULES or not RULES[subject].conditions:
        return "Nothing of the kind is seen or heard."
    numbers = judgement.numbers
    name, than, limit = next(
        (c for c in RULES[subject].conditions if (numbers[c[0]] > c[2]) != (c[1] == ">")), RULES[subject].conditions[0]
    )
    level = "not over" if than == ">" else "not under"
    return f"The measured {name.replace('_', ' ')} is {numbers[name]:.3g}, {level} {limit:g}."


def _side(request: Request, judgement: Judgement) -> str:
    if request.subject == "onset_body_part":
        return first_body_part(judgement)
    return stronger_side(judgement.motion, "head" if request.subject == "head_turning" else "arms")


def first_body_part(judgement: Judgement) -> str:
    """The part of the body, in the benchmark's words, that is the first to leave its rest."""
    motion = judgement.motion
    opening = motion.times <= FIRST_S
    if smooth(motion.energy, 2)[opening].max(initial=0.0) > FULL_BODY_BURST:
        return "full body"
    candidates = {
        "head": motion.posture["head"],
        "eyes": np.abs(motion.eye_openness - np.median(motion.eye_openness[:3])),
        "mouth": np.abs(motion.mouth_darkness - np.median(motion.mouth_darkness[:3])),
        f"{stronger_side(motion, 'arms')} arm": arms(motion),
    }
    return min(candidates, key=lambda part: _leaves_rest(motion.times, candidates[part]))


def _leaves_rest(times: Array, values: Array) -> float:
    calm = rest_level(values)
    over = np.flatnonzero(smooth(values, 1) > calm + 0.5 * (np.max(values) - calm))
    return float(times[over[0]]) if len(over) else float("inf")


def _sequence(request: Request, judgement: Judgement) -> list[str]:
    """The signs found, by onset, that the prompt offers."""
    return [f.sign for f in _in_order(judgement) if f"{f.sign}:" in request.prompt or f.sign not in request.prompt]


def _in_order(judgement: Judgement) -> list[Finding]:
    return [finding for finding in judgement.findings if finding.sign not in STATES]


def _diagnosis(request: Request, judgement: Judgement) -> str:
    if request.subject == "video_and_report":
        value, words = diagnose_report(quoted_report(request.prompt), judgement.numbers)
    else:
        value, words = diagnose(judgement.numbers)
    return write(request, value, words)


def _phrase(finding: Finding) -> str:
    side = finding.side or ""
    text = PHRASES[finding.sign].format(side=side)
    return (
        text.replace("the both arm", "both arms")
        .replace("the both hand", "both hands")
        .replace("the both", "both sides")
    )


def _joined(phrases: list[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
