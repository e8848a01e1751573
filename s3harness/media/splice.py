"""Cuts a span out of a video file and joins files, without encoding anew and without the notes of a recorder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.container import InputContainer

from s3harness.errors import MediaError
from s3harness.media.container import open_container, video_stream
from s3harness.media.probe import probe
from s3harness.media.remux import added_stream, is_copied

ROUNDING_S = 1e-3
"""Time stamps of a container are rounded to milliseconds at worst."""


def cut(source: Path, target: Path, start_s: float, end_s: float) -> float:
    """Copy the frames and audio from ``start_s`` to ``end_s``, and return the second at which the copy begins.

    That is the time of the last key frame at or before ``start_s``, since nothing is encoded anew. Raises
    :class:`MediaError`, and leaves no file behind then.
    """
    with _written(target) as new, source.open("rb") as file:
        begin_s = _key_frame_before(file, start_s)
        with open_container(file) as container:
            streams = _streams(new, container)
            _copy(container, streams, new, (begin_s, end_s), Fraction(0), {})
    return begin_s


def join(sources: Sequence[Path], target: Path) -> list[float]:
    """Copy the frames and audio of several files one after the other; return the second at which each begins.

    Raises :class:`MediaError` if their streams differ, and leaves no file behind then.
    """
    begins: list[float] = []
    with _written(target) as new:
        streams: dict[int, Any] = {}
        written_until: dict[int, Fraction] = {}
        at, form = Fraction(0), None
        for source in sources:
            with source.open("rb") as file, open_container(file) as container:
                if form is not None and _form(container) != form:
                    raise MediaError("the files to join have other codecs or sizes; join them with FFmpeg first")
                form = form or _form(container)
                streams = streams or _streams(new, container)
                begins.append(float(at))
                _copy(container, streams, new, (0.0, float("inf")), at, written_until)
            at += Fraction(probe(source).duration_s).limit_denominator(90_000)
    return begins


class _written:
    """The container that is written; it is deleted where the work fails, whose error is a :class:`MediaError`."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __enter__(self) -> Any:
        try:
            # Without bitexact the muxer writes its version: the same file would differ each time.
            self.container = av.open(str(self.target), "w", options={"fflags": "+bitexact"})
        except (av.FFmpegError, ValueError) as error:
            raise MediaError(f"the video cannot be copied: {error}") from None
        return self.container

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        try:
            self.container.close()
        except av.FFmpegError as closing:
            error = error or closing
        if error is None:
            return
        self.target.unlink(missing_ok=True)
        if isinstance(error, av.FFmpegError | OSError | ValueError) and not isinstance(error, MediaError):
            raise MediaError(f"the video cannot be copied: {getattr(error, 'strerror', None) or error}") from None


def _streams(new: Any, old: InputContainer) -> dict[int, Any]:
    return {stream.index: added_stream(new, stream) for stream in old.streams if is_copied(stream)}


def _form(container: InputContainer) -> list[tuple[object, ...]]:
    """Return what streams must share for their packets to follow each other."""
    return [
        (s.type, s.codec_context.name, getattr(s.codec_context, "width", 0), getattr(s.codec_context, "height", 0),
         getattr(s.codec_context, "sample_rate", 0), bytes(s.codec_context.extradata or b""))
        for s in container.streams
        if is_copied(s)
    ]  # fmt: skip


def _key_frame_before(file: BinaryIO, start_s: float) -> float:
    """Return the time of the last key frame at or before a time, 0 for the first frame."""
    # Packet by packet: in some containers (MPEG-TS, AVI) a seek lands a key frame late.
    last_s = 0.0
    with open_container(file) as container:
        for time_s, packet in _timed(container, _origin_s(container)):
            if packet.stream.type != "video":
                continue
            if time_s > start_s + ROUNDING_S:
                break
            last_s = time_s if packet.is_keyframe else last_s
    file.seek(0)
    return last_s


def _origin_s(container: InputContainer) -> float:
    stream = video_stream(container)
    return float((stream.start_time or 0) * (stream.time_base or 1))


def _timed(container: InputContainer, origin_s: float) -> Iterator[tuple[float, Any]]:
    """Yield the packets that are copied with their times in seconds from the first frame."""
    for packet in container.demux(*(stream for stream in container.streams if is_copied(stream))):
        stamp = packet.dts if packet.pts is None else packet.pts
        # Demuxing ends with an empty packet for each stream, which is there for decoders.
        if stamp is not None and packet.size:
            yield float(stamp * packet.time_base) - origin_s, packet


def _copy(
    container: InputContainer,
    streams: dict[int, Any],
    new: Any,
    span: tuple[float, float],
    at: Fraction,
    written_until: dict[int, Fraction],
) -> None:
    """Copy the packets of a span, which then begins ``at`` seconds."""
    begin_s, end_s = span
    origin_s = _origin_s(container)
    shift_s = at - Fraction(begin_s + origin_s).limit_denominator(90_000)
    for time_s, packet in _timed(container, origin_s):
        if time_s > end_s and packet.stream.type == "video" and packet.is_keyframe:
            break
        if time_s < begin_s - ROUNDING_S or (time_s > end_s and packet.stream.type != "video"):
            continue
        ticks = round(shift_s / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts + ticks
        packet.dts = None if packet.dts is None else packet.dts + ticks
        packet.stream = streams[packet.stream.index]
        _mux(new, packet, written_until)


def _mux(new: Any, packet: Any, written_until: dict[int, Fraction]) -> None:
    """Write a packet; its decoding time is moved behind that of the packet before, where it is not."""
    # The first frames of a joined file are decoded before the last ones of the file before it are shown.
    before = written_until.get(packet.stream.index)
    # Matroska states none for the first frames of a file with frames out of order.
    if before is not None and (packet.dts is None or packet.dts * packet.time_base <= before):
        packet.dts = int(before / packet.time_base) + 1
    if packet.dts is not None:
        written_until[packet.stream.index] = packet.dts * packet.time_base
        packet.pts = packet.pts if packet.pts is None else max(packet.pts, packet.dts)
    new.mux(packet)
