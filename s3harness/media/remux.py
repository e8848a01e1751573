"""Copies video files without the notes of a camera or recorder: titles, dates, places, serial numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition

from s3harness.errors import MediaError
from s3harness.media.container import open_container

COPIED = ("video", "audio")
"""Kinds of streams that are copied. Time codes are times of day, and subtitles and attachments may hold names."""


def copy_without_metadata(source: Path, target: Path) -> None:
    """Copy the encoded frames and audio of a video file into a new one, and nothing else.

    Nothing is encoded anew: every packet stays as it is, with its time. The ending of ``target`` decides the container.
    Text that is visible or audible is copied with them, and so are the notes of an encoder inside its packets. Raises
    :class:`MediaError` for a file that cannot be read, or whose streams the container does not take.
    """
    try:
        # The guarded opening: a playlist that calls itself a video would have FFmpeg open files and addresses.
        with source.open("rb") as file, open_container(file) as container:
            _copy_packets(container, target)
    except (MediaError, OSError) as error:
        target.unlink(missing_ok=True)
        reason = str(error) if isinstance(error, MediaError) else error.strerror
        raise MediaError(f"the video cannot be copied without its metadata: {reason}") from None


def _copy_packets(old: InputContainer, target: Path) -> None:
    try:
        # Without bitexact the muxer writes its version, and Matroska a random id: the same file would differ each time.
        with av.open(str(target), "w", options={"fflags": "+bitexact"}) as new:
            streams = {stream.index: added_stream(new, stream) for stream in old.streams if is_copied(stream)}
            if not streams:
                raise MediaError("it has neither frames nor audio")
            for packet in old.demux(*(old.streams[index] for index in streams)):
                # Demuxing ends with an empty packet for each stream, which is there for decoders.
                if packet.dts is None and packet.size == 0:
                    continue
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(getattr(error, "strerror", None) or str(error)) from None


def is_copied(stream: Any) -> bool:
    """Return whether a stream is copied: frames and audio, and no cover picture."""
    # A cover picture counts as a video stream; it may show a name.
    return stream.type in COPIED and not stream.disposition & Disposition.attached_pic


def added_stream(container: Any, template: Any) -> Any:
    """Add a stream like another to a container that is written, and return it."""
    stream = container.add_stream_from_template(template)
    stream.metadata.clear()
    return stream
