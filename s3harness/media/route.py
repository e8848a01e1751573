"""Which groups of pictures of a video have to be decoded for some wanted times, told from its packets alone.

A group begins with a key picture and can be decoded without the rest. Where wanted times lie far apart, or in a small
part of a long video, most groups hold none of them, and to read over a group costs next to nothing. What is picked must
not depend on it: there is a route only through a file whose packets say for certain what a pass over everything would
pick, and :class:`Detour` is raised on the way when what is decoded is not what they said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from s3harness.media.clock import Clock
from s3harness.media.container import DEFAULT, Decoding, decoded, drained, open_container, packets, picture_stream
from s3harness.media.nearest import Nearest

SPARSE_S = 1.0
"""Wanted times that all lie closer together than this leave no group out that would be worth finding."""

SAME_S = 1e-6
"""Times that differ by no more are equal."""

PLAIN_FORMATS = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}
"""They keep what a decoder must know beforehand in one place, so that no group that is left out can hold it."""

Times = tuple[float, ...]


class Detour(Exception):
    """What was decoded is not what the packets said: everything has to be decoded, from the beginning."""


@dataclass(frozen=True, slots=True)
class Route:
    """The times of the pictures of each group, in seconds from the first picture, and the numbers of those needed.

    ``first`` is the video's first picture, which says how large it is and which way up.
    """

    first: VideoFrame
    groups: tuple[Times, ...]
    needed: frozenset[int]


def is_sparse(wanted: Collection[float]) -> bool:
    """Whether there may be groups before or between the wanted times that hold none of them."""
    return any(later - earlier > SPARSE_S for earlier, later in pairwise([0.0, *sorted(wanted)]))


def find_route(
    file: BinaryIO, wanted: Collection[float], how: Decoding = DEFAULT, beat: Callable[[], None] = lambda: None
) -> Route | None:
    """Read all packets of a video and decode its first picture; ``None`` if there is no group to leave out for certain.

    The file is left where it began.
    """
    with open_container(file, how, beat) as container:
        scanned = _scan(container, how, beat) if container.format.name in PLAIN_FORMATS else None
    file.seek(0)
    if scanned is None:
        return None
    first, groups = scanned
    if not _are_apart(groups) or any(time_s > groups[-1][-1] for time_s in wanted):
        return None  # only who has decoded the last picture knows until when it stands
    needed = _needed(groups, wanted)
    return Route(first, tuple(groups), needed) if len(needed) < len(groups) else None


class Course:
    """Follows a route: decodes the groups that are needed, and reads over the others."""

    def __init__(self, route: Route, video: VideoStream, clock: Clock) -> None:
        self._route, self._video, self._clock = route, video, clock
        self._group, self._last = -1, max(route.needed, default=-1)
        self._due: list[float] = []
        self._seen: list[float] = []

    @property
    def is_over(self) -> bool:
        """Whether the last group that is needed is behind."""
        return self._group > self._last

    def pictures(self, packet: Packet[Stream]) -> Iterator[VideoFrame]:
        """The pictures that the next packet of the video completes."""
        is_end = packet.size == 0
        if is_end or packet.is_keyframe:
            self._group += 1
            if self._due and (is_end or self._group not in self._route.needed):
                yield from self._finish()
        if is_end:
            return
        if self._group not in self._route.needed:
            self._clock.pass_over(packet)
            return
        if packet.is_keyframe:
            self._due += self._route.groups[self._group]
        yield from _pictures(decoded(packet))

    def check(self, frame: VideoFrame, time_s: float) -> None:
        """Take note of a picture that came and its time; :class:`Detour` if it is damaged."""
        self._seen.append(time_s)
        if frame.is_corrupt:
            raise Detour

    def _finish(self) -> Iterator[VideoFrame]:
        """The last pictures of the groups decoded so far, which must then have given all of theirs, in order."""
        yield from _pictures(drained(self._video))
        came = len(self._seen) == len(self._due)
        if not came or not all(abs(a - b) <= SAME_S for a, b in zip(self._seen, self._due, strict=True)):
            raise Detour
        self._seen, self._due = [], []
        self._video.codec_context.flush_buffers()


def _scan(container: InputContainer, how: Decoding, beat: Callable[[], None]) -> tuple[VideoFrame, list[Times]] | None:
    """The first picture, and the times of each group's pictures; ``None`` if the packets do not tell them."""
    video = picture_stream(container, how)
    if video.start_time is None:
        return None
    clock, groups = Clock(video), list[list[float]]()
    first: VideoFrame | None = None
    for packet in packets(container, [video], beat):
        if packet.size == 0:
            continue  # the end
        if packet.is_keyframe:
            groups.append([])
            first = first or next(_pictures(decoded(packet) + drained(video)), None)
        time_s = clock.pass_over(packet)
        is_new = len(groups) > 1 and packet.has_sidedata("new_extradata")
        if first is None or time_s is None or packet.pts is None or packet.is_corrupt or is_new:
            return None
        groups[-1].append(time_s)
    return (first, [(group[0], *sorted(group[1:])) for group in groups]) if first else None


def _are_apart(groups: Sequence[Times]) -> bool:
    """Whether no picture comes before the first of its group, and no group before the end of another."""
    return all(earlier < later for earlier, later in pairwise(time_s for group in groups for time_s in group))


def _needed(groups: Sequence[Times], wanted: Collection[float]) -> frozenset[int]:
    """The groups that hold what is nearest to the wanted times.

    Among the pictures of these alone the nearest ones are the same: leaving others out moves none nearer.
    """
    nearest: Nearest[int] = Nearest(wanted)
    picks = [nearest.push(number, time_s) for number, group in enumerate(groups) for time_s in group]
    picks.append(nearest.finish(groups[-1][-1]))
    return frozenset(pick.picture for pick in picks if pick)


def _pictures(frames: Sequence[object]) -> Iterator[VideoFrame]:
    return (frame for frame in frames if isinstance(frame, VideoFrame))
