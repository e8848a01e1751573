"""Clinical wording of every sign, and the justifications and reports that are composed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from s3harness.specs.features import vocabulary
from s3harness.types import Side


@dataclass(frozen=True, slots=True)
class SignWording:
    """Phrases and sentences for one sign; ``{side}`` in them stands for the patient's side, ``{style}`` for the voice.

    ``phrases`` are nouns that fit into a sentence of a report, ``seen`` is one sentence on what is seen or heard where
    the sign is present, ``absent`` the sentence for a video without the sign.
    """

    phrases: tuple[str, ...]
    seen: str
    absent: str


SIGN_WORDINGS: dict[str, SignWording] = {
    "occur_during_sleep": SignWording(
        ("sleep",),
        "The patient lay still with eyes closed and slow breathing before the event began.",
        "The patient was awake with eyes open before the event began.",
    ),
    "head_turning": SignWording(
        ("head turning to the patient's {side}", "forced head turning towards the patient's {side}"),
        "The head turned to the patient's {side} and stayed there.",
        "The head did not turn in a sustained way to either side.",
    ),
    "blank_stare": SignWording(
        ("a blank stare", "a blank stare with arrest of movement"),
        "The eyes were open and fixed, and what the patient was doing stopped.",
        "There was no fixed vacant gaze.",
    ),
    "close_eyes": SignWording(
        ("eye closure", "sustained closure of the eyes"),
        "Both eyes stayed closed during the event.",
        "The eyes did not stay closed during the event.",
    ),
    "eye_blinking": SignWording(
        ("repetitive eye blinking", "rapid eye blinking"),
        "The lids of both eyes blinked several times a second.",
        "There was no repetitive blinking.",
    ),
    "face_pulling": SignWording(
        ("pulling of the face on the {side}", "facial pulling on the {side}"),
        "The corner of the mouth was pulled up on the {side} and the eye narrowed.",
        "The face was not pulled to either side.",
    ),
    "face_twitching": SignWording(
        ("facial twitching on the {side}", "twitching of the face on the {side}"),
        "Brief jerks pulled the corner of the mouth on the {side} again and again.",
        "There was no facial twitching.",
    ),
    "tonic": SignWording(
        ("tonic stiffening of the body on the {side}", "tonic posturing on the {side}"),
        "The trunk and the legs stiffened on the {side} and stayed stiff with a fine tremor.",
        "There was no sustained stiffening.",
    ),
    "clonic": SignWording(
        ("clonic jerking on the {side}", "rhythmic clonic jerks of the limbs on the {side}"),
        "The limbs jerked rhythmically on the {side}, with gaps that grew longer towards the end.",
        "There were no rhythmic clonic jerks.",
    ),
    "arm_straightening": SignWording(
        ("straightening of the {side} arm", "extension of the {side} arm (arm straightening)"),
        "The {side} arm was stretched out at the elbow and held.",
        "Neither arm was held straight.",
    ),
    "arm_flexion": SignWording(
        ("flexion of the {side} arm", "arm flexion on the {side}"),
        "The {side} arm was bent at the elbow and held.",
        "Neither arm was held bent.",
    ),
    "figure4": SignWording(
        ("a figure 4 posture with the {side} arm extended", "a figure-of-4 sign, the {side} arm straight"),
        "The {side} arm was straight while the other was bent across the chest, as in the figure 4.",
        "There was no figure 4 posture.",
    ),
    "oral_automatisms": SignWording(
        ("oral automatisms with chewing", "lip smacking and chewing (oral automatisms)"),
        "The jaw and the lips moved as in chewing and smacking.",
        "There was no chewing or lip smacking.",
    ),
    "limb_automatisms": SignWording(
        ("limb automatisms with fumbling of the {side} hand", "fumbling of the {side} hand (limb automatisms)"),
        "The {side} hand fumbled and picked at the clothes again and again.",
        "There was no fumbling or picking.",
    ),
    "asynchronous_movement": SignWording(
        ("asynchronous movements of the limbs", "asynchronous, irregular thrashing"),
        "The limbs thrashed out of phase with each other, with pauses.",
        "The limbs did not thrash out of phase.",
    ),
    "pelvic_thrusting": SignWording(
        ("pelvic thrusting", "repeated pelvic thrusting"),
        "The hips moved forwards and back again and again.",
        "There was no thrusting of the hips.",
    ),
    "full_body_shaking": SignWording(
        ("full body shaking", "shaking of the full body"),
        "The trunk and all limbs shook together.",
        "The body as a whole did not shake.",
    ),
    "arms_move_simultaneously": SignWording(
        ("simultaneous movement of both arms", "both arms moving simultaneously"),
        "Both arms moved up and down together.",
        "The arms did not move together.",
    ),
    "verbal_responsiveness": SignWording(
        ("a verbal response to the examiner", "a spoken answer to the examiner's question"),
        "The patient answered the examiner's question in words.",
        "The examiner asked a question and the patient did not answer.",
    ),
    "ictal_vocalization": SignWording(
        ("ictal vocalization ({style})", "vocalization ({style})"),
        "The patient could be heard: {style}.",
        "The patient made no sound that was not speech.",
    ),
    "arm_movement": SignWording(("movement of the {side} arm",), "The {side} arm was the first to move.", ""),
}

UNTESTED_REASON = "Nobody tested whether the patient responds."

STYLE_WORDS: dict[str, str] = {
    "cry": "a loud cry",
    "groan": "groaning",
    "moan": "moaning",
    "weeping": "weeping",
}

_STYLES = ("cry", "groan", "moan", "weeping")
_WHEN = ("at the very start", "early on", "after a while", "half-way through", "late in the event", "near the end")
_HOW = ("for a few seconds", "for about ten seconds", "for half a minute", "on and off", "once", "several times")
_MEANWHILE = ("lying in bed", "sitting up", "propped on a pillow", "turned to the wall", "under a blanket")
_OPENINGS = ("The event begins with {}.", "At onset there is {}.", "The first sign is {}.")
_STEPS = ("This is followed by {}.", "Then comes {}.", "Next there is {}.", "{} follows.")
_ENDINGS = (
    "Postictally the patient is confused.",
    "Afterwards the patient is unresponsive and breathes heavily.",
    "The patient recovers within a minute.",
)

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


def wording_of(sign: str) -> SignWording:
    """Return the wording of a sign; of one of a user's own list, made of its title."""
    if sign in SIGN_WORDINGS or sign not in vocabulary().names:
        return SIGN_WORDINGS[sign]
    title = vocabulary()[sign].title
    # Braces of a title would be taken for places of a side.
    words = (title[:1].lower() + title[1:]).replace("{", "(").replace("}", ")")
    return SignWording((words,), f"This sign was noted: {words}.", f"There was nothing of this sign: {words}.")


def fill_phrase(phrase: str, side: Side | None, style: str = "") -> str:
    """A phrase with its side and style put in."""
    text = phrase.format(side=side or "", style=STYLE_WORDS.get(style, style))
    if side == "both":
        # Longer phrases first: "the both arm" is the beginning of others.
        for clumsy, plain in _PAIRED.items():
            text = text.replace(clumsy, plain).replace(clumsy.capitalize(), plain.capitalize())
    return text


def report_of(events: Sequence[str], sides: Mapping[str, Side], random: Random) -> str:
    """A report that tells these signs in this order, in one of several wordings."""
    sentences = []
    for number, sign in enumerate(events):
        frame = random.choice(_STEPS if number else _OPENINGS)
        sentence = frame.format(
            fill_phrase(random.choice(wording_of(sign).phrases), sides.get(sign), random.choice(_STYLES))
        )
        # Not str.capitalize, which would lower the rest of the sentence.
        sentences.append(sentence[0].upper() + sentence[1:])
    return " ".join([*sentences, random.choice(_ENDINGS)])


def reason_for(sign: str, present: str, side: Side | None, random: Random) -> str:
    """Reason for a sign's presence or absence, in one of several wordings."""
    if present == "untested":
        return UNTESTED_REASON
    sentence = fill_phrase(
        wording_of(sign).seen if present == "yes" else wording_of(sign).absent, side, random.choice(_STYLES)
    )
    where = random.choice(_MEANWHILE)
    detail = f"It came {random.choice(_WHEN)}, {random.choice(_HOW)}" if present == "yes" else "Nothing of it was seen"
    return f"{sentence} {detail}, with the patient {where}."
