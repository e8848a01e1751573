"""Duration, size, rate and codec of a video file, from its data rather than from its header."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from s3harness.errors import MediaError

if TYPE_CHECKING:
    from av.container import InputContainer


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoInfo:
    """A video file.

    ``duration_s`` runs from the first frame to the end of the last; ``fps`` is the mean number of frames a second.
    ``width`` and ``height`` are upright and in square pixels; ``rotation`` is the clockwise turn in degrees (0, 90, 180
    or 270) that makes a stored frame upright.
    """

    duration_s: float
    fps: float
    width: int
    height: int
    rotation: int
    has_audio: bool
    codec: str


def probe(path: Path) -> VideoInfo:
    """Read a video's packets, and decode one frame. Raises :class:`MediaError`, which names no path."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise MediaError(f"the file cannot be read: {error.strerror}") from None
    with file:
        return measure(file)


def measure(file: BinaryIO, heartbeat: Callable[[], None] = lambda: None) -> VideoInfo:
    """Measure an open file as :func:`probe` does; ``heartbeat`` is called again and again."""
    from s3harness.media.container import open_container

    with open_container(file, heartbeat=heartbeat) as container:
        return _describe(container, heartbeat)


def _describe(container: InputContainer, heartbeat: Callable[[], None]) -> VideoInfo:
    from av.video.frame import VideoFrame

    from s3harness.media.clock import Clock
    from s3harness.media.container import audio_streams, decoded, packets, video_stream
    from s3harness.media.decode import upright_size

    video = video_stream(container)
    clock, first = Clock(video), None
    for packet in packets(container, [video], heartbeat):
        # The display matrix and the real size come with a decoded frame; one is enough.
        if first is None:
            first = next(iter(decoded(packet)), None)
        clock.skip(packet)
    if not isinstance(first, VideoFrame):
        raise MediaError("no frame of the video can be decoded")
    turn, size = upright_size(first, video)
    return VideoInfo(
        duration_s=clock.end_s,
        fps=clock.fps,
        width=size.width,
        height=size.height,
        rotation=turn.rotation,
        has_audio=bool(audio_streams(container)),
        codec=video.codec_context.name,
    )
