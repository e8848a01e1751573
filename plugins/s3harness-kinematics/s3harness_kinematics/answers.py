"""Answers to requests: the value that a judgement gives, and the justification beside it."""

from __future__ import annotations

from s3harness import Request, S3HarnessError, format_timestamp, write_answer
from s3harness_kinematics.body_part import first_body_part
from s3harness_kinematics.diagnosis import diagnose, diagnose_report, quoted_report
from s3harness_kinematics.dialogue import is_spoken_to
from s3harness_kinematics.findings import Judgement, SignFinding
from s3harness_kinematics.seizures import seizure_spans
from s3harness_kinematics.side import stronger_side

STATES = frozenset({"occur_during_sleep"})
"""Signs that are states: they have no onset, so they stand in no sequence."""

MOST_REPORTED = 6
"""A report of three short sentences names no more signs than this."""


def answer(request: Request, judgement: Judgement) -> str:
    """Return the text that answers a request about the judged clip, in the form that the request asks for.

    Raises :class:`~s3harness.S3HarnessError` for a kind of item that the baseline does not know.
    """
    # The kind of item that the task's spec declares, never the task's name: a custom task has a name of its own.
    value: object
    match request.item_kind:
        case "feature" | "rationale":
            return _presence(request, judgement)
        case "diagnosis":
            return _diagnosis(request, judgement)
        case "laterality":
            value = _side(request, judgement)
        case "boundary":
            value = judgement.onset_s(request.subject)
        case "sequence":
            value = _sequence(request, judgement)
        case "report":
            value = report(judgement)
        case "seizures":
            value = seizure_spans(judgement.measured)
        case kind:
            raise S3HarnessError(f"the kinematics backend does not answer items of the kind {kind or 'not declared'!r}")
    return write_answer(request, value)


def report(judgement: Judgement) -> str:
    """Return one to three sentences on the detected signs, in the order of their onsets."""
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
    "occur_during_sleep": "sleep before the event",
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
        since = "" if finding.sign in STATES else f" from {format_timestamp(round(finding.onset_s))} on"
        return write_answer(request, "yes", f"There is {_phrase(finding)}{since}.")
    if request.subject == "verbal_responsiveness" and not is_spoken_to(judgement.measured.voice):
        # Without speech nobody tested the patient; a task that offers no "na" counts that as no response.
        return write_answer(request, "na" if "na" in _choices(request) else "no", "No speech is heard.")
    return write_answer(request, "no", f"There is no {request.subject.replace('_', ' ')}.")


def _choices(request: Request) -> list[object]:
    properties = (request.answer_schema or {}).get("properties", {})
    chosen = properties.get("answer", {}) if isinstance(properties, dict) else {}
    return list(chosen.get("enum", ()))


def _side(request: Request, judgement: Judgement) -> str:
    if request.subject == "onset_body_part":
        return first_body_part(judgement)
    return stronger_side(judgement.signed, request.subject)


def _sequence(request: Request, judgement: Judgement) -> list[str]:
    """Return the detected signs in the order of their onsets, but those that the prompt names without offering them."""
    # A prompt offers a sign as "name:". A prompt that names none leaves the choice to the model.
    return [f.sign for f in _in_order(judgement) if f"{f.sign}:" in request.prompt or f.sign not in request.prompt]


def _in_order(judgement: Judgement) -> list[SignFinding]:
    return [finding for finding in judgement.findings if finding.sign not in STATES]


def _diagnosis(request: Request, judgement: Judgement) -> str:
    if request.subject == "video_and_report":
        value, words = diagnose_report(quoted_report(request.prompt), judgement.numbers)
    else:
        value, words = diagnose(judgement.numbers)
    return write_answer(request, value, words)


def _phrase(finding: SignFinding) -> str:
    side = finding.side or ""
    text = PHRASES[finding.sign].format(side=side)
    # The phrases are made for one side; these three put "both" into English.
    return (
        text.replace("the both arm", "both arms")
        .replace("the both hand", "both hands")
        .replace("the both", "both sides")
    )


def _joined(phrases: list[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
