"""Sound as one row of samples, laid on the clock of the pictures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from s3harness.media.frames import RATE, Samples

TOLERANCE_S = 0.04
"""Sound may be this far off the clock before silence is put in or samples are left out."""

LONGEST_GAP_S = 3600.0
"""A timestamp further ahead is broken, and the sound that carries it is left out."""

_BLOCK = 10 * RATE


class AudioLine:
    """Push decoded sound with its times; get mono float32 samples at :data:`RATE`, sample 0 at second 0.

    Gaps become silence; what comes before second 0, or was already heard, is left out.
    """

    def __init__(self) -> None:
        self._resampler: AudioResampler | None = None
        self._kind: tuple[object, ...] = ()
        self._expected_s = 0.0
        self._written = 0
        self._skip = 0

    @property
    def end_s(self) -> float:
        """How far the samples given so far reach."""
        return self._written / RATE

    def push(self, frame: AudioFrame, time_s: float | None) -> Iterator[Samples]:
        """Samples, in blocks of any length, that the frame completes; one without a time follows the one before it."""
        time_s = self._expected_s if time_s is None else time_s
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or kind != self._kind or abs(time_s - self._expected_s) > TOLERANCE_S:
            yield from self.finish()
            if time_s - self.end_s > LONGEST_GAP_S:
                return
            yield from self._start(time_s)
            self._kind = kind
        self._expected_s += frame.samples / frame.sample_rate
        yield from self._resample(frame)

    def finish(self) -> Iterator[Samples]:
        """What the resampler still holds."""
        if self._resampler is not None:
            yield from self._resample(None)
        self._resampler = None

    def _start(self, time_s: float) -> Iterator[Samples]:
        # Without a bound on the mixing matrix, two equal channels come out louder than either, and clip.
        self._resampler = AudioResampler(format="flt", layout="mono", rate=RATE, options={"rematrix_maxval": "1.0"})
        self._expected_s = time_s
        target = round(time_s * RATE)
        self._skip = max(0, self._written - target)
        while self._written < target:
            silence = np.zeros(min(_BLOCK, target - self._written), np.float32)
            self._written += len(silence)
            yield silence

    def _resample(self, frame: AudioFrame | None) -> Iterator[Samples]:
        assert self._resampler is not None
        for out in self._resampler.resample(frame):
            samples: Samples = np.frombuffer(memoryview(out.planes[0]), np.float32, out.samples)
            kept = samples[self._skip :]
            self._skip -= len(samples) - len(kept)
            if len(kept):
                self._written += len(kept)
                yield kept
