"""The forms of a clip that the media store returns, and the items that a decode pass yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from s3harness.media.geometry import Size

Pixels = NDArray[np.uint8]
Samples = NDArray[np.float32]

RATE = 24_000
"""Samples a second at which audio is cached; the audio of a clip is resampled from it."""


class Frames(NamedTuple):
    """The frames of a clip, one for each wanted timestamp.

    ``pixels`` is RGB, uint8, frames × height × width × 3. ``timestamps`` are the times of the frames in the file,
    in seconds from the start of the video; they ascend, and repeat where a video has fewer frames than were wanted.
    """

    pixels: Pixels
    timestamps: tuple[float, ...]


class Jpegs(NamedTuple):
    """The frames of a clip as JPEG files, one for each wanted timestamp, and their times as in :class:`Frames`."""

    images: tuple[bytes, ...]
    timestamps: tuple[float, ...]


SLACK_S = 0.05
"""A clip may reach this far behind the end of its video: durations are rounded on their way."""


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """The upright size of a video with square pixels, and whether it has audio. A pass yields it first."""

    size: Size
    has_audio: bool


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A frame at one of the wanted sizes, its time, and the wanted times that it is nearest to, in seconds."""

    size: Size
    time_s: float
    wanted: tuple[float, ...]
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """The next samples of the audio: mono float32 at :data:`s3harness.media.frames.RATE`."""

    samples: Samples


@dataclass(frozen=True, slots=True)
class EndOfPass:
    """The last item of a pass; the frames end at ``end_s`` seconds, ``None`` if the pass stopped before."""

    end_s: float | None


DecodedItem = StreamInfo | DecodedFrame | AudioChunk | EndOfPass
