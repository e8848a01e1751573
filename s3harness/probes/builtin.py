"""The built-in probes."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from s3harness.probes.probe import OPEN, Expected, Probe, ProbeSubject, absent, change, flip, same
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
"""The signs that are movements, which one frame cannot show; the other visible signs are postures or states."""

# "na": nobody speaks to the patient in the clip, so verbal responsiveness cannot be judged.
DENIALS = frozenset({"no", "na"})

_OPPOSITE: dict[object, str] = {"yes": "no", "no": "yes", "left": "right", "right": "left"}


class RepeatProbe(Probe):
    """Repeats the run unchanged: the rate at which answers differ by chance, the baseline of the other probes."""

    title = "unchanged"

    def expect(self, subject: ProbeSubject, before: object) -> Expected:
        """Expect the same answer."""
        return same(before)


class MirrorProbe(Probe):
    """Swaps left and right in every frame: sides must flip, and nothing else may change."""

    title = "left and right swapped in the frames"
    transforms = ("mirror",)

    def expect(self, subject: ProbeSubject, before: object) -> Expected:
        """Expect the other side where one is named, else the same answer."""
        becomes = _mirrored(subject, before)
        return same(before) if becomes == before else flip(becomes)


class ReverseProbe(Probe):
    """Plays the clip backwards: times and order must change; postures and states must stay."""

    title = "frames and audio played backwards"
    transforms = ("reverse",)

    def expect(self, subject: ProbeSubject, before: object) -> Expected:
        """Expect other times and another order; signs that are postures or states stay."""
        # Movements and speech may not be recognised backwards: nothing is expected of these.
        if subject.item == "feature" and subject.subject not in MOVEMENTS | audible():
            return same(before)
        return _in_time(subject, before)


class ShuffleProbe(Probe):
    """Shows the frames in random order: times and order cannot be seen any more."""

    title = "frames in random order"
    transforms = ("shuffle",)

    def expect(self, subject: ProbeSubject, before: object) -> Expected:
        """Expect other times and another order; audible signs stay."""
        if subject.item == "feature" and subject.subject in audible():
            return same(before)
        return _in_time(subject, before)


class FreezeProbe(Probe):
    """Repeats one frame: no movement can be seen any more."""

    title = "the middle frame repeated"
    transforms = ("freeze",)

    def expect(self, subject: ProbeSubject, before: object) -> Expected:
        """Expect no movement; audible signs stay."""
        return _without(subject, before, MOVEMENTS, stays=audible())


class BlankProbe(Probe):
    """Shows grey frames: nothing can be seen any more."""

    title = "grey frames"
    transforms = ("blank",)

    def expect(self, subject: ProbeSubject, before: object) -> Expected:
        """Expect no visible sign; audible signs stay."""
        return _without(subject, before, visible(), stays=audible())


class MuteProbe(Probe):
    """Silences the audio: nothing can be heard any more, and visible signs must stay."""

    title = "silence instead of the audio"
    transforms = ("silence",)

    def expect(self, subject: ProbeSubject, before: object) -> Expected:
        """Expect no audible sign; visible signs, their sides and times stay."""
        # A report or a sequence may name audible signs; sides, the diagnosis and times of visible signs need no audio.
        if subject.item in ("laterality", "diagnosis") or (
            subject.item == "boundary" and subject.subject not in audible()
        ):
            return same(before)
        return _without(subject, before, audible(), stays=visible())


class AudioSwapProbe(Probe):
    """Plays the audio of another patient: visible signs must stay."""

    title = "the audio of another patient's clip"
    transforms = ("swap_sound",)

    def expect(self, subject: ProbeSubject, before: object) -> Expected:
        """Expect the same answer, unless it depends on the audio."""
        is_visible = (subject.item == "feature" and subject.subject in visible()) or subject.item == "laterality"
        return same(before) if is_visible else OPEN


class PolarityProbe(Probe):
    """Asks the negated question: yes and no, left and right, change places."""

    title = "the negated question"

    def reword(self, spec: TaskSpec) -> TaskSpec | None:
        """Return the task in the wording "polarity" of ``task_specs/wordings.yaml``."""
        return worded(spec, "polarity")

    def truth(self, video: Video, clip: Clip) -> Video:
        """Return the video with every label inverted, as the negated question makes it."""
        features = {name: _inverted(label, clip) for name, label in video.features.items()}
        return replace(video, features=features)

    def expect(self, subject: ProbeSubject, before: object) -> Expected:
        """Expect the opposite answer; the same for a body part, and for an answer without an opposite."""
        # A body part has no opposite: the negated question keeps asking for it.
        is_same = subject.subject == "onset_body_part" or before not in _OPPOSITE
        return same(before) if is_same else flip(_OPPOSITE[before])


class ParaphraseProbe(Probe):
    """Asks the same question in another wording: no answer may change."""

    def __init__(self, wording: str) -> None:
        self.title = f"the same questions in other words ({wording})"
        self._wording = wording

    def reword(self, spec: TaskSpec) -> TaskSpec | None:
        """Return the task in this wording of ``task_specs/wordings.yaml``."""
        return worded(spec, self._wording)

    def expect(self, subject: ProbeSubject, before: object) -> Expected:
        """Expect the same answer."""
        return same(before)


# The registered names: those of the plugin interface, and of recorded evidence.json files.
repeat, mirror, reverse, shuffle, freeze = RepeatProbe(), MirrorProbe(), ReverseProbe(), ShuffleProbe(), FreezeProbe()
blank, mute, audio_swap, polarity = BlankProbe(), MuteProbe(), AudioSwapProbe(), PolarityProbe()
paraphrase_1, paraphrase_2 = ParaphraseProbe("paraphrase 1"), ParaphraseProbe("paraphrase 2")


def audible() -> frozenset[str]:
    """Names of the signs that are heard."""
    return frozenset(feature.name for feature in vocabulary().features if feature.modality == "audio")


def visible() -> frozenset[str]:
    """Names of the signs that are seen."""
    return frozenset(vocabulary().names) - audible()


def _in_time(subject: ProbeSubject, before: object) -> Expected:
    """Expect another time, and another order of more than one sign."""
    if subject.item == "boundary" or (subject.item == "sequence" and len(_signs(before)) > 1):
        return change(before)
    return OPEN


def _without(subject: ProbeSubject, before: object, gone: frozenset[str], stays: frozenset[str]) -> Expected:
    """Expect an answer without the signs in ``gone``, which cannot be noticed any more; ``stays`` are unchanged."""
    if subject.item == "feature" and subject.subject in gone:
        return absent(lambda after: after in DENIALS) if before == "yes" else _still_denied(before)
    if subject.item == "feature" and subject.subject in stays:
        return same(before)
    if subject.item not in ("sequence", "report"):
        return OPEN
    if gone & set(_signs(before)):
        return absent(lambda after: not gone & set(_signs(after)))
    # If other signs may change as well, an answer about all of them may too.
    return same(before) if gone | stays >= set(vocabulary().names) else OPEN


def _still_denied(before: object) -> Expected:
    # Both denials count as the same: without the evidence, "no" and "na" cannot be told apart.
    return replace(same(before), holds=lambda after: after in DENIALS)


def _signs(value: object) -> tuple[str, ...]:
    """Return the signs of a sequence, or of a report's value (signs, sides)."""
    parts = value if isinstance(value, tuple) else ()
    is_report = len(parts) == 2 and isinstance(parts[0], tuple)
    return cast("tuple[str, ...]", parts[0] if is_report else parts)


def _mirrored(subject: ProbeSubject, value: object) -> object:
    if subject.item == "laterality":
        return mirrored_text(str(value))
    if subject.item == "report" and isinstance(value, tuple):
        events, sides = value
        return events, tuple((name, mirrored_text(side)) for name, side in sides)
    return value


def _inverted(label: FeatureLabel, clip: Clip) -> FeatureLabel:
    other: dict[Side | None, Side | None] = {"left": "right", "right": "left"}
    side = other.get(label.side, label.side)
    if label.present == "untested":
        return replace(label, side=side)
    starts = label.start_s is None or label.start_s <= clip.end_s
    # "yes" is true of the part that the clip shows alone: a sign that ends before the clip is not in it.
    is_shown = label.present == "yes" and starts and (label.end_s is None or label.end_s >= clip.start_s)
    return FeatureLabel("no" if is_shown else "yes", side=side, justification=label.justification)
