"""One pass over one open video: the pictures nearest to the wanted times, and the sound.

The pass trusts no header: times come from the pictures themselves, and the file ends where its data end. What is picked
for a time depends on that time and the file alone, never on what else was asked for in the same pass. Where pictures
come in groups that are apart, each is decoded by itself, and those that nobody wants are read over.
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
from s3harness.media.audio import AudioLine
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
"""Bicubic, widened when it shrinks, and the same on every processor."""


def decode(
    file: BinaryIO,
    wanted: Mapping[int, frozenset[float]],
    audio: bool,
    how: Decoding = DEFAULT,
    heartbeat: Callable[[], None] = lambda: None,
) -> Iterator[DecodedItem]:
    """Decode ``file``: its :class:`Source`, then pictures and sound as they come, then the :class:`End`.

    ``wanted`` holds the times in seconds for each ``max_pixels``; sizes that come out equal are given once. A time
    more than :data:`~s3harness.media.frames.SLACK_S` behind the end of the last picture gets none. With ``audio`` the
    sound is decoded to its end; without it the pass stops when every wanted time has its picture. A :class:`Source`
    that comes again says that the pass has begun anew, and that nothing before it counts. ``beat`` is called again and
    again, and may raise to end the pass. Raises :class:`MediaError` if there is no picture at all.
    """
    times = frozenset(chain.from_iterable(wanted.values()))
    plan = plan_seeks(file, times, how, heartbeat)
    try:
        with open_container(file, how, heartbeat) as container:
            yield from _Pass(container, wanted, audio, how, heartbeat, plan).run()
    except SeekPlanFailed:
        assert plan
        file.seek(0)
        with open_container(file, how, heartbeat) as container:
            yield from _Pass(container, wanted, audio, how, heartbeat, plan.whole()).run()


class _Pass:
    """The state of one pass, over everything or along a route."""

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
        self.video, self.sounds = video_stream(container, how), audio_streams(container)
        self.clock = Clock(self.video)
        self.plan_decoder = SeekPlanDecoder(plan, self.video, self.clock) if plan else None
        self.picker: NearestFramePicker[VideoFrame] = NearestFramePicker(chain.from_iterable(wanted.values()))
        self.audio = AudioLine() if audio and self.sounds else None

    def run(self) -> Iterator[DecodedItem]:
        frames = self._frames()
        early, first = _until_first_picture(frames) if self.plan is None else ([], self.plan.first)
        turn, size = upright_size(first, self.video)
        painter = _Painter(turn, times_by_size(size, self.wanted))
        yield StreamInfo(size, bool(self.sounds))
        for frame in frames if self.plan else chain([first], early, frames):
            yield from self._see(frame, painter) if isinstance(frame, VideoFrame) else self._hear(frame)
            if self.picker.is_done and self.audio is None:
                yield EndOfPass(None)
                return
        if pick := self.picker.finish(self.clock.end_s + SLACK_S):
            yield from painter.paint(pick)
        if self.audio:
            yield from map(AudioChunk, self.audio.finish())
        is_known = self.audio or self.plan is None or self.plan.is_whole
        yield EndOfPass(self.clock.end_s if is_known else None)

    def _frames(self) -> Iterator[VideoFrame | AudioFrame]:
        """What the file holds, as it comes. Pictures that nobody wants are not decoded."""
        streams: list[Stream] = [self.video, *self.sounds] if self.audio else [self.video]
        decoded_one = is_passing_over = False
        for packet in packets(self.container, streams, self.heartbeat):
            is_video = packet.stream.type == "video"
            if is_video and self.plan_decoder:
                yield from self.plan_decoder.pictures(packet)
                if self.plan_decoder.is_over and self.audio is None:
                    return
            elif is_video and decoded_one and self.picker.is_done:
                if not is_passing_over:
                    is_passing_over = True
                    yield from drained(self.video)
                self.clock.pass_over(packet)
            else:
                for frame in decoded(packet):
                    decoded_one = decoded_one or isinstance(frame, VideoFrame)
                    yield frame

    def _see(self, frame: VideoFrame, painter: _Painter) -> Iterator[DecodedFrame]:
        time_s = self.clock.frame_time_s(frame)
        if self.plan_decoder and not self.plan_decoder.is_due(time_s):
            return
        if pick := self.picker.push(frame, time_s):
            yield from painter.paint(pick)

    def _hear(self, frame: AudioFrame) -> Iterator[AudioChunk]:
        if self.audio:
            yield from map(AudioChunk, self.audio.push(frame, self.clock.audio_time_s(frame)))


class _Painter:
    """Scales pictures to the sizes that want them, and turns them upright."""

    def __init__(self, turn: Orientation, times: Mapping[Size, frozenset[float]]) -> None:
        self._turn, self._times = turn, times
        self._scalers: dict[Size, VideoReformatter] = {}

    def paint(self, pick: Pick[VideoFrame]) -> Iterator[DecodedFrame]:
        for size, times in self._times.items():
            wanted = tuple(time for time in pick.wanted if time in times)
            if wanted:
                yield DecodedFrame(size, pick.time_s, wanted, self._scale(pick.picture, size))

    def _scale(self, frame: VideoFrame, size: Size) -> Pixels:
        scaler = self._scalers.setdefault(size, VideoReformatter())
        stored = self._turn.turn(size)
        scaled = scaler.reformat(frame, stored.width, stored.height, "rgb24", interpolation=SCALING, threads=1)
        return self._turn.upright(np.asarray(scaled.to_ndarray(), np.uint8))


def upright_size(frame: VideoFrame, video: VideoStream) -> tuple[Orientation, Size]:
    """How a picture is turned, and how large it then is with square pixels."""
    side_data = cast(SideDataContainer, frame.side_data)
    matrix = next((bytes(data) for data in side_data if data.type is SideDataType.DISPLAYMATRIX), None)
    turn = orientation(matrix)
    return turn, turn.turn(square_pixels(Size(frame.width, frame.height), video.sample_aspect_ratio))


def _until_first_picture(
    frames: Iterator[VideoFrame | AudioFrame],
) -> tuple[list[AudioFrame], VideoFrame]:
    """The sound that comes before the first picture, and that picture, from which all times are counted."""
    early: list[AudioFrame] = []
    for frame in frames:
        if isinstance(frame, VideoFrame):
            return early, frame
        early.append(frame)
    raise MediaError("no frame of the video can be decoded")
