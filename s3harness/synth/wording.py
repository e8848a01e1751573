"""The clinical words for each sign: what a justification and a report say of it."""

from __future__ import annotations

from dataclasses import dataclass

from s3harness.types import Side


@dataclass(frozen=True, slots=True)
class Wording:
    """``phrases`` are nouns that take a place in a sentence, ``{side}`` in them the patient's side where it has one.

    ``seen`` is one sentence on what is to be seen or heard, ``absent`` the sentence for a video without it.
    """

    phrases: tuple[str, ...]
    seen: str
    absent: str


WORDING: dict[str, Wording] = {
    "occur_during_sleep": Wording(
        ("sleep",),
        "The patient lay still with eyes closed and slow breathing before the event began.",
        "The patient was awake with eyes open before the event began.",
    ),
    "head_turning": Wording(
        ("head turning to the patient's {side}", "forced head turning towards the patient's {side}"),
        "The head turned to the patient's {side} and stayed there.",
        "The head did not turn in a sustained way to either side.",
    ),
    "blank_stare": Wording(
        ("a blank stare", "a blank stare with arrest of movement"),
        "The eyes were open and fixed, and what the patient was doing stopped.",
        "There was no fixed vacant gaze.",
    ),
    "close_eyes": Wording(
        ("eye closure", "sustained closure of the eyes"),
        "Both eyes stayed closed during the event.",
        "The eyes did not stay closed during the event.",
    ),
    "eye_blinking": Wording(
        ("repetitive eye blinking", "rapid eye blinking"),
        "The lids of both eyes blinked several times a second.",
        "There was no repetitive blinking.",
    ),
    "face_pulling": Wording(
        ("pulling of the face on the {side}", "facial pulling on the {side}"),
        "The corner of the mouth was pulled up on the {side} and the eye narrowed.",
        "The face was not pulled to either side.",
    ),
    "face_twitching": Wording(
        ("facial twitching on the {side}", "twitching of the face on the {side}"),
        "Brief jerks pulled the corner of the mouth on the {side} again and again.",
        "There was no facial twitching.",
    ),
    "tonic": Wording(
        ("tonic stiffening of the body on the {side}", "tonic posturing on the {side}"),
        "The trunk and the legs stiffened on the {side} and stayed stiff with a fine tremor.",
        "There was no sustained stiffening.",
    ),
    "clonic": Wording(
        ("clonic jerking on the {side}", "rhythmic clonic jerks of the limbs on the {side}"),
        "The limbs jerked rhythmically on the {side}, with gaps that grew longer towards the end.",
        "There were no rhythmic clonic jerks.",
    ),
    "arm_straightening": Wording(
        ("straightening of the {side} arm", "extension of the {side} arm (arm straightening)"),
        "The {side} arm was stretched out at the elbow and held.",
        "Neither arm was held straight.",
    ),
    "arm_flexion": Wording(
        ("flexion of the {side} arm", "arm flexion on the {side}"),
        "The {side} arm was bent at the elbow and held.",
        "Neither arm was held bent.",
    ),
    "figure4": Wording(
        ("a figure 4 posture with the {side} arm extended", "a figure-of-4 sign, the {side} arm straight"),
        "The {side} arm was straight while the other was bent across the chest, as in the figure 4.",
        "There was no figure 4 posture.",
    ),
    "oral_automatisms": Wording(
        ("oral automatisms with chewing", "lip smacking and chewing (oral automatisms)"),
        "The jaw and the lips moved as in chewing and smacking.",
        "There was no chewing or lip smacking.",
    ),
    "limb_automatisms": Wording(
        ("limb automatisms with fumbling of the {side} hand", "fumbling of the {side} hand (limb automatisms)"),
        "The {side} hand fumbled and picked at the clothes again and again.",
        "There was no fumbling or picking.",
    ),
    "asynchronous_movement": Wording(
        ("asynchronous movements of the limbs", "asynchronous, irregular thrashing"),
        "The limbs thrashed out of phase with each other, with pauses.",
        "The limbs did not thrash out of phase.",
    ),
    "pelvic_thrusting": Wording(
        ("pelvic thrusting", "repeated pelvic thrusting"),
        "The hips moved forwards and back again and again.",
        "There was no thrusting of the hips.",
    ),
    "full_body_shaking": Wording(
        ("full body shaking", "shaking of the full body"),
        "The trunk and all limbs shook together.",
        "The body as a whole did not shake.",
    ),
    "arms_move_simultaneously": Wording(
        ("simultaneous movement of both arms", "both arms moving simultaneously"),
        "Both arms moved up and down together.",
        "The arms did not move together.",
    ),
    "verbal_responsiveness": Wording(
        ("a verbal response to the examiner", "a spoken answer to the examiner's question"),
        "The patient answered the examiner's question in words.",
        "The examiner asked a question and the patient did not answer.",
    ),
    "ictal_vocalization": Wording(
        ("ictal vocalization ({style})", "vocalization ({style})"),
        "The patient could be heard: {style}.",
        "The patient made no sound that was not speech.",
    ),
    "arm_movement": Wording(("movement of the {side} arm",), "The {side} arm was the first to move.", ""),
}

UNTESTED = "Nobody tested whether the patient responds."

STYLE_WORDS: dict[str, str] = {
    "cry": "a loud cry",
    "groan": "groaning",
    "moan": "moaning",
    "weeping": "weeping",
}

_PAIRED: dict[str, str] = {
    "the patient's both": "both sides",
    "on the both": "on both sides",
    "to the both": "to both sides",
    "the both arm was the": "both arms were the",
    "the both arm was": "both arms were",
    "the both arm": "both arms",
    "the both hand": "both hands",
}
"""How a phrase made for one side reads for both."""


def fill(phrase: str, side: Side | None, style: str = "") -> str:
    """A phrase with its side and style put in."""
    text = phrase.format(side=side or "", style=STYLE_WORDS.get(style, style))
    if side == "both":
        for clumsy, plain in _PAIRED.items():
            text = text.replace(clumsy, plain).replace(clumsy.capitalize(), plain.capitalize())
    return text
