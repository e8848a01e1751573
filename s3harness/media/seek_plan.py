"""Which groups of pictures of a video have to be decoded for some wanted times, told from its packets alone.

A group begins with a key picture and is decoded by itself, as if there were no other: what comes of it does not depend
on which others are decoded. To read over a group costs next to nothing. What is picked must not depend on it either:
there is a route only through a file whose packets say for certain what a pass over all groups would pick, and
:class:`Detour` is raised on the way when a group does not give what they said.
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
"""The type of a unit of an instantaneous decoding refresh."""

PLAIN_FORMATS = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}
"""They keep what a decoder must know beforehand in one place, so that no group that is left out can hold it."""

Times = tuple[float, ...]


class SeekPlanFailed(Exception):
    """A group did not give the pictures that its packets said: all groups have to be decoded."""


@dataclass(frozen=True, slots=True)
class SeekPlan:
    """The times of the pictures of each group, in seconds from the first picture, and the numbers of those needed.

    ``first`` is the video's first picture, which says how large it is and which way up.
    """

    first: VideoFrame
    groups: tuple[Times, ...]
    needed: frozenset[int]

    @property
    def is_whole(self) -> bool:
        """Whether all groups are needed."""
        return len(self.needed) == len(self.groups)

    def whole(self) -> SeekPlan:
        """The route through all groups, whatever they give."""
        return replace(self, needed=frozenset(range(len(self.groups))))


def plan_seeks(
    file: BinaryIO, wanted: Collection[float], how: Decoding = DEFAULT, heartbeat: Callable[[], None] = lambda: None
) -> SeekPlan | None:
    """Read all packets of a video and decode its first picture; ``None`` if its groups are not apart for certain.

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
    if any(time_s > groups[-1][-1] for time_s in wanted):
        return plan.whole()  # only who has decoded the last picture knows until when it stands
    return plan


class SeekPlanDecoder:
    """Follows a route: decodes the groups that are needed, each by itself, and reads over the others."""

    def __init__(self, plan: SeekPlan, video: VideoStream, clock: Clock) -> None:
        self._plan, self._video, self._clock = plan, video, clock
        self._group, self._last = -1, max(plan.needed, default=-1)
        self._due: Times = ()
        self._came = 0

    @property
    def is_over(self) -> bool:
        """Whether the last group that is needed is behind."""
        return self._group > self._last

    def pictures(self, packet: Packet[Stream]) -> Iterator[VideoFrame]:
        """The pictures that the next packet of the video completes."""
        is_end = packet.size == 0
        if is_end or packet.is_keyframe:
            yield from self._finish()
            self._group += 1
        if is_end:
            return
        if self._group not in self._plan.needed:
            self._clock.pass_over(packet)
            return
        self._due = self._plan.groups[self._group]
        yield from _pictures(decoded(packet))

    def is_due(self, time_s: float) -> bool:
        """Whether a picture is one of its group: damage makes others. :class:`Detour` if it is not the next of them."""
        at = bisect_left(self._due, time_s - SAME_S)
        is_known = at < len(self._due) and self._due[at] <= time_s + SAME_S
        if not self._plan.is_whole and (at != self._came or not is_known):
            raise SeekPlanFailed
        self._came += is_known
        return is_known

    def _finish(self) -> Iterator[VideoFrame]:
        """The last pictures of a group, which must then have given all of them, unless all groups are decoded."""
        if not self._due:
            return
        yield from _pictures(drained(self._video))
        if self._came != len(self._due) and not self._plan.is_whole:
            raise SeekPlanFailed
        self._due, self._came = (), 0
        self._video.codec_context.flush_buffers()


def _scan(
    container: InputContainer, how: Decoding, heartbeat: Callable[[], None]
) -> tuple[VideoFrame, list[Times]] | None:
    """The first picture, and the times of each group's pictures; ``None`` if the packets do not tell them."""
    video = video_stream(container, how)
    if video.start_time is None:
        return None
    clock, groups = Clock(video), list[list[float]]()
    first: VideoFrame | None = None
    for packet in packets(container, [video], heartbeat):
        if packet.size == 0:
            continue  # the end
        if packet.is_keyframe:
            if not _starts_anew(packet, video):
                return None
            groups.append([])
            first = first or next(_pictures(decoded(packet) + drained(video)), None)
        time_s = clock.pass_over(packet)
        is_new = len(groups) > 1 and packet.has_sidedata("new_extradata")
        if first is None or time_s is None or packet.pts is None or packet.is_corrupt or is_new:
            return None
        groups[-1].append(time_s)
    return (first, [(group[0], *sorted(group[1:])) for group in groups]) if first else None


def _starts_anew(packet: Packet[Stream], video: VideoStream) -> bool:
    """Whether no picture after a key picture can need one before it.

    In H.264 that is so of an instantaneous decoding refresh alone, and files mark others as keys as well: see ISO/IEC
    14496-10, 7.4.1.2.4, and 14496-15, 5.3.3, for how its packets are divided into units.
    """
    if video.codec_context.name != "h264":
        return True
    about, data = video.codec_context.extradata or b"", bytes(packet)
    if len(about) < 5 or about[0] != 1:
        return False
    width, at = (about[4] & 3) + 1, 0
    while at + width < len(data):
        if data[at + width] & 31 == H264_IDR:
            return True
        at += width + int.from_bytes(data[at : at + width])
    return False


def _are_apart(groups: Sequence[Times]) -> bool:
    """Whether no picture comes before the first of its group, and no group before the end of another."""
    return all(earlier < later for earlier, later in pairwise(time_s for group in groups for time_s in group))


def _needed(groups: Sequence[Times], wanted: Collection[float]) -> frozenset[int]:
    """The groups that hold what is nearest to the wanted times.

    Among the pictures of these alone the nearest ones are the same: leaving others out moves none nearer.
    """
    picker: NearestFramePicker[int] = NearestFramePicker(wanted)
    picks = [picker.push(number, time_s) for number, group in enumerate(groups) for time_s in group]
    picks.append(picker.finish(groups[-1][-1]))
    return frozenset(pick.picture for pick in picks if pick)


def _pictures(frames: Sequence[object]) -> Iterator[VideoFrame]:
    return (frame for frame in frames if isinstance(frame, VideoFrame))
