"""The clock of a pass: seconds from the first picture, and where the pictures end."""

from __future__ import annotations

from fractions import Fraction

from av.audio.frame import AudioFrame
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

LONGEST_LAST_PICTURE_S = 1.0
"""A last picture that claims to last longer is taken at this."""

FALLBACK_INTERVAL_S = 0.04


class Clock:
    """Tells the time of pictures and sound, and counts pictures to know how long one lasts."""

    def __init__(self, video: VideoStream) -> None:
        unit = video.time_base or Fraction(1)
        self._ticks, self._per_s = unit.numerator, unit.denominator
        self._origin_s = None if video.start_time is None else self._seconds(video.start_time)
        self._n = 0
        self._first_s = self._last_s = self._claimed_s = 0.0

    @property
    def interval_s(self) -> float:
        """How long the last picture lasts: as long as it claims, within reason, but no less than the mean."""
        mean = (self._last_s - self._first_s) / (self._n - 1) if self._n > 1 else 0.0
        return max(mean, min(self._claimed_s, LONGEST_LAST_PICTURE_S)) or FALLBACK_INTERVAL_S

    @property
    def end_s(self) -> float:
        """Where the last picture ends."""
        return self._last_s + self.interval_s

    @property
    def fps(self) -> float:
        """The mean number of pictures a second, of all that were told or passed over."""
        span = self._last_s - self._first_s
        return (self._n - 1) / span if span > 0 else 1 / self.interval_s

    def frame_time_s(self, frame: VideoFrame) -> float:
        """The time of the next picture; one without a time follows the one before it."""
        return self._take(frame.time, self._seconds(frame.duration))

    def pass_over(self, packet: Packet[Stream]) -> float | None:
        """Count a picture that is not decoded; its time, if the packet has one and is not to be left out."""
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is None or packet.is_discard:
            return None
        return self._take(self._seconds(stamp), self._seconds(packet.duration or 0))

    def audio_time_s(self, frame: AudioFrame) -> float | None:
        """The time of a stretch of sound, if it has one."""
        return None if frame.time is None else frame.time - (self._origin_s or 0.0)

    def _seconds(self, stamp: int) -> float:
        return stamp * self._ticks / self._per_s

    def _take(self, stamp_s: float | None, claimed_s: float) -> float:
        if self._origin_s is None:
            self._origin_s = stamp_s or 0.0
        time_s = self.end_s if stamp_s is None else stamp_s - self._origin_s
        if self._n == 0 or time_s > self._last_s:
            self._last_s, self._claimed_s = time_s, claimed_s
        self._first_s = time_s if self._n == 0 else min(self._first_s, time_s)
        self._n += 1
        return time_s
