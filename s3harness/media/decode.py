"""One pass over one open video: the frames nearest to the wanted times, and the audio.

The pass trusts no header: times come from the frames themselves, and the file ends where its data end. The frame picked
for a time depends on that time and the file alone, never on what else is wanted in the same pass. Where groups of
pictures do not depend on each other, each is decoded by itself, and those that nobody wants are read over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import BinaryIO, cast

import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from s3harness.errors import MediaError
from s3harness.media.audio import AudioTimeline
from s3harness.media.clock import Clock
from s3harness.media.container import (
    DEFAULT,
    Decoding,
    audio_streams,
    decoded,
    drained,
    open_container,
    packets,
    video_stream,
)
from s3harness.media.frames import SLACK_S, AudioChunk, DecodedFrame, DecodedItem, EndOfPass, Pixels, StreamInfo
from s3harness.media.geometry import Orientation, Size, orientation, square_pixels, times_by_size
from s3harness.media.nearest_frame import NearestFramePicker, Pick
from s3harness.media.seek_plan import SeekPlan, SeekPlanDecoder, SeekPlanFailed, plan_seeks

SCALING = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
"""Bicubic, with a wider kernel where it shrinks, and the same to the bit on every processor."""


def decode(
    file: BinaryIO,
    wanted: Mapping[int, frozenset[float]],
    audio: bool,
    how: Decoding = DEFAULT,
    heartbeat: Callable[[], None] = lambda: None,
) -> Iterator[DecodedItem]:
    """Decode ``file``: yield a :class:`StreamInfo`, frames and audio as they come, then an :class:`EndOfPass`.

    ``wanted`` holds the times in seconds for each ``max_pixels``; sizes that come out equal are yielded once. A time
    more than :data:`~s3harness.media.frames.SLACK_S` behind the end of the last frame gets none. With ``audio`` the
    audio is decoded to its end; without it the pass stops when every wanted time has its frame. A second
    :class:`StreamInfo` says that the pass has begun anew, and that nothing before it counts. ``heartbeat`` is called
    again and again, and may raise to end the pass. Raises :class:`MediaError` if there is no frame at all.
    """
    times = frozenset(chain.from_iterable(wanted.values()))
    plan = plan_seeks(file, times, how, heartbeat)
    try:
        with open_container(file, how, heartbeat) as container:
            yield from _Pass(container, wanted, audio, how, heartbeat, plan).run()
    except SeekPlanFailed:
        # Damage that the packets do not show: begin anew, and decode every group.
        assert plan
        file.seek(0)
        with open_container(file, how, heartbeat) as container:
            yield from _Pass(container, wanted, audio, how, heartbeat, plan.whole()).run()


class _Pass:
    """The state of one pass, over all packets or along a seek plan."""

    def __init__(
        self,
        container: InputContainer,
        wanted: Mapping[int, frozenset[float]],
        audio: bool,
        how: Decoding,
        heartbeat: Callable[[], None],
        plan: SeekPlan | None = None,
    ) -> None:
        self.container, self.wanted, self.heartbeat, self.plan = container, wanted, heartbeat, plan
        self.video, self.audio_streams = video_stream(container, how), audio_streams(container)
        self.clock = Clock(self.video)
        self.plan_decoder = SeekPlanDecoder(plan, self.video, self.clock) if plan else None
        self.picker: NearestFramePicker[VideoFrame] = NearestFramePicker(chain.from_iterable(wanted.values()))
        self.audio = AudioTimeline() if audio and self.audio_streams else None

    def run(self) -> Iterator[DecodedItem]:
        frames = self._frames()
        early, first = _until_first_frame(frames) if self.plan is None else ([], self.plan.first)
        turn, size = upright_size(first, self.video)
        scaler = _Scaler(turn, times_by_size(size, self.wanted))
        yield StreamInfo(size, bool(self.audio_streams))
        # The first frame sets the origin of the clock, so the audio before it comes after it here.
        for frame in frames if self.plan else chain([first], early, frames):
            yield from self._push_frame(frame, scaler) if isinstance(frame, VideoFrame) else self._push_audio(frame)
            if self.picker.is_done and self.audio is None:
                yield EndOfPass(None)
                return
        if pick := self.picker.finish(self.clock.end_s + SLACK_S):
            yield from scaler.scale(pick)
        if self.audio:
            yield from map(AudioChunk, self.audio.finish())
        # A plan that leaves groups out stops early, and the clock has not counted the frames behind.
        is_end_certain = self.audio or self.plan is None or self.plan.is_whole
        yield EndOfPass(self.clock.end_s if is_end_certain else None)

    def _frames(self) -> Iterator[VideoFrame | AudioFrame]:
        """Yield frames and audio in the order of the file. Frames that nobody wants are not decoded."""
        streams: list[Stream] = [self.video, *self.audio_streams] if self.audio else [self.video]
        has_frame = is_skipping = False
        for packet in packets(self.container, streams, self.heartbeat):
            is_video = packet.stream.type == "video"
            if is_video and self.plan_decoder:
                yield from self.plan_decoder.frames(packet)
                if self.plan_decoder.is_over and self.audio is None:
                    return
            # Audio goes on behind the last wanted frame; the frames there are counted for the end of the video.
            elif is_video and has_frame and self.picker.is_done:
                if not is_skipping:
                    is_skipping = True
                    yield from drained(self.video)
                self.clock.skip(packet)
            else:
                for frame in decoded(packet):
                    has_frame = has_frame or isinstance(frame, VideoFrame)
                    yield frame

    def _push_frame(self, frame: VideoFrame, scaler: _Scaler) -> Iterator[DecodedFrame]:
        time_s = self.clock.frame_time_s(frame)
        if self.plan_decoder and not self.plan_decoder.is_due(time_s):
            return
        if pick := self.picker.push(frame, time_s):
            yield from scaler.scale(pick)

    def _push_audio(self, frame: AudioFrame) -> Iterator[AudioChunk]:
        if self.audio:
            yield from map(AudioChunk, self.audio.push(frame, self.clock.audio_time_s(frame)))


class _Scaler:
    """Scales frames to the sizes that want them, and turns them upright."""

    def __init__(self, turn: Orientation, times: Mapping[Size, frozenset[float]]) -> None:
        self._turn, self._times = turn, times
        self._reformatters: dict[Size, VideoReformatter] = {}

    def scale(self, pick: Pick[VideoFrame]) -> Iterator[DecodedFrame]:
        for size, times in self._times.items():
            wanted = tuple(time for time in pick.wanted if time in times)
            if wanted:
                yield DecodedFrame(size, pick.time_s, wanted, self._scaled(pick.frame, size))

    def _scaled(self, frame: VideoFrame, size: Size) -> Pixels:
        # One for each size: a reformatter that changes sizes sets its filter up anew each time.
        reformatter = self._reformatters.setdefault(size, VideoReformatter())
        stored = self._turn.turn(size)
        # One thread: the other cores decode other videos.
        scaled = reformatter.reformat(frame, stored.width, stored.height, "rgb24", interpolation=SCALING, threads=1)
        return self._turn.upright(np.asarray(scaled.to_ndarray(), np.uint8))


def upright_size(frame: VideoFrame, video: VideoStream) -> tuple[Orientation, Size]:
    """Return the orientation of a frame, and its upright size with square pixels."""
    side_data = cast(SideDataContainer, frame.side_data)
    matrix = next((bytes(data) for data in side_data if data.type is SideDataType.DISPLAYMATRIX), None)
    turn = orientation(matrix)
    return turn, turn.turn(square_pixels(Size(frame.width, frame.height), video.sample_aspect_ratio))


def _until_first_frame(
    frames: Iterator[VideoFrame | AudioFrame],
) -> tuple[list[AudioFrame], VideoFrame]:
    """Return the audio before the first frame, and that frame, from which all times are counted."""
    early: list[AudioFrame] = []
    for frame in frames:
        if isinstance(frame, VideoFrame):
            return early, frame
        early.append(frame)
    raise MediaError("no frame of the video can be decoded")
