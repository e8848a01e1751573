"""The truth of a video, read off its script: rows of the data set's tables."""

from __future__ import annotations

from s3harness import SIGN_WORDINGS, UNTESTED_REASON, FeatureLabel, Side, fill_phrase
from s3harness_synth.event import Event, Script
from s3harness_synth.vocabulary import ARM_MOVEMENT, ARM_SIGNS, FEATURES, SIDED

_ONSET_PARTS: dict[str, str] = {
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
    "arms_move_simultaneously": "arms",
}
_PARTS_OF_A_SIDE: dict[str, str] = {
    "arm_straightening": "arm",
    "arm_flexion": "arm",
    "figure4": "arm",
    "limb_automatisms": "arm",
    "clonic": "arm",
    "tonic": "leg",
}


def feature_labels(script: Script) -> dict[str, FeatureLabel]:
    """Return the label of each of the twenty features, and of the arm that moves first if it moves alone."""
    labels = {feature: _label(feature, script) for feature in FEATURES}
    arm = first_arm_movement(script)
    if arm is not None:
        labels[ARM_MOVEMENT] = _present(ARM_MOVEMENT, arm.interval, arm.side)
    return labels


def first_arm_movement(script: Script) -> Event | None:
    """Return the event that moves an arm first; ``None`` if it moves both, or another one moves at once."""
    first = next((event for event in script.signs if event.feature in ARM_SIGNS), None)
    if first is None or first.side not in ("left", "right"):
        return None
    # Less than half a second apart, neither arm is first for an annotator.
    rivals = (e for e in script.signs if e.feature in ARM_SIGNS and e.interval[0] < first.interval[0] + 0.5)
    return first if all(rival.side == first.side for rival in rivals) else None


def onset_body_part(script: Script) -> str:
    """Return the body part in which the seizure begins, in the benchmark's words."""
    first = script.signs[0]
    if first.feature in _ONSET_PARTS:
        return _ONSET_PARTS[first.feature]
    part = _PARTS_OF_A_SIDE[first.feature]
    if first.side in ("left", "right"):
        return f"{first.side} {part}"
    return "full body" if first.feature in ("clonic", "tonic") else "arms"


def _label(feature: str, script: Script) -> FeatureLabel:
    if feature == "occur_during_sleep":
        return _present(feature, None, None) if script.from_sleep else _absent(feature)
    if feature == "verbal_responsiveness":
        return _responsiveness(script)
    event = script.find(feature)
    if event is None:
        return _absent(feature)
    return _present(feature, event.interval, event.side if feature in SIDED else None, event.style)


def _responsiveness(script: Script) -> FeatureLabel:
    examination = script.examination
    if examination is None:
        return FeatureLabel("untested", justification=UNTESTED_REASON)
    if examination.answered is None:
        return _absent("verbal_responsiveness")
    return _present("verbal_responsiveness", examination.answered, None)


def _present(feature: str, interval: tuple[float, float] | None, side: Side | None, style: str = "") -> FeatureLabel:
    start, end = (None, None) if interval is None else (round(interval[0], 2), round(interval[1], 2))
    return FeatureLabel("yes", start, end, side, fill_phrase(SIGN_WORDINGS[feature].seen, side, style))


def _absent(feature: str) -> FeatureLabel:
    return FeatureLabel("no", justification=SIGN_WORDINGS[feature].absent)
