"""Write frames and sound into an mp4 file: H.264 and AAC, without metadata on the writer or the time."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import inf
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from s3harness_synth.voice import RATE

# Frequent keyframes keep seeks short; without B-frames pictures are stored in the order in which they are shown.
_X264_PARAMS = "keyint=50:bframes=0"
# One thread: with several, the output of x264 depends on their number, and so on the machine.
_VIDEO_OPTIONS = {"preset": "ultrafast", "threads": "1"}
_CONSTANT_QUALITY = {"crf": "24", "x264-params": _X264_PARAMS}
_AUDIO_BIT_RATE = 64_000
# An AAC frame holds this many samples, so that the encoder never has to buffer a part of one.
_AUDIO_CHUNK = 1024
_AUDIO_OPTIONS = {"aac_coder": "fast"}
# bitexact leaves out the version of FFmpeg and the time of writing: the same video has the same bytes.
_CONTAINER_OPTIONS = {"fflags": "+bitexact", "movflags": "+faststart"}


def write_mp4(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    sound: Iterable[NDArray[np.float32]] | None,
    *,
    resolution: tuple[int, int],
    fps: int,
    bit_rate: float | None = None,
) -> None:
    """Encode frames and sound as they come, in constant memory.

    ``frames`` are yuv420p, uint8, 1.5 × height × width; ``sound`` is mono, −1…1, in pieces of any length. With
    ``bit_rate`` (bits per second) every second of pictures takes as much, whatever there is to see; without it the
    quality is constant.
    """
    with av.open(str(path), "w", format="mp4", options=_CONTAINER_OPTIONS) as container:
        video = _add_video(container, resolution, fps, bit_rate)
        audio = None if sound is None else _Audio(container, sound)
        for index, pixels in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
            picture.pts, picture.time_base = index, Fraction(1, fps)
            container.mux(video.encode(picture))
            if audio is not None:
                audio.encode_until((index + 1) / fps)
        container.mux(video.encode())
        if audio is not None:
            audio.finish()


def _add_video(
    container: av.container.OutputContainer, resolution: tuple[int, int], fps: int, bit_rate: float | None
) -> av.VideoStream:
    stream = container.add_stream("libx264", rate=fps)
    stream.width, stream.height = resolution
    stream.pix_fmt = "yuv420p"
    stream.options = {**_VIDEO_OPTIONS, **(_CONSTANT_QUALITY if bit_rate is None else _constant_rate(bit_rate))}
    stream.codec_context.thread_count = 1
    stream.codec_context.time_base = Fraction(1, fps)
    return stream


def _constant_rate(bit_rate: float) -> dict[str, str]:
    """Options of x264 for a constant bit rate."""
    # nal-hrd=cbr adds filler to pictures that need fewer bits: the size of a file must tell nothing of what it shows.
    kilobits = max(1, round(bit_rate / 1000))
    return {
        "x264-params": f"{_X264_PARAMS}:nal-hrd=cbr:bitrate={kilobits}:vbv-maxrate={kilobits}:vbv-bufsize={kilobits}"
    }


class _Audio:
    """The sound's stream, encoded piece by piece so that sound and pictures lie side by side in the file."""

    def __init__(self, container: av.container.OutputContainer, sound: Iterable[NDArray[np.float32]]) -> None:
        self._container, self._pieces, self._done = container, iter(sound), 0
        self._waiting = np.zeros(0, np.float32)
        self._stream = container.add_stream("aac", rate=RATE, layout="mono", options=_AUDIO_OPTIONS)
        self._stream.bit_rate = _AUDIO_BIT_RATE

    def encode_until(self, moment: float) -> None:
        """Encode whole chunks up to ``moment`` seconds."""
        while self._done + _AUDIO_CHUNK <= moment * RATE:
            while len(self._waiting) < _AUDIO_CHUNK:
                piece = next(self._pieces, None)
                if piece is None:
                    return
                self._waiting = np.concatenate([self._waiting, piece])
            self._encode(self._waiting[:_AUDIO_CHUNK])
            self._waiting = self._waiting[_AUDIO_CHUNK:]

    def finish(self) -> None:
        """Encode the rest and flushes the encoder."""
        self.encode_until(inf)
        if len(self._waiting):
            self._encode(self._waiting)
        self._container.mux(self._stream.encode())

    def _encode(self, samples: NDArray[np.float32]) -> None:
        piece = av.AudioFrame.from_ndarray(samples[None, :], format="fltp", layout="mono")
        piece.sample_rate, piece.pts, piece.time_base = RATE, self._done, Fraction(1, RATE)
        self._done += len(samples)
        self._container.mux(self._stream.encode(piece))
