"""Opening a video file so that it can do no harm and its errors tell no names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from s3harness.errors import MediaError

# Playlists and scripts (hls, concat, dash, …) would have FFmpeg open other files and addresses: none is on the list.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,asf,flv,ogg,h264,hevc,mxf,wtv,dv"
OPTIONS = {"format_whitelist": FORMATS, "protocol_whitelist": ""}

BUFFER_BYTES = 1 << 20

PIPELINE = 1
"""Raised whenever this package picks, scales or turns pictures otherwise than before: it is part of every key."""


def decoder_version() -> str:
    """What decodes: this package's own pipeline, PyAV, and FFmpeg's libraries."""
    libraries = "-".join(
        f"{name}{'.'.join(map(str, version))}" for name, version in sorted(av.library_versions.items())
    )
    return f"pipeline{PIPELINE}-av{av.__version__}-{hashlib.sha256(libraries.encode()).hexdigest()[:12]}"


@contextmanager
def open_container(file: BinaryIO) -> Iterator[InputContainer]:
    """Open a file that is already open for reading, and turn whatever FFmpeg raises into :class:`MediaError`."""
    if not file.read(1):
        raise MediaError("the file is empty")
    file.seek(0)
    try:
        container = av.open(_Nameless(file), "r", options=OPTIONS, buffer_size=BUFFER_BYTES)
    except (av.FFmpegError, OSError, ValueError, EOFError):
        raise MediaError(
            "the file is no video that can be read: it is damaged, incomplete, or of another kind"
        ) from None
    try:
        with container:
            yield container
    except av.FFmpegError as error:
        raise MediaError(f"the video cannot be decoded ({type(error).__name__})") from None


def picture_stream(container: InputContainer) -> VideoStream:
    """The video stream, to be decoded by one thread; :class:`MediaError` if there is none."""
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise MediaError("the file has no video stream")
    streams[0].codec_context.thread_count = 1
    return streams[0]


def packets(container: InputContainer, streams: Sequence[Stream]) -> Iterator[Packet[Stream]]:
    """The packets of the streams in the order of the file; damage is where the file ends."""
    try:
        yield from container.demux(streams)
    except av.FFmpegError:
        return
    except OSError as error:
        raise MediaError(f"the file cannot be read: {error.strerror}") from None


def decoded(packet: Packet[Stream]) -> list[VideoFrame | AudioFrame]:
    """The frames that a packet completes; none if it is damaged."""
    try:
        return [frame for frame in packet.decode() if isinstance(frame, VideoFrame | AudioFrame)]
    except av.FFmpegError:
        return []


class _Nameless:
    """A file without its name, which FFmpeg would put into its messages."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell
