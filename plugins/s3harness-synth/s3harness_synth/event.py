"""The script's parts: events, the examination, the script itself."""

from __future__ import annotations

from dataclasses import dataclass

from s3harness import Diagnosis, Side
from s3harness_synth.envelope import Envelope
from s3harness_synth.primitives import jerk_moments
from s3harness_synth.vocabulary import FEATURES

_NEVER_S = 60.0
"""Seconds after the end of a script at which its seizure is said to be where it has none: nothing of it is seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One sign of one seizure, or a movement that only looks like one (a ``feature`` outside the vocabulary).

    ``side`` is the patient's; ``intensity`` in 0–1 scales amplitudes; ``frequency`` is in Hz and glides to
    ``final_frequency`` where the movement slows down; ``style`` names a variant (the kind of voice, say).
    """

    feature: str
    envelope: Envelope
    side: Side | None = None
    intensity: float = 1.0
    frequency: float | None = None
    final_frequency: float | None = None
    style: str = ""
    seed: int = 0

    @property
    def interval(self) -> tuple[float, float]:
        """Onset and offset in seconds, as the truth states them."""
        return self.envelope.interval

    @property
    def is_sign(self) -> bool:
        """``True`` for one of the benchmark's signs."""
        return self.feature in FEATURES

    @property
    def length_s(self) -> float:
        """Seconds from onset to offset."""
        onset, offset = self.interval
        return offset - onset

    @property
    def moments(self) -> tuple[float, ...]:
        """Beginnings of its jerks in seconds; movement and sound share them."""
        onset, offset = self.interval
        frequency = self.frequency or 1.0
        return jerk_moments(onset, offset, frequency, self.final_frequency or frequency)


@dataclass(frozen=True, slots=True)
class Examination:
    """Somebody asks the patient something at each of ``asked_s``, and is answered each time or never.

    A question of before the video is at a negative time. ``reply_after_s`` is the wait between the end of a question
    and the answer, ``None`` where none comes.
    """

    asked_s: tuple[float, ...]
    reply_after_s: float | None
    phrase: int = 0

    QUESTION_S = 1.5
    REPLY_S = 1.4

    @property
    def replied_s(self) -> tuple[float, ...]:
        """Beginnings of the answers in seconds."""
        if self.reply_after_s is None:
            return ()
        return tuple(start + self.QUESTION_S + self.reply_after_s for start in self.asked_s)

    @property
    def answered(self) -> tuple[float, float] | None:
        """From the beginning of the first answer to the end of the last."""
        return (self.replied_s[0], self.replied_s[-1] + self.REPLY_S) if self.replied_s else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One event from the first to the last frame; all times in seconds from the start of the video."""

    diagnosis: Diagnosis
    archetype: str
    duration_s: float
    from_sleep: bool
    events: tuple[Event, ...]
    examination: Examination | None = None

    @property
    def signs(self) -> tuple[Event, ...]:
        """Events that are signs, in the order of their onsets."""
        return tuple(sorted((e for e in self.events if e.is_sign), key=lambda e: e.interval[0]))

    @property
    def interval(self) -> tuple[float, float]:
        """Onset of the first sign and offset of the last: the seizure; both after the end of a script without signs."""
        if not self.signs:
            return self.duration_s + _NEVER_S, self.duration_s + _NEVER_S
        # Signs alone: a distractor before them must not move the onset that the truth states.
        return min(e.interval[0] for e in self.signs), max(e.interval[1] for e in self.signs)

    def find(self, feature: str) -> Event | None:
        """Return the event of a feature; ``None`` if it does not occur."""
        return next((event for event in self.events if event.feature == feature), None)
