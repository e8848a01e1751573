"""Encodes a clip as JPEG files, or as a small MP4 file, for engines that take no raw frames."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from s3harness.errors import MediaError
from s3harness.media.frames import Frames, Jpegs, Samples

TICKS_PER_S = 90_000
"""The usual time base of video: a whole number of ticks for 24, 25 and 30 frames a second."""
TICK_STEP = TICKS_PER_S // 1000
AUDIO_BLOCK = 1024
"""Samples in a frame of AAC."""
ENCODING = {"crf": "18", "preset": "veryfast"}
"""Options of x264: a quality close to visually lossless, at one of its fast presets."""
NO_METADATA = {"fflags": "+bitexact"}
"""Leaves out the name of the writing program and the time of writing: equal clips give equal bytes."""


def encode_jpegs(frames: Frames, quality: int) -> Jpegs:
    """Encode each frame as a JPEG file without metadata; a frame that repeats is encoded once."""
    from PIL import Image

    images: list[bytes] = []
    for i, pixels in enumerate(frames.pixels):
        # Equal times are not enough: a transform that reorders frames leaves the times as they are.
        if i and frames.timestamps[i] == frames.timestamps[i - 1] and np.array_equal(pixels, frames.pixels[i - 1]):
            images.append(images[-1])
            continue
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "JPEG", quality=quality)
        images.append(out.getvalue())
    return Jpegs(tuple(images), frames.timestamps)


def encode_mp4(frames: Frames, start_s: float, end_s: float, audio: tuple[Samples, int] | None = None) -> bytes:
    """Encode ``frames`` at their times, counted from ``start_s``, as H.264, and ``audio`` (samples, rate) as AAC.

    The last frame lasts until ``end_s``. A frame no later than the one before it is put a millisecond behind it.
    """
    if not frames.timestamps:
        raise MediaError("the clip has no frames to make a video of")
    out = io.BytesIO()
    with av.open(out, "w", format="mp4", options=NO_METADATA) as container:
        packets = _encode_frames(container, frames, start_s, end_s)
        if audio is not None:
            packets += _encode_audio(container, *audio)
        # In the order of decoding: the muxer holds packets back until those of the other stream have caught up.
        container.mux(sorted(packets, key=_due))
    return out.getvalue()


def _encode_frames(container: OutputContainer, frames: Frames, start_s: float, end_s: float) -> list[Packet[Stream]]:
    _, height, width, _ = frames.pixels.shape
    mean_rate = Fraction(len(frames.timestamps) / (end_s - start_s)).limit_denominator(1000)
    stream = container.add_stream("libx264", rate=mean_rate, options=ENCODING)
    stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
    stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
    # One thread: the bytes of x264 depend on the number of threads, which would be that of the machine's cores.
    stream.codec_context.thread_count = 1
    packets: list[Packet[Stream]] = []
    ticks = _ticks(frames.timestamps, start_s)
    for pixels, pts in zip(frames.pixels, ticks, strict=True):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = pts, Fraction(1, TICKS_PER_S)
        packets += stream.encode(frame)
    packets += stream.encode(None)
    # The MP4 muxer takes the duration of the last packet from the packet alone.
    until = dict(pairwise([*ticks, max(ticks[-1] + TICK_STEP, round((end_s - start_s) * TICKS_PER_S))]))
    for packet in packets:
        assert packet.pts is not None
        packet.duration = until[packet.pts] - packet.pts
    return packets


def _encode_audio(container: OutputContainer, samples: Samples, rate: int) -> list[Packet[Stream]]:
    stream = container.add_stream("aac", rate=rate, layout="mono")
    packets: list[Packet[Stream]] = []
    for first in range(0, len(samples), AUDIO_BLOCK):
        block = np.ascontiguousarray(samples[first : first + AUDIO_BLOCK].reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def _ticks(timestamps: Sequence[float], start_s: float) -> list[int]:
    """Return the frames' times from the clip's start in ticks, each later than the one before."""
    ticks: list[int] = []
    for time_s in timestamps:
        earliest = ticks[-1] + TICK_STEP if ticks else 0
        ticks.append(max(earliest, round((time_s - start_s) * TICKS_PER_S)))
    return ticks


def _due(packet: Packet[Stream]) -> float:
    assert packet.dts is not None
    return float(packet.dts * packet.time_base)
