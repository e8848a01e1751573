"""Frame times of a clip: the options that every sampler takes besides its own.

``fps``
    Frames a second: frame *i* of a clip is at start + i/fps. Frame 0 is the clip's first frame, and clips of one video
    whose starts lie on a common grid share frames.
``frames``
    Instead of ``fps``, a number of frames whatever the length: frame *i* is at the centre of the *i*-th of that many
    equal segments.
``max_frames``
    At most so many frames a clip; ``fps`` gives way, so that the frames still cover the whole clip.
``max_pixels``
    Pixels of a frame (width × height) at most; a smaller video is not enlarged.
``max_clip_pixels``
    Pixels of all frames of a clip together at most, a budget as ``qwen-vl-utils`` has it (``total_pixels``, 180,633,600
    for Qwen2.5-VL): frames of a clip with many of them get fewer pixels each. Without it none do.
``audio``
    True to send the clip's sound too.

All times are seconds from the start of the video, rounded to a microsecond so that equal times compare equal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TypedDict, Unpack

from s3harness.errors import DatasetError, SpecError
from s3harness.types import Clip, Video

DEFAULT_MAX_PIXELS = 602_112
"""768 × 28 × 28, the limit of a video frame in Qwen2.5-VL's own preprocessing (qwen-vl-utils)."""
SMALLEST_MAX_PIXELS = 4
"""Pixels of a frame of 2 × 2."""
SHORTEST_CLIP_S = 1e-3
"""Below this length a clip is empty but for rounding."""


class FrameOptions(TypedDict, total=False):
    """The options of this module, as keyword arguments of a sampler."""

    fps: float | None
    frames: int | None
    max_frames: int | None
    max_pixels: int
    max_clip_pixels: int | None
    audio: bool


@dataclass(frozen=True, slots=True)
class Sampling:
    """The options of this module, checked."""

    fps: float | None = None
    frames: int | None = None
    max_frames: int | None = None
    max_pixels: int = DEFAULT_MAX_PIXELS
    max_clip_pixels: int | None = None
    audio: bool = False

    def clip(self, video: Video, start_s: float, end_s: float, index: int = 0) -> Clip | None:
        """Return the part of ``video`` from ``start_s`` to ``end_s``, cut at its ends; ``None`` if nothing is left."""
        start_s, end_s = max(_rounded(start_s), 0.0), min(_rounded(end_s), duration_s(video))
        if end_s - start_s < SHORTEST_CLIP_S:
            return None
        times = _frame_times(self, start_s, end_s)
        max_pixels = self.max_pixels
        if self.max_clip_pixels is not None:
            max_pixels = max(SMALLEST_MAX_PIXELS, min(max_pixels, self.max_clip_pixels // len(times)))
        return Clip(video.id, start_s, end_s, times, max_pixels, audio=self.audio, index=index)


def sampling(
    default_fps: float | None = None, default_frames: int | None = None, **options: Unpack[FrameOptions]
) -> Sampling:
    """Check the options; one of ``fps`` and ``frames`` is taken from the defaults if the options name neither.

    Raises :class:`SpecError` naming the option that is wrong.
    """
    # The options come from a task spec: a misspelt one would otherwise be ignored in silence.
    unknown = sorted(set(options) - set(FrameOptions.__annotations__))
    if unknown:
        raise SpecError(f"sampler: unknown parameter {unknown[0]!r}; known: {', '.join(FrameOptions.__annotations__)}")
    fps, frames = options.get("fps"), options.get("frames")
    if fps is not None and frames is not None:
        raise SpecError(f"sampler: fps ({fps}) and frames ({frames}) exclude each other; give one")
    if fps is None and frames is None:
        fps, frames = default_fps, default_frames
    max_frames, max_pixels = options.get("max_frames"), options.get("max_pixels", DEFAULT_MAX_PIXELS)
    budget = options.get("max_clip_pixels")
    return Sampling(
        fps=None if fps is None else positive("fps", fps),
        frames=None if frames is None else whole("frames", frames),
        max_frames=None if max_frames is None else whole("max_frames", max_frames),
        max_pixels=whole("max_pixels", max_pixels, at_least=SMALLEST_MAX_PIXELS),
        max_clip_pixels=None if budget is None else whole("max_clip_pixels", budget, at_least=SMALLEST_MAX_PIXELS),
        audio=_boolean("audio", options.get("audio", False)),
    )


def positive(name: str, value: object) -> float:
    """Return ``value`` as a finite number above 0, or raise :class:`SpecError` naming the parameter."""
    number = finite(name, value)
    if number <= 0:
        raise SpecError(f"sampler: {name} must be above 0, not {value!r}")
    return number


def finite(name: str, value: object, at_least: float = -math.inf) -> float:
    """Return ``value`` as a finite number, at least ``at_least``, or raise :class:`SpecError` naming the parameter."""
    # bool is an int in Python: "true" in a spec would be 1 second.
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SpecError(f"sampler: {name} must be a number, not {value!r}")
    if value < at_least:
        raise SpecError(f"sampler: {name} must be at least {at_least:g}, not {value!r}")
    return float(value)


def whole(name: str, value: object, at_least: int = 1) -> int:
    """Return ``value`` as a whole number of at least ``at_least``, or raise :class:`SpecError` naming the parameter."""
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise SpecError(f"sampler: {name} must be a whole number of at least {at_least}, not {value!r}")
    return value


def duration_s(video: Video) -> float:
    """Return the length of the video in seconds, or raise :class:`DatasetError` if it has none."""
    if video.duration_s is None or not 0 < video.duration_s < math.inf:
        raise DatasetError(f"videos.csv: video {video.id!r} needs a duration_s above 0, not {video.duration_s!r}")
    return video.duration_s


# Cached: every question about a video cuts it at the same places.
@lru_cache(maxsize=1024)
def _frame_times(options: Sampling, start_s: float, end_s: float) -> tuple[float, ...]:
    """Times of the frames of a clip, ascending, in seconds from the start of the video."""
    span, cap = end_s - start_s, options.max_frames or math.inf
    if options.frames is not None:
        n = int(min(options.frames, cap))
        # min: rounding to a microsecond can put the last frame beyond the end.
        return tuple(min(_rounded(start_s + (i + 0.5) * span / n), end_s) for i in range(n))
    assert options.fps is not None
    # Rounded before ceil: 30 s × 2/s can come out a hair above 60, which would add a frame at the very end.
    n, step = math.ceil(_rounded(span * options.fps)), 1 / options.fps
    if n > cap:
        n, step = int(cap), span / cap
    return tuple(min(_rounded(start_s + i * step), end_s) for i in range(max(n, 1)))


def _boolean(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise SpecError(f"sampler: {name} must be true or false, not {value!r}")
    return value


def _rounded(seconds: float) -> float:
    return round(seconds, 6)
