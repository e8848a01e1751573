"""What comes out of a decode pass."""

from __future__ import annotations

from dataclasses import dataclass

from s3harness.media.frames import Pixels, Samples
from s3harness.media.geometry import Size

SLACK_S = 0.05
"""A clip may reach this far behind the end of its video: lengths are rounded on their way."""


@dataclass(frozen=True, slots=True)
class Source:
    """The video as it is stored: its upright size with square pixels, and whether it has sound."""

    size: Size
    has_audio: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture at one of the sizes asked for, its time, and the wanted times it stands for, in seconds."""

    size: Size
    time_s: float
    wanted: tuple[float, ...]
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class Sound:
    """The next stretch of the sound: mono float32 at :data:`s3harness.media.frames.RATE`."""

    samples: Samples


@dataclass(frozen=True, slots=True)
class End:
    """The last thing a pass gives; ``end_s`` is how far the pictures go, ``None`` if the pass stopped before."""

    end_s: float | None


Item = Source | Picture | Sound | End
