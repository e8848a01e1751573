"""Makes small real videos whose pictures say which one they are.

The number of a picture is written into it as eight upright stripes, black or white, one for each bit; the top left
corner is red and the bottom right one green, so that a picture that is turned or mirrored is seen to be.
"""

import struct
from fractions import Fraction

import av
import numpy as np

from s3harness.types import Clip

BITS = 8
FPS = 10
RED, GREEN = (220, 30, 30), (30, 220, 30)


def picture(number, width=160, height=96):
    stripes = np.array([255 * (number >> bit & 1) for bit in range(BITS)], np.uint8)
    pixels = np.repeat(stripes[np.arange(width) * BITS // width][None, :, None], height, 0).repeat(3, 2)
    corner = pixels[: height // 4, : width // 4], pixels[-(height // 4) :, -(width // 4) :]
    corner[0][:], corner[1][:] = RED, GREEN
    return pixels


def number(pixels):
    """Which picture this is, read from the middle of each stripe."""
    row = pixels[pixels.shape[0] // 2].mean(-1)
    middles = ((np.arange(BITS) + 0.5) * len(row) / BITS).astype(int)
    return sum(1 << bit for bit, at in enumerate(middles) if row[at] > 127)


def is_upright(pixels):
    def near(pixel, colour):
        return np.abs(pixel.astype(int) - colour).max() < 60

    h, w, _ = pixels.shape
    return near(pixels[h // 8, w // 8], RED) and near(pixels[-h // 8, -w // 8], GREEN)


def write_video(
    path,
    *,
    n=30,
    fps=FPS,
    times=None,
    size=(160, 96),
    pix_fmt="yuv420p",
    codec="libx264",
    options=None,
    muxing=None,
    turn=None,
    sound=None,
    shift_s=0.0,
    sound_shift_s=0.0,
):
    """Write pictures 0 … n-1 at ``fps``, or at ``times``, in seconds.

    ``turn`` is (transpose, mirror x, mirror y), what a player has to do to see the picture upright; ``sound`` is an
    array of channels × samples at 48 kHz.
    """
    times = [i / fps for i in range(n)] if times is None else times
    with av.open(str(path), "w", options=muxing or {}) as container:
        video = container.add_stream(codec, rate=fps, options=options if options is not None else {"crf": "12"})
        stored = size[::-1] if turn and turn[0] else size
        video.width, video.height, video.pix_fmt = *stored, pix_fmt
        video.codec_context.time_base = Fraction(1, 1000) if codec == "libx264" else Fraction(1, fps)
        if turn:
            video.set_display_matrix(display_matrix(*turn))
        packets = []
        for i, at in enumerate(times):
            frame = av.VideoFrame.from_ndarray(_stored(picture(i, *size), turn), format="rgb24")
            frame.pts = round((at + shift_s) / video.codec_context.time_base)
            frame.time_base = video.codec_context.time_base
            packets += video.encode(frame)
        packets += video.encode(None)
        if sound is not None:
            packets += _encode_sound(container, sound, sound_shift_s)
        for packet in sorted(packets, key=lambda p: float(p.dts * p.time_base)):
            container.mux(packet)
    return path


def display_matrix(transpose, mirror_x, mirror_y):
    x, y = (-1 if mirror_x else 1), (-1 if mirror_y else 1)
    a, b, c, d = (0, y, x, 0) if transpose else (x, 0, 0, y)
    return [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30]


def make_clip(video, start_s=0.0, end_s=4.0, fps=2.0, max_pixels=8000, audio=False, times=None):
    if times is None:
        times = tuple(start_s + i / fps for i in range(int((end_s - start_s) * fps)))
    return Clip(video.id, start_s, end_s, tuple(times), max_pixels, audio=audio)


def beeps(seconds, at, rate=48_000, channels=1, beep_s=0.1):
    """Silence with a 1 kHz tone of amplitude 0.5 at each of the given times."""
    t = np.arange(int(seconds * rate)) / rate
    heard = sum(((t >= start) & (t < start + beep_s)).astype(float) for start in at)
    return np.tile((0.5 * np.sin(2 * np.pi * 1000 * t) * heard).astype(np.float32), (channels, 1))


def beep_starts(samples, rate):
    """Where tones start, in seconds."""
    loud = np.abs(samples) > 0.2
    heard = np.flatnonzero(loud)
    firsts = heard[np.flatnonzero(np.diff(heard, prepend=-rate) > rate // 20)]
    return [float(first / rate) for first in firsts]


def boxes(data, start=0, end=None):
    """(type, first byte, last byte) of the boxes of an MP4 file."""
    found, at = [], start
    while at < (len(data) if end is None else end):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        found.append((kind.decode(), at, at + length))
        at += length
    return found


def with_durations(data, factor):
    """An MP4 file whose header says it is ``factor`` times as long as it is."""
    out = bytearray(data)
    for kind, offset in ((b"mvhd", 20), (b"mdhd", 20), (b"tkhd", 24)):
        at = data.find(kind)
        while at >= 0:
            field = at + offset
            (value,) = struct.unpack_from(">I", data, field)
            struct.pack_into(">I", out, field, int(value * factor))
            at = data.find(kind, at + 4)
    return bytes(out)


def _encode_sound(container, sound, shift_s):
    layout = "mono" if len(sound) == 1 else "stereo"
    stream = container.add_stream("aac", rate=48_000, layout=layout)
    stream.bit_rate = 128_000
    packets = []
    for first in range(0, sound.shape[1], 1024):
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(sound[:, first : first + 1024]), format="fltp", layout=layout
        )
        frame.sample_rate, frame.time_base = 48_000, Fraction(1, 48_000)
        frame.pts = first + round(shift_s * 48_000)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def _stored(pixels, turn):
    if not turn:
        return pixels
    transpose, mirror_x, mirror_y = turn
    pixels = pixels[:: -1 if mirror_y else 1, :: -1 if mirror_x else 1]
    return np.ascontiguousarray(pixels.swapaxes(0, 1) if transpose else pixels)
