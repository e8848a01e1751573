"""Contact sheets: frames of a video above a timeline of its annotated signs, as one image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from s3harness.dataset.load import Dataset
from s3harness.errors import UsageError, suggest
from s3harness.specs.features import vocabulary
from s3harness.types import FeatureLabel, Video

if TYPE_CHECKING:
    from PIL import ImageDraw
    from PIL.Image import Image

Colour = tuple[int, int, int]
"""Red, green and blue, 0–255."""

_COLUMNS, _GAP, _MARGIN = 4, 4, 10
_LANE, _NAMES, _SOUND, _AXIS = 15, 168, 44, 18
"""Pixels: height of a lane, width of the names of signs, heights of the sound level and of the axis."""
_INK, _FAINT, _PAPER = (30, 32, 36), (226, 228, 232), (255, 255, 255)
_BARS: dict[str | None, Colour] = {
    None: (84, 120, 168),
    "left": (206, 122, 48),
    "right": (60, 144, 92),
    "both": (132, 96, 160),
}
_ALL_ALONG, _UNTESTED, _SEIZURE = (150, 156, 166), (176, 160, 120), (246, 240, 222)


@dataclass(frozen=True, slots=True)
class Strip:
    """Frames of a video (uint8, height × width × 3) with their times, and its sound level (RMS, ten per second)."""

    frames: tuple[NDArray[np.uint8], ...]
    times_s: tuple[float, ...]
    loudness: NDArray[np.float64]
    duration_s: float


def make_contact_sheet(
    dataset: Dataset, video_id: str, *, frames: int, span: tuple[float, float | None], width: int
) -> Image:
    """Return the contact sheet of one video: ``frames`` evenly over ``span`` (seconds; ``None`` is the end).

    Raises:
        UsageError: the data set lacks the video or its file, or the span is empty.
        MediaError: the file cannot be decoded.

    """
    video = next((video for video in dataset.videos if video.id == video_id), None)
    if video is None:
        raise UsageError(f"the data set has no video {video_id!r}{suggest(video_id, [v.id for v in dataset.videos])}")
    if video.path is None:
        raise UsageError(f"video {video_id} has no file in this data set")
    start, end = span[0], _duration(video.path) if span[1] is None else span[1]
    if end <= start:
        raise UsageError(
            f"the span of video {video_id} from {start:g} s to {end:g} s is empty; its end must be after its start"
        )
    step = (end - start) / frames
    times = [start + (number + 0.5) * step for number in range(frames)]
    return draw_contact_sheet(video, read_strip(video.path, times, width))


def read_strip(path: Path, times_s: Sequence[float], width: int) -> Strip:
    """Decode the frames nearest to ``times_s``, about ``width`` pixels wide, and the level of the sound.

    Raises:
        MediaError: the file cannot be decoded.

    """
    from s3harness.media.decode import decode
    from s3harness.media.frames import RATE, AudioChunk, DecodedFrame
    from s3harness.media.probe import probe

    info = probe(path)
    # The decoder takes a budget of pixels, not a width.
    most = round(width * width * info.height / info.width)
    pixels: dict[float, NDArray[np.uint8]] = {}
    levels, rest = list[float](), np.zeros(0)
    with path.open("rb") as file:
        for item in decode(file, {most: frozenset(times_s)}, info.has_audio):
            if isinstance(item, DecodedFrame):
                pixels |= dict.fromkeys(item.wanted, item.pixels)
            elif isinstance(item, AudioChunk):
                tenths, rest = _whole_tenths(np.concatenate([rest, item.samples]), RATE // 10)
                levels += np.sqrt(np.mean(np.square(tenths), axis=1)).tolist()
    # Damaged videos may have no frame near the last times.
    decoded = tuple(time for time in times_s if time in pixels)
    return Strip(tuple(pixels[time] for time in decoded), decoded, np.array(levels), info.duration_s)


def draw_contact_sheet(video: Video, strip: Strip) -> Image:
    """Return the frames in rows of four, above one lane for each sign; sides are the patient's."""
    from PIL import Image, ImageDraw

    high, wide = strip.frames[0].shape[:2]
    rows = ceil(len(strip.frames) / _COLUMNS)
    # Signs of other vocabularies follow the benchmark's.
    lanes = (*vocabulary().names, *(name for name in video.features if name not in vocabulary().names))
    top = _MARGIN + rows * (high + _GAP) + _MARGIN
    width = 2 * _MARGIN + _COLUMNS * (wide + _GAP) - _GAP
    sheet = Image.new("RGB", (width, top + len(lanes) * _LANE + _SOUND + _AXIS + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (pixels, time) in enumerate(zip(strip.frames, strip.times_s, strict=True)):
        row, column = divmod(number, _COLUMNS)
        corner = _MARGIN + column * (wide + _GAP), _MARGIN + row * (high + _GAP)
        sheet.paste(Image.fromarray(pixels), corner)
        _tag(draw, corner, f"{time:.1f} s")
    _Timeline(draw, strip, (_MARGIN + _NAMES, width - _MARGIN), top).draw(video, lanes)
    return sheet


def _duration(path: Path) -> float:
    from s3harness.media.probe import probe

    return probe(path).duration_s


def _whole_tenths(samples: NDArray[np.float64], size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the samples in rows of ``size``, and the remainder."""
    whole = len(samples) // size * size
    return samples[:whole].reshape(-1, size), samples[whole:]


def _tag(draw: ImageDraw.ImageDraw, corner: tuple[int, int], text: str) -> None:
    x, y = corner
    draw.rectangle((x, y, x + 7 * len(text), y + 13), fill=_INK)
    draw.text((x + 3, y + 1), text, fill=_PAPER)


@dataclass(frozen=True, slots=True)
class _Timeline:
    """Timeline of a sheet: lanes between two x coordinates (``across``), from ``top`` down."""

    draw_on: ImageDraw.ImageDraw
    strip: Strip
    across: tuple[int, int]
    top: int

    def draw(self, video: Video, lanes: Sequence[str]) -> None:
        bottom = self.top + len(lanes) * _LANE
        if video.onset_s is not None and video.offset_s is not None:
            self.draw_on.rectangle((self.x(video.onset_s), self.top, self.x(video.offset_s), bottom), fill=_SEIZURE)
        for number, name in enumerate(lanes):
            self.lane(self.top + number * _LANE, name, video.features.get(name))
        for time in self.strip.times_s:
            self.draw_on.line((self.x(time), self.top, self.x(time), bottom), fill=_FAINT)
        self.sound(bottom)
        self.axis(bottom + _SOUND)

    def x(self, time_s: float) -> float:
        left, right = self.across
        return left + (right - left) * min(max(time_s / self.strip.duration_s, 0.0), 1.0)

    def lane(self, y: int, name: str, label: FeatureLabel | None) -> None:
        left, right = self.across
        present = label is not None and label.present == "yes"
        self.draw_on.text((_MARGIN, y + 1), name, fill=_INK if present else (160, 164, 170))
        self.draw_on.line((left, y + _LANE - 1, right, y + _LANE - 1), fill=_FAINT)
        if label is None or label.present == "no":
            return
        if label.present == "untested" or label.start_s is None or label.end_s is None:
            word = "untested" if label.present == "untested" else "yes"
            self.draw_on.text((left + 4, y + 1), word, fill=_UNTESTED if word == "untested" else _ALL_ALONG)
            return
        # At least two pixels wide, or a short sign would be invisible.
        start, end = self.x(label.start_s), max(self.x(label.end_s), self.x(label.start_s) + 2)
        self.draw_on.rectangle((start, y + 2, end, y + _LANE - 4), fill=_BARS[label.side])
        self.draw_on.text((end + 4, y + 1), label.side or "", fill=_BARS[label.side])

    def sound(self, y: int) -> None:
        """Draw the level of the sound from −60 dB to full scale, ten times a second."""
        self.draw_on.text(
            (_MARGIN, y + _SOUND // 2 - 6), "sound" if len(self.strip.loudness) else "no sound", fill=_INK
        )
        # 1e-3 is −60 dB; digital silence has no logarithm.
        decibels = 20 * np.log10(np.maximum(self.strip.loudness, 1e-3))
        for number, level in enumerate(decibels.tolist()):
            x, high = self.x(number / 10), (1 + level / 60) * (_SOUND - 8)
            self.draw_on.line((x, y + _SOUND - 4, x, y + _SOUND - 4 - high), fill=_BARS[None])

    def axis(self, y: int) -> None:
        # At most fourteen labels, or they would overlap; 1e9 ends the search for a video of any length.
        step = next(s for s in (1, 2, 5, 10, 20, 30, 60, 120, 300, 1e9) if self.strip.duration_s / s <= 14)
        for time in np.arange(0, self.strip.duration_s, step).tolist():
            self.draw_on.line((self.x(time), y, self.x(time), y + 4), fill=_INK)
            self.draw_on.text((self.x(time) + 3, y + 3), f"{time:g} s", fill=_INK)
