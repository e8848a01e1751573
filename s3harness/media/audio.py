"""Audio as one row of samples, laid on the clock of the frames."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from s3harness.media.frames import RATE, Samples

TOLERANCE_S = 0.04
"""Audio may be this far off the clock before silence is inserted or samples are left out."""

LONGEST_GAP_S = 3600.0
"""A timestamp further ahead is taken for damage, and the audio that carries it is left out."""

_BLOCK = 10 * RATE


class AudioTimeline:
    """Takes decoded audio with its times; yields mono float32 samples at :data:`RATE`, sample 0 at second 0.

    Gaps become silence. Audio before second 0 is left out, and so is audio that overlaps what came before it.
    """

    def __init__(self) -> None:
        self._resampler: AudioResampler | None = None
        self._kind: tuple[object, ...] = ()
        self._expected_s = 0.0
        self._written = 0
        self._skip = 0

    @property
    def end_s(self) -> float:
        """Seconds that the samples yielded so far reach to."""
        return self._written / RATE

    def push(self, frame: AudioFrame, time_s: float | None) -> Iterator[Samples]:
        """Yield samples, in blocks of any length, that the frame completes.

        A frame without a time follows the one before it.
        """
        time_s = self._expected_s if time_s is None else time_s
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        # A resampler takes one format only, and knows nothing of gaps: a new format or a jump begins a new one.
        if self._resampler is None or kind != self._kind or abs(time_s - self._expected_s) > TOLERANCE_S:
            yield from self.finish()
            if time_s - self.end_s > LONGEST_GAP_S:
                return
            yield from self._start(time_s)
            self._kind = kind
        self._expected_s += frame.samples / frame.sample_rate
        yield from self._resample(frame)

    def finish(self) -> Iterator[Samples]:
        """Yield the samples that the resampler still holds."""
        if self._resampler is not None:
            yield from self._resample(None)
        self._resampler = None

    def _start(self, time_s: float) -> Iterator[Samples]:
        # Without a bound on the mixing matrix, two equal channels come out louder than either, and clip.
        self._resampler = AudioResampler(format="flt", layout="mono", rate=RATE, options={"rematrix_maxval": "1.0"})
        self._expected_s = time_s
        target = round(time_s * RATE)
        self._skip = max(0, self._written - target)
        # In blocks: the silence of a long gap would otherwise be held in memory at once.
        while self._written < target:
            silence = np.zeros(min(_BLOCK, target - self._written), np.float32)
            self._written += len(silence)
            yield silence

    def _resample(self, frame: AudioFrame | None) -> Iterator[Samples]:
        assert self._resampler is not None
        for out in self._resampler.resample(frame):
            # A plane may be longer than its samples: FFmpeg pads it to a multiple of its alignment.
            samples: Samples = np.frombuffer(memoryview(out.planes[0]), np.float32, out.samples)
            rest = samples[self._skip :]
            self._skip -= len(samples) - len(rest)
            if len(rest):
                self._written += len(rest)
                yield rest
