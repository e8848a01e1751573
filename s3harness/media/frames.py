"""What the media store gives of a clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from s3harness.media.geometry import Size

Pixels = NDArray[np.uint8]
Samples = NDArray[np.float32]

RATE = 24_000
"""Samples a second at which sound is kept; a clip's is resampled from it."""


class Frames(NamedTuple):
    """The pictures of a clip, one for each wanted timestamp.

    ``pixels`` is RGB, uint8, frames × height × width × 3. ``timestamps`` are the times of the pictures in the file,
    in seconds from the start of the video; they ascend, and repeat where a video has fewer pictures than were wanted.
    """

    pixels: Pixels
    timestamps: tuple[float, ...]


class Jpegs(NamedTuple):
    """The pictures of a clip as JPEG files, one for each wanted timestamp, and their times as in :class:`Frames`."""

    images: tuple[bytes, ...]
    timestamps: tuple[float, ...]


SLACK_S = 0.05
"""A clip may reach this far behind the end of its video: lengths are rounded on their way."""


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """The video as it is stored: its upright size with square pixels, and whether it has sound."""

    size: Size
    has_audio: bool


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A decoded picture at one of the sizes asked for, its time, and the wanted times it stands for, in seconds."""

    size: Size
    time_s: float
    wanted: tuple[float, ...]
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """The next stretch of the sound: mono float32 at :data:`s3harness.media.frames.RATE`."""

    samples: Samples


@dataclass(frozen=True, slots=True)
class EndOfPass:
    """The last thing a pass gives; ``end_s`` is how far the pictures go, ``None`` if the pass stopped before."""

    end_s: float | None


DecodedItem = StreamInfo | DecodedFrame | AudioChunk | EndOfPass
