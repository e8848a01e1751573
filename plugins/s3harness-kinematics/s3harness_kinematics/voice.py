"""The sound of a clip as time series, loudness, harmonicity and pitch, and the utterances in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from s3harness import Samples
from s3harness_kinematics.grid import Array, Mask
from s3harness_kinematics.series import smooth, stretches

RATE = 8_000
"""Samples a second: pitch and the first formants lie below 4 kHz."""

FRAME, HOP = 400, 160
"""A frame of 50 ms holds three periods of the lowest voice; one every 20 ms."""

PITCH_HZ = (75.0, 520.0)
"""From a deep groan to a sob or a scream."""

SMALLEST_LEVEL = 0.008
LEVEL_OVER_ROOM = 2.5
"""A voice is this many times louder than the room is in the quieter part of the clip."""

VOICED = 0.55
"""Normalised autocorrelation at the pitch period above which a frame is voiced (air conditioning has 0.3 and less)."""

BRIDGE_S = 0.3
"""Consonants and breaths within one utterance are shorter than this."""

SHORTEST_S = 0.12


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch of voice: seconds from the clip's start, median pitch in Hz, and how its timbre varies (0–1)."""

    start_s: float
    end_s: float
    pitch_hz: float
    variety: float

    @property
    def length_s(self) -> float:
        """Duration in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class MeasuredVoice:
    """Measurements of the sound; each series has a value every 20 ms, and all are empty without sound."""

    times: Array = field(repr=False)
    loudness: Array = field(repr=False)
    harmonicity: Array = field(repr=False)
    pitch_hz: Array = field(repr=False)
    utterances: tuple[Utterance, ...]

    @property
    def voiced_s(self) -> float:
        """Seconds of voice in all."""
        return sum(one.length_s for one in self.utterances)


SILENCE = MeasuredVoice(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0), ())


def measure_voice(samples: Samples) -> MeasuredVoice:
    """Measure mono sound (−1 to 1) at :data:`RATE` samples per second."""
    if len(samples) < 2 * FRAME:
        return SILENCE
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(samples, np.float32), FRAME)[::HOP]
    # Less its mean: a microphone's offset would look like a perfectly periodic sound.
    centred = frames - frames.mean(1, keepdims=True)
    loudness = np.sqrt((centred.astype(np.float64) ** 2).mean(1))
    times = np.arange(len(frames)) * HOP / RATE
    loud = loudness > max(SMALLEST_LEVEL, LEVEL_OVER_ROOM * float(np.percentile(loudness, 20)))
    harmonicity, pitch, tilt = np.zeros(len(frames)), np.zeros(len(frames)), np.zeros((len(frames), len(BANDS_HZ) - 1))
    # Only loud frames are transformed: most of a clip is quiet, and this is the slow part.
    if loud.any():
        harmonicity[loud], pitch[loud], tilt[loud] = _harmonics(centred[loud])
    voiced = loud & (smooth(harmonicity, 1) > VOICED)
    spans = [span for span in stretches(times, voiced, BRIDGE_S) if span[1] - span[0] >= SHORTEST_S]
    utterances = tuple(_utterance(start, end, times, voiced, pitch, tilt) for start, end in spans)
    return MeasuredVoice(times, loudness, harmonicity, pitch, utterances)


NEARLY_BEST, PEAK_WIDTH = 0.9, 6
"""Share of the best autocorrelation that makes a lag the pitch, and the lags among which its peak is looked for."""

BANDS_HZ = (80, 500, 900, 1500, 2300, 3600)
"""Edges of the bands whose balance tells vowels apart."""


def _harmonics(frames: Array) -> tuple[Array, Array, Array]:
    """Peak of the normalised autocorrelation, its pitch in Hz, and the share of power in each band, for each frame."""
    size = 1024
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME).astype(np.float32), size)) ** 2
    correlation = np.fft.irfft(power)[:, : size // 2]
    # Divided by the window's autocorrelation (Boersma 1993), or long periods would seem less regular than short ones.
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(FRAME), size)) ** 2)[: size // 2]
    first, last = int(RATE / PITCH_HZ[1]), int(RATE / PITCH_HZ[0])
    ratio = correlation / np.maximum(correlation[:, :1], 1e-12) / np.maximum(window / window[0], 0.05)
    lag = first + _first_peak(ratio[:, first : last + 1])
    edges = [int(edge * size / RATE) for edge in BANDS_HZ]
    bands = np.stack([power[:, a:b].sum(1) for a, b in pairwise(edges)], axis=1)
    shares = bands / np.maximum(bands.sum(1, keepdims=True), 1e-12)
    return np.clip(ratio[np.arange(len(lag)), lag], 0, 1), RATE / lag, shares


def _first_peak(ratio: Array) -> NDArray[np.intp]:
    """Shortest lag of each row that is nearly as good as the best one."""
    # Twice a period correlates as well as the period itself, but is not the pitch.
    nearly = ratio >= NEARLY_BEST * ratio.max(1, keepdims=True)
    start = np.argmax(nearly, axis=1)
    ahead = np.minimum(start[:, None] + np.arange(PEAK_WIDTH), ratio.shape[1] - 1)
    return np.asarray(ahead[np.arange(len(ratio)), np.argmax(np.take_along_axis(ratio, ahead, 1), axis=1)])


def _utterance(start: float, end: float, times: Array, voiced: Mask, pitch: Array, tilt: Array) -> Utterance:
    inside = voiced & (times >= start) & (times < end)
    return Utterance(start, end, float(np.median(pitch[inside])), float(np.mean(tilt[inside].std(0)) * 2))
