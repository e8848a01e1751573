"""Finds, from the packets of a video alone, which groups of pictures have to be decoded for some wanted times.

A group of pictures (GOP) begins with a keyframe and is decoded by itself, as if there were no other: its frames do not
depend on which others are decoded. To read over a group costs next to nothing. The frames picked must not depend on it
either: there is a plan only for a file whose packets say for certain which frames a pass over all groups would pick,
and :class:`SeekPlanFailed` is raised on the way when a group does not yield the frames that its packets announced.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import BinaryIO

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from s3harness.media.clock import Clock
from s3harness.media.container import DEFAULT, Decoding, decoded, drained, open_container, packets, video_stream
from s3harness.media.nearest_frame import NearestFramePicker

SAME_S = 1e-6
"""Times that differ by no more are equal."""

H264_IDR = 5
"""The type of a NAL unit of an instantaneous decoding refresh (ISO/IEC 14496-10, table 7-1)."""

PLAIN_FORMATS = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}
"""They keep what a decoder must know beforehand in one place, so that no group that is left out can hold it."""

Times = tuple[float, ...]


class SeekPlanFailed(Exception):
    """A group did not yield the frames that its packets announced: all groups have to be decoded."""


@dataclass(frozen=True, slots=True)
class SeekPlan:
    """The frame times of each group, in seconds from the first frame, and the indices of the groups needed.

    ``first`` is the video's first frame, which tells the size and the orientation.
    """

    first: VideoFrame
    groups: tuple[Times, ...]
    needed: frozenset[int]

    @property
    def is_whole(self) -> bool:
        """Tell whether all groups are needed."""
        return len(self.needed) == len(self.groups)

    def whole(self) -> SeekPlan:
        """Return the plan that decodes all groups, whatever they yield."""
        return replace(self, needed=frozenset(range(len(self.groups))))


def plan_seeks(
    file: BinaryIO, wanted: Collection[float], how: Decoding = DEFAULT, heartbeat: Callable[[], None] = lambda: None
) -> SeekPlan | None:
    """Read all packets of a video and decode its first frame; return ``None`` if groups may depend on each other.

    The file is left where it began.
    """
    with open_container(file, how, heartbeat) as container:
        scanned = _scan(container, how, heartbeat) if container.format.name in PLAIN_FORMATS else None
    file.seek(0)
    if scanned is None:
        return None
    first, groups = scanned
    if not _are_apart(groups):
        return None
    plan = SeekPlan(first, tuple(groups), _needed(groups, wanted))
    # A time behind the last frame may still be its own: only a decoder of the whole video knows how long it lasts.
    if any(time_s > groups[-1][-1] for time_s in wanted):
        return plan.whole()
    return plan


class SeekPlanDecoder:
    """Follows a seek plan: decodes the groups that are needed, each by itself, and reads over the others."""

    def __init__(self, plan: SeekPlan, video: VideoStream, clock: Clock) -> None:
        self._plan, self._video, self._clock = plan, video, clock
        self._group, self._last = -1, max(plan.needed, default=-1)
        self._due: Times = ()
        self._n_decoded = 0

    @property
    def is_over(self) -> bool:
        """Tell whether the last group that is needed is decoded."""
        return self._group > self._last

    def frames(self, packet: Packet[Stream]) -> Iterator[VideoFrame]:
        """Yield the frames that the next packet of the video completes."""
        is_end = packet.size == 0
        if is_end or packet.is_keyframe:
            yield from self._finish()
            self._group += 1
        if is_end:
            return
        if self._group not in self._plan.needed:
            self._clock.skip(packet)
            return
        self._due = self._plan.groups[self._group]
        yield from _video_frames(decoded(packet))

    def is_due(self, time_s: float) -> bool:
        """Tell whether a decoded frame is one that its group announced, and count it: damage makes others.

        Raises :class:`SeekPlanFailed` if it is not the next of them, unless all groups are decoded.
        """
        at = bisect_left(self._due, time_s - SAME_S)
        is_announced = at < len(self._due) and self._due[at] <= time_s + SAME_S
        if not self._plan.is_whole and (at != self._n_decoded or not is_announced):
            raise SeekPlanFailed
        self._n_decoded += is_announced
        return is_announced

    def _finish(self) -> Iterator[VideoFrame]:
        """Yield the last frames of a group, which must then have yielded all, unless all groups are decoded."""
        if not self._due:
            return
        yield from _video_frames(drained(self._video))
        if self._n_decoded != len(self._due) and not self._plan.is_whole:
            raise SeekPlanFailed
        self._due, self._n_decoded = (), 0
        # A drained decoder takes no more packets until it is flushed.
        self._video.codec_context.flush_buffers()


def _scan(
    container: InputContainer, how: Decoding, heartbeat: Callable[[], None]
) -> tuple[VideoFrame, list[Times]] | None:
    """Return the first frame and the times of each group's frames; ``None`` if the packets do not tell them."""
    video = video_stream(container, how)
    if video.start_time is None:
        return None
    clock, groups = Clock(video), list[list[float]]()
    first: VideoFrame | None = None
    for packet in packets(container, [video], heartbeat):
        # PyAV ends the packets with an empty one, which drains the decoder.
        if packet.size == 0:
            continue
        if packet.is_keyframe:
            if not _is_random_access(packet, video):
                return None
            groups.append([])
            first = first or next(_video_frames(decoded(packet) + drained(video)), None)
        time_s = clock.skip(packet)
        # New parameters in a later group would be missed by a pass that leaves the group out.
        has_new_parameters = len(groups) > 1 and packet.has_sidedata("new_extradata")
        if first is None or time_s is None or packet.pts is None or packet.is_corrupt or has_new_parameters:
            return None
        groups[-1].append(time_s)
    # The keyframe stays first: _are_apart then refuses groups with a frame shown before it.
    return (first, [(group[0], *sorted(group[1:])) for group in groups]) if first else None


def _is_random_access(packet: Packet[Stream], video: VideoStream) -> bool:
    """Tell whether no frame after a keyframe can need one before it.

    In H.264 that is so of an instantaneous decoding refresh alone, and files mark others as keyframes as well: see
    ISO/IEC 14496-10, 7.4.1.2.4, and 14496-15, 5.3.3, for how its packets are divided into units.
    """
    if video.codec_context.name != "h264":
        return True
    extradata, data = video.codec_context.extradata or b"", bytes(packet)
    # Version 1 of the decoder configuration record; anything else is the byte stream format, without lengths.
    if len(extradata) < 5 or extradata[0] != 1:
        return False
    width, at = (extradata[4] & 3) + 1, 0
    while at + width < len(data):
        if data[at + width] & 31 == H264_IDR:
            return True
        at += width + int.from_bytes(data[at : at + width])
    return False


def _are_apart(groups: Sequence[Times]) -> bool:
    """Tell whether no frame comes before the first of its group, and no group before the end of another."""
    return all(earlier < later for earlier, later in pairwise(time_s for group in groups for time_s in group))


def _needed(groups: Sequence[Times], wanted: Collection[float]) -> frozenset[int]:
    """Return the indices of the groups that hold the frames nearest to the wanted times.

    Among the frames of these groups alone the nearest ones are the same: leaving others out moves none nearer.
    """
    picker: NearestFramePicker[int] = NearestFramePicker(wanted)
    picks = [picker.push(index, time_s) for index, group in enumerate(groups) for time_s in group]
    picks.append(picker.finish(groups[-1][-1]))
    return frozenset(pick.frame for pick in picks if pick)


def _video_frames(frames: Sequence[object]) -> Iterator[VideoFrame]:
    return (frame for frame in frames if isinstance(frame, VideoFrame))
