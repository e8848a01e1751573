"""The probes that the harness brings."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from s3harness.probes.probe import OPEN, Asked, Expected, Probe, absent, change, flip, same
from s3harness.probes.wordings import worded
from s3harness.specs.features import vocabulary
from s3harness.specs.tasks import TaskSpec
from s3harness.transforms.mirror import mirrored_text
from s3harness.types import Clip, FeatureLabel, Side, Video

MOVEMENTS = frozenset(
    {
        *("head_turning", "eye_blinking", "face_twitching", "clonic", "oral_automatisms", "limb_automatisms"),
        *("asynchronous_movement", "pelvic_thrusting", "full_body_shaking", "arms_move_simultaneously"),
    }
)
"""The signs that are a movement, which one picture cannot show; the others that are seen are a posture or a state."""

DENIALS = frozenset({"no", "na"})

_OPPOSITE: dict[object, str] = {"yes": "no", "no": "yes", "left": "right", "right": "left"}


class Repeat(Probe):
    """Nothing is changed: how often an answer differs by itself, beside which the other probes are to be read."""

    title = "the same again"

    def expect(self, asked: Asked, before: object) -> Expected:
        """The same."""
        return same(before)


class Mirror(Probe):
    """Left and right exchanged in every picture: sides must flip, and nothing else may change."""

    title = "left and right exchanged in the pictures"
    transforms = ("mirror",)

    def expect(self, asked: Asked, before: object) -> Expected:
        """The other side where one is named, else the same."""
        becomes = _mirrored(asked, before)
        return same(before) if becomes == before else flip(becomes)


class Reverse(Probe):
    """The clip run backwards: what is seen at all stays, when and in what order it comes does not."""

    title = "pictures and sound run backwards"
    transforms = ("reverse",)

    def expect(self, asked: Asked, before: object) -> Expected:
        """Other moments and another order; signs that are a posture or a state stay."""
        if asked.item == "feature" and asked.subject not in MOVEMENTS | heard():
            return same(before)
        return _in_time(asked, before)


class Shuffle(Probe):
    """The pictures in a drawn order: no moment and no order can be told any more."""

    title = "the pictures in a drawn order"
    transforms = ("shuffle",)

    def expect(self, asked: Asked, before: object) -> Expected:
        """Other moments and another order; what is heard stays."""
        if asked.item == "feature" and asked.subject in heard():
            return same(before)
        return _in_time(asked, before)


class Freeze(Probe):
    """One picture all the time: no movement can be seen any more."""

    title = "the middle picture all the time"
    transforms = ("freeze",)

    def expect(self, asked: Asked, before: object) -> Expected:
        """No movement; what is heard stays."""
        return _without(asked, before, MOVEMENTS, stays=heard())


class Blank(Probe):
    """Grey pictures: nothing can be seen any more."""

    title = "grey pictures"
    transforms = ("blank",)

    def expect(self, asked: Asked, before: object) -> Expected:
        """No sign that is seen; what is heard stays."""
        return _without(asked, before, seen(), stays=heard())


class Mute(Probe):
    """Silence: nothing can be heard any more, and what is seen stays."""

    title = "silence instead of the sound"
    transforms = ("silence",)

    def expect(self, asked: Asked, before: object) -> Expected:
        """No sign that is heard; what is seen stays, sides and all."""
        if asked.item in ("laterality", "diagnosis") or (asked.item == "boundary" and asked.subject not in heard()):
            return same(before)
        return _without(asked, before, heard(), stays=seen())


class AudioSwap(Probe):
    """The sound of another patient: what is seen stays."""

    title = "the sound of another patient's clip"
    transforms = ("swap_sound",)

    def expect(self, asked: Asked, before: object) -> Expected:
        """The same, unless it is about what is heard."""
        is_seen = (asked.item == "feature" and asked.subject in seen()) or asked.item == "laterality"
        return same(before) if is_seen else OPEN


class Polarity(Probe):
    """The question asked the other way round: yes and no, left and right, change places."""

    title = "the question asked the other way round"

    def reword(self, spec: TaskSpec) -> TaskSpec | None:
        """As ``task_specs/wordings.yaml`` has it."""
        return worded(spec, "polarity")

    def truth(self, video: Video, clip: Clip) -> Video:
        """What the clip shows is now not so, and what it does not show is."""
        features = {name: _inverted(label, clip) for name, label in video.features.items()}
        return replace(video, features=features)

    def expect(self, asked: Asked, before: object) -> Expected:
        """The opposite; a body part, and where nothing can be told, the same."""
        is_same = asked.subject == "onset_body_part" or before not in _OPPOSITE
        return same(before) if is_same else flip(_OPPOSITE[before])


class Paraphrase(Probe):
    """The same question in other words: no answer may change."""

    def __init__(self, wording: str) -> None:
        self.title = f"the same questions in other words ({wording})"
        self._wording = wording

    def reword(self, spec: TaskSpec) -> TaskSpec | None:
        """As ``task_specs/wordings.yaml`` has it."""
        return worded(spec, self._wording)

    def expect(self, asked: Asked, before: object) -> Expected:
        """The same."""
        return same(before)


repeat, mirror, reverse, shuffle, freeze = Repeat(), Mirror(), Reverse(), Shuffle(), Freeze()
blank, mute, audio_swap, polarity = Blank(), Mute(), AudioSwap(), Polarity()
paraphrase_1, paraphrase_2 = Paraphrase("paraphrase 1"), Paraphrase("paraphrase 2")


def heard() -> frozenset[str]:
    """The signs that take ears."""
    return frozenset(feature.name for feature in vocabulary().features if feature.modality == "audio")


def seen() -> frozenset[str]:
    """The signs that take eyes."""
    return frozenset(vocabulary().names) - heard()


def _in_time(asked: Asked, before: object) -> Expected:
    """Another moment, and another order where there is one."""
    if asked.item == "boundary" or (asked.item == "sequence" and len(_signs(before)) > 1):
        return change(before)
    return OPEN


def _without(asked: Asked, before: object, gone: frozenset[str], stays: frozenset[str]) -> Expected:
    """What becomes of an answer when some signs cannot be noticed and others are as they were."""
    if asked.item == "feature" and asked.subject in gone:
        return absent(lambda after: after in DENIALS) if before == "yes" else _still_denied(before)
    if asked.item == "feature" and asked.subject in stays:
        return same(before)
    if asked.item not in ("sequence", "report"):
        return OPEN
    if gone & set(_signs(before)):
        return absent(lambda after: not gone & set(_signs(after)))
    return same(before) if gone | stays >= set(vocabulary().names) else OPEN


def _still_denied(before: object) -> Expected:
    return replace(same(before), holds=lambda after: after in DENIALS)


def _signs(value: object) -> tuple[str, ...]:
    """The signs of a sequence, or those that a report tells."""
    given = value if isinstance(value, tuple) else ()
    is_report = len(given) == 2 and isinstance(given[0], tuple)
    return cast("tuple[str, ...]", given[0] if is_report else given)


def _mirrored(asked: Asked, value: object) -> object:
    if asked.item == "laterality":
        return mirrored_text(str(value))
    if asked.item == "report" and isinstance(value, tuple):
        events, sides = value
        return events, tuple((name, mirrored_text(side)) for name, side in sides)
    return value


def _inverted(label: FeatureLabel, clip: Clip) -> FeatureLabel:
    other: dict[Side | None, Side | None] = {"left": "right", "right": "left"}
    side = other.get(label.side, label.side)
    if label.present == "untested":
        return replace(label, side=side)
    starts = label.start_s is None or label.start_s <= clip.end_s
    is_shown = label.present == "yes" and starts and (label.end_s is None or label.end_s >= clip.start_s)
    return FeatureLabel("no" if is_shown else "yes", side=side, justification=label.justification)
