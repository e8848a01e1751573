"""Opening a video file so that it can do no harm and its errors tell no names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from s3harness.errors import MediaError

# Playlists and scripts (hls, concat, dash, …) would have FFmpeg open other files and addresses: none is on the list.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,asf,flv,ogg,h264,hevc,mxf,wtv,dv"
OPTIONS = {"format_whitelist": FORMATS, "protocol_whitelist": ""}

BUFFER_BYTES = 1 << 16
"""Read at a time. Where sound and pictures lie far apart in a file, most of what is read at a time is read in vain."""

PIPELINE = 1
"""Raised whenever this package picks, scales or turns pictures otherwise than before: it is part of every key."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """How pictures are decoded: by how many threads (0: FFmpeg's choice), and by which hardware, if by any."""

    threads: int = 1
    hwaccel: str = ""


DEFAULT = Decoding()


def decoder_version(how: Decoding = DEFAULT) -> str:
    """What decodes: this package's own pipeline, PyAV, FFmpeg's libraries, and the hardware where it is asked for."""
    libraries = "-".join(f"{name}{version}" for name, version in _libraries().items())
    hardware = f"-{how.hwaccel}" if how.hwaccel else ""
    return f"pipeline{PIPELINE}-av{av.__version__}-{hashlib.sha256(libraries.encode()).hexdigest()[:12]}{hardware}"


def describe_decoder(how: Decoding = DEFAULT) -> dict[str, object]:
    """The same for people to read."""
    hardware = {"hardware": how.hwaccel} if how.hwaccel else {}
    return {"version": decoder_version(how), "av": av.__version__, "ffmpeg": _libraries(), **hardware}


@contextmanager
def open_container(
    file: BinaryIO, how: Decoding = DEFAULT, heartbeat: Callable[[], None] = lambda: None
) -> Iterator[InputContainer]:
    """Open a file that is already open for reading, and turn whatever FFmpeg raises into :class:`MediaError`.

    ``beat`` is called whenever some of the file has been read.
    """
    if not file.read(1):
        raise MediaError("the file is empty")
    file.seek(0)
    nameless = _Nameless(file, heartbeat)
    try:
        container = av.open(nameless, "r", options=OPTIONS, buffer_size=BUFFER_BYTES, hwaccel=_hardware(how.hwaccel))
    except (av.FFmpegError, OSError, ValueError, EOFError):
        raise MediaError("the file is not a readable video: it is damaged, incomplete, or of another kind") from None
    try:
        with container:
            yield container
    except av.FFmpegError as error:
        raise MediaError(f"the video cannot be decoded ({type(error).__name__})") from None


def video_stream(container: InputContainer, how: Decoding = DEFAULT) -> VideoStream:
    """The video stream, to be decoded as is said; :class:`MediaError` if there is none."""
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise MediaError("the file has no video stream")
    if not _is_known(streams[0]):
        raise MediaError("this FFmpeg has no decoder for the video")
    streams[0].codec_context.thread_count = how.threads
    streams[0].codec_context.thread_type = "AUTO"
    return streams[0]


def audio_streams(container: InputContainer) -> list[AudioStream]:
    """The sound that is heard, if there is any: the first stream of it that can be decoded."""
    return [stream for stream in container.streams.audio if _is_known(stream)][:1]


def packets(
    container: InputContainer, streams: Sequence[Stream], heartbeat: Callable[[], None] = lambda: None
) -> Iterator[Packet[Stream]]:
    """The packets of the streams in the order of the file; damage is where the file ends."""
    for stream in container.streams:
        if stream not in streams and hasattr(stream, "discard"):
            stream.discard = Discard.all
    try:
        for packet in container.demux(streams):
            heartbeat()
            yield packet
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


def drained(video: VideoStream) -> list[VideoFrame | AudioFrame]:
    """The frames that the decoder still holds; after it, the decoder has to be flushed to go on."""
    end: Packet[Stream] = Packet()
    end.stream, end.time_base = video, video.time_base or Fraction(1)
    return decoded(end)


def _is_known(stream: Stream) -> bool:
    """Whether there is a decoder; a stream without one has no context, whatever its annotation says."""
    return getattr(stream, "codec_context", None) is not None


def _libraries() -> dict[str, str]:
    return {name: ".".join(map(str, version)) for name, version in sorted(av.library_versions.items())}


def _hardware(name: str) -> HWAccel | None:
    """The hardware decoder of a name; what it cannot decode, software does."""
    if not name:
        return None
    if name not in hwdevices_available():
        known = ", ".join(hwdevices_available()) or "none"
        raise MediaError(f"this FFmpeg has no hardware decoder {name!r}; it has {known} (--media hwaccel=…)")
    return HWAccel(name, allow_software_fallback=True)


class _Nameless:
    """A file without its name, which FFmpeg would put into its messages."""

    def __init__(self, file: BinaryIO, heartbeat: Callable[[], None]) -> None:
        self._file, self._heartbeat = file, heartbeat
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        """Read, and say that there was something to read."""
        data = self._file.read(size)
        self._heartbeat()
        return data
