"""The rhythm of a movement: its power in bands of frequency, its regularity, and its drift.

Frames show no movement faster than half their rate (the Nyquist limit): a faster one is folded down to a slower one, so
bands beyond that limit are 0. A movement that slows down is clonic, one that keeps its frequency is not (Vinton 2004).
"""

from __future__ import annotations

import numpy as np

from s3harness_kinematics.grid import Array, Grid

BANDS_HZ = ((0.2, 0.5), (0.5, 1.0), (1.0, 2.0), (2.0, 3.2), (3.2, 5.0))
"""Bands of movement: sway, fumbling, chewing, jerks and blinks, shaking."""

SEGMENT_S = 5.0
FEWEST_FRAMES = 8
LIVELIEST_CELLS = 400
"""Number of cells whose brightness is followed: as many as a shaking limb sweeps over, turning points included."""

OVERTONE = 0.3
"""A lower peak with this share of the highest one's power is the rhythm: a limb that swings over a cell covers it twice
in a cycle, so the double frequency may be the stronger."""

LIVELY_SHARE = 0.5
"""Segments with this share of the liveliest one's power count as movement."""


def rhythm_numbers(cells: Grid, times: Array) -> dict[str, float]:
    """Return numbers on the movement of a part's cells (frames × cells of brightness).

    ``band0`` … are amplitudes in grey levels (of the liveliest tenth of the time), ``pace`` is the frequency in Hz,
    ``regular`` the share of the power at it (0–1) and ``slowing`` the relative loss of frequency from the first lively
    half to the second (−1 to 1). All are 0 if there are too few frames.
    """
    spectra, frequencies = _spectra(cells, times)
    if not len(spectra):
        return {f"band{n}": 0.0 for n in range(len(BANDS_HZ))} | {"pace": 0.0, "regular": 0.0, "slowing": 0.0}
    bands = {f"band{n}": _amplitude(spectra, frequencies, band) for n, band in enumerate(BANDS_HZ)}
    power = spectra.sum(1)
    lively = np.flatnonzero(power >= LIVELY_SHARE * power.max()) if power.max() > 0 else np.zeros(0, int)
    if not len(lively):
        return bands | {"pace": 0.0, "regular": 0.0, "slowing": 0.0}
    peaks = [_lowest_peak(spectra[n]) for n in lively]
    paces = frequencies[peaks]
    regular = [float(spectra[n][max(0, p - 1) : p + 2].sum() / power[n]) for n, p in zip(lively, peaks, strict=True)]
    return bands | {"pace": float(np.median(paces)), "regular": float(np.mean(regular)), "slowing": _slowing(paces)}


def _spectra(cells: Grid, times: Array) -> tuple[Array, Array]:
    """Power spectra of half-overlapping segments, segments × frequencies, and the frequencies in Hz from 0.2 on."""
    span = float(times[-1] - times[0]) if len(times) > 1 else 0.0
    rate = (len(times) - 1) / span if span > 0 else 0.0
    length = max(FEWEST_FRAMES, round(SEGMENT_S * rate))
    if rate <= 2 * BANDS_HZ[0][0] or len(times) < length or not cells.shape[1]:
        return np.zeros((0, 0)), np.zeros(0)
    # The liveliest cells alone: still ones add their noise to every frequency.
    liveliest = np.argsort(np.abs(np.diff(cells, axis=0)).sum(0))[-LIVELIEST_CELLS:]
    followed = np.asarray(cells[:, liveliest], np.float32)
    starts = range(0, len(times) - length + 1, max(1, length // 2))
    segments = np.stack([followed[start : start + length] for start in starts])
    # A Hann window: without it the step between the segment's ends spreads over the whole spectrum.
    steady = (segments - segments.mean(1, keepdims=True)) * np.hanning(length)[:, None].astype(np.float32)
    power = (np.abs(np.fft.rfft(steady, axis=1)) ** 2).mean(2) * (4.0 / length) ** 2 / 2
    frequencies = np.fft.rfftfreq(length, 1 / rate)
    # Strictly below half the rate, where a frequency and its mirror image cannot be told apart.
    wanted = (frequencies >= BANDS_HZ[0][0]) & (frequencies < rate / 2 - 1e-9)
    return np.asarray(power[:, wanted]), np.asarray(frequencies[wanted])


def _amplitude(spectra: Array, frequencies: Array, band: tuple[float, float]) -> float:
    inside = (frequencies >= band[0]) & (frequencies < band[1])
    return float(np.sqrt(np.percentile(spectra[:, inside].sum(1), 90))) if inside.any() else 0.0


def _slowing(paces: Array) -> float:
    half = len(paces) // 2
    if not half:
        return 0.0
    first, last = float(np.mean(paces[:half])), float(np.mean(paces[-half:]))
    return (first - last) / (first + last) * 2


def _lowest_peak(power: Array) -> int:
    """Index of the lowest local maximum that is no less than :data:`OVERTONE` of the highest."""
    padded = np.pad(power, 1)
    is_peak = (power >= padded[:-2]) & (power >= padded[2:]) & (power >= OVERTONE * power.max())
    return int(np.argmax(is_peak))
