"""Copies of videos that a browser plays: H.264 and AAC in MP4, upright, without metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from s3harness.errors import MediaError
from s3harness.media.decode import decode
from s3harness.media.frames import RATE, AudioChunk, DecodedFrame, EndOfPass, Samples, StreamInfo
from s3harness.media.probe import VideoInfo, probe

PLAYED = {".mp4": {"h264"}, ".m4v": {"h264"}, ".webm": {"vp8", "vp9", "av1"}}
"""Ending of a file → the video codecs that Chromium and Firefox play in such a container."""
MOST_PIXELS = 640 * 480
MOST_FPS = 30.0
TICKS_PER_S = 90_000
AUDIO_BLOCK = 1024
"""Samples in a frame of AAC."""
ENCODING = {"crf": "23", "preset": "veryfast"}
# faststart puts the index before the data, so that a browser can seek before it has the whole file.
CONTAINER = {"fflags": "+bitexact", "movflags": "+faststart"}


def plays_in_browsers(path: Path) -> bool:
    """Return whether browsers play a video file as it is, by its ending and codec. Raises :class:`MediaError`."""
    return path.suffix.lower() in PLAYED and probe(path).codec in PLAYED[path.suffix.lower()]


def write_browser_copy(source: Path, target: Path, heartbeat: Callable[[], None] = lambda: None) -> None:
    """Write a copy of a video that browsers play, of at most 640 × 480 pixels and 30 frames a second.

    Frames and audio are encoded while they are decoded; none but those at hand are in memory. Times stay those of the
    source. ``heartbeat`` is called again and again, and may raise to end the work. Raises :class:`MediaError`, and
    leaves no file behind then.
    """
    info = probe(source)
    fps = min(info.fps, MOST_FPS) or MOST_FPS
    times = frozenset(number / fps for number in range(max(1, round(info.duration_s * fps))))
    try:
        with source.open("rb") as file, av.open(str(target), "w", format="mp4", options=CONTAINER) as container:
            writer = _Writer(container, fps, has_audio=info.has_audio)
            for item in decode(file, {MOST_PIXELS: times}, info.has_audio, heartbeat=heartbeat):
                writer.write(item)
            writer.finish(info)
    except (av.FFmpegError, OSError, ValueError) as error:
        target.unlink(missing_ok=True)
        raise MediaError(f"the video cannot be encoded for a browser: {getattr(error, 'strerror', error)}") from None
    except BaseException:
        target.unlink(missing_ok=True)
        raise


class _Writer:
    """The open file: its streams are made with the first frame, which has their size."""

    def __init__(self, container: Any, fps: float, *, has_audio: bool) -> None:
        self._container, self._fps = container, Fraction(fps).limit_denominator(1000)
        self._video: Any = None
        self._audio: Any = container.add_stream("aac", rate=RATE, layout="mono") if has_audio else None
        self._samples: Samples = np.zeros(0, np.float32)
        self._heard, self._last = 0, -1

    def write(self, item: StreamInfo | DecodedFrame | AudioChunk | EndOfPass) -> None:
        """Encode one decoded item."""
        if isinstance(item, DecodedFrame):
            self._container.mux(list(self._frames(item)))
        elif isinstance(item, AudioChunk) and self._audio is not None:
            self._samples = np.concatenate([self._samples, item.samples])
            self._container.mux(list(self._blocks()))

    def finish(self, info: VideoInfo) -> None:
        """Encode what is left; raise :class:`MediaError` if there was no frame."""
        if self._video is None:
            raise MediaError(f"no frame of the video can be decoded (codec {info.codec})")
        self._container.mux(self._video.encode(None))
        if self._audio is not None:
            self._container.mux(list(self._blocks(is_last=True)))
            self._container.mux(self._audio.encode(None))

    def _frames(self, item: DecodedFrame) -> Iterator[Any]:
        # H.264 in 4:2:0 takes even sizes alone: an odd row or column at the edge is cut off.
        pixels = np.ascontiguousarray(item.pixels[: item.pixels.shape[0] // 2 * 2, : item.pixels.shape[1] // 2 * 2])
        if self._video is None:
            self._video = self._container.add_stream("libx264", rate=self._fps, options=ENCODING)
            self._video.height, self._video.width, self._video.pix_fmt = *pixels.shape[:2], "yuv420p"
            self._video.codec_context.time_base = Fraction(1, TICKS_PER_S)
        for time_s in item.wanted:
            ticks = round(time_s * TICKS_PER_S)
            # A file that begins anew yields its first frames twice; the encoder takes ascending times alone.
            if ticks <= self._last:
                continue
            self._last = ticks
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = ticks, Fraction(1, TICKS_PER_S)
            yield from self._video.encode(frame)

    def _blocks(self, *, is_last: bool = False) -> Iterator[Any]:
        size = len(self._samples) if is_last else len(self._samples) // AUDIO_BLOCK * AUDIO_BLOCK
        for first in range(0, size, AUDIO_BLOCK):
            block = np.ascontiguousarray(self._samples[first : min(first + AUDIO_BLOCK, size)].reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, self._heard, Fraction(1, RATE)
            self._heard += block.shape[1]
            yield from self._audio.encode(frame)
        self._samples = self._samples[size:]
