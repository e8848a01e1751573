"""The clock of a pass: seconds from the first frame, and the end of the frames."""

from __future__ import annotations

from fractions import Fraction

from av.audio.frame import AudioFrame
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

LONGEST_LAST_FRAME_S = 1.0
"""A last frame that claims to last longer is taken to last this long."""

FALLBACK_INTERVAL_S = 0.04
"""Duration of the only frame of a video that states none: one of 25 frames a second."""


class Clock:
    """Converts time stamps of frames and audio to seconds, and counts frames to know how long one lasts."""

    def __init__(self, video: VideoStream) -> None:
        unit = video.time_base or Fraction(1)
        self._ticks, self._per_s = unit.numerator, unit.denominator
        self._origin_s = None if video.start_time is None else self._seconds(video.start_time)
        self._n = 0
        self._first_s = self._last_s = self._claimed_s = 0.0

    @property
    def interval_s(self) -> float:
        """Seconds that the last frame lasts: as long as it claims, within reason, but no less than the mean."""
        mean = (self._last_s - self._first_s) / (self._n - 1) if self._n > 1 else 0.0
        return max(mean, min(self._claimed_s, LONGEST_LAST_FRAME_S)) or FALLBACK_INTERVAL_S

    @property
    def end_s(self) -> float:
        """Seconds at which the last frame ends."""
        return self._last_s + self.interval_s

    @property
    def fps(self) -> float:
        """Mean number of frames a second, of all that were timed or skipped."""
        span = self._last_s - self._first_s
        return (self._n - 1) / span if span > 0 else 1 / self.interval_s

    def frame_time_s(self, frame: VideoFrame) -> float:
        """Count the next frame and return its time; a frame without a time follows the one before it."""
        return self._count(frame.time, self._seconds(frame.duration))

    def skip(self, packet: Packet[Stream]) -> float | None:
        """Count a frame that is not decoded; return its time, ``None`` if the packet has none or is left out."""
        stamp = packet.dts if packet.pts is None else packet.pts
        # A packet marked for discarding is decoded for the sake of later frames, and is not part of the video.
        if stamp is None or packet.is_discard:
            return None
        return self._count(self._seconds(stamp), self._seconds(packet.duration or 0))

    def audio_time_s(self, frame: AudioFrame) -> float | None:
        """Time of a stretch of audio, ``None`` if it states none."""
        return None if frame.time is None else frame.time - (self._origin_s or 0.0)

    def _seconds(self, stamp: int) -> float:
        return stamp * self._ticks / self._per_s

    def _count(self, stamp_s: float | None, claimed_s: float) -> float:
        if self._origin_s is None:
            self._origin_s = stamp_s or 0.0
        time_s = self.end_s if stamp_s is None else stamp_s - self._origin_s
        # Packets come in the order of decoding, so the last one need not be the last in time.
        if self._n == 0 or time_s > self._last_s:
            self._last_s, self._claimed_s = time_s, claimed_s
        self._first_s = time_s if self._n == 0 else min(self._first_s, time_s)
        self._n += 1
        return time_s
