"""Opens a video file so that it can do no harm, and so that no error names the file."""

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
"""Bytes read at a time. Where audio and frames lie far apart in a file, most of a larger block is read in vain."""

PIPELINE = 1
"""To be raised whenever this package picks, scales or turns frames otherwise than before: it is part of every key."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """Number of threads that decode (0: FFmpeg's choice), and name of the hardware decoder, empty for software."""

    threads: int = 1
    hwaccel: str = ""


DEFAULT = Decoding()


def decoder_version(how: Decoding = DEFAULT) -> str:
    """Version of all that decodes: this package's pipeline, PyAV, FFmpeg's libraries, and the hardware if any."""
    libraries = "-".join(f"{name}{version}" for name, version in _libraries().items())
    hardware = f"-{how.hwaccel}" if how.hwaccel else ""
    return f"pipeline{PIPELINE}-av{av.__version__}-{hashlib.sha256(libraries.encode()).hexdigest()[:12]}{hardware}"


def describe_decoder(how: Decoding = DEFAULT) -> dict[str, object]:
    """Return the version of the decoder in parts, for people to read."""
    hardware = {"hardware": how.hwaccel} if how.hwaccel else {}
    return {"version": decoder_version(how), "av": av.__version__, "ffmpeg": _libraries(), **hardware}


@contextmanager
def open_container(
    file: BinaryIO, how: Decoding = DEFAULT, heartbeat: Callable[[], None] = lambda: None
) -> Iterator[InputContainer]:
    """Open the container in ``file``, which is open for reading; turn whatever FFmpeg raises into :class:`MediaError`.

    ``heartbeat`` is called whenever some of the file has been read.
    """
    # FFmpeg's own error of an empty file is that of a damaged one.
    if not file.read(1):
        raise MediaError("the file is empty")
    file.seek(0)
    nameless = _Nameless(file, heartbeat)
    # "from None" here and below: FFmpeg's own text can hold what a file says of itself.
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
    """Return the video stream, set up to be decoded as ``how`` says; :class:`MediaError` if there is none."""
    # A cover picture counts as a video stream of one frame.
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise MediaError("the file has no video stream")
    if not _is_known(streams[0]):
        raise MediaError("this FFmpeg has no decoder for the video")
    streams[0].codec_context.thread_count = how.threads
    streams[0].codec_context.thread_type = "AUTO"
    return streams[0]


def audio_streams(container: InputContainer) -> list[AudioStream]:
    """Return the audio stream that a player would choose, in a list: the first that can be decoded; none if empty."""
    return [stream for stream in container.streams.audio if _is_known(stream)][:1]


def packets(
    container: InputContainer, streams: Sequence[Stream], heartbeat: Callable[[], None] = lambda: None
) -> Iterator[Packet[Stream]]:
    """Yield the packets of the streams in the order of the file; at damage the file is taken to end."""
    # A demuxer that knows what is not needed need not hand it over.
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
    """Return the frames that a packet completes; none if it is damaged."""
    try:
        return [frame for frame in packet.decode() if isinstance(frame, VideoFrame | AudioFrame)]
    except av.FFmpegError:
        return []


def drained(video: VideoStream) -> list[VideoFrame | AudioFrame]:
    """Return the frames that the decoder still holds; afterwards the decoder has to be flushed to go on."""
    end: Packet[Stream] = Packet()
    end.stream, end.time_base = video, video.time_base or Fraction(1)
    return decoded(end)


def _is_known(stream: Stream) -> bool:
    """Tell whether FFmpeg has a decoder for a stream."""
    # A stream without a decoder has no context, whatever the type annotation of PyAV 18 says.
    return getattr(stream, "codec_context", None) is not None


def _libraries() -> dict[str, str]:
    return {name: ".".join(map(str, version)) for name, version in sorted(av.library_versions.items())}


def _hardware(name: str) -> HWAccel | None:
    """Return the hardware decoder of a name; software decodes what the hardware cannot."""
    if not name:
        return None
    if name not in hwdevices_available():
        known = ", ".join(hwdevices_available()) or "none"
        raise MediaError(f"this FFmpeg has no hardware decoder {name!r}; it has {known} (--media hwaccel=…)")
    return HWAccel(name, allow_software_fallback=True)


class _Nameless:
    """A file without its name, which PyAV would hand to FFmpeg, and FFmpeg put into its messages."""

    def __init__(self, file: BinaryIO, heartbeat: Callable[[], None]) -> None:
        self._file, self._heartbeat = file, heartbeat
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        """Read, and signal that there was something to read."""
        data = self._file.read(size)
        self._heartbeat()
        return data
