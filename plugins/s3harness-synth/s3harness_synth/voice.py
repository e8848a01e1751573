"""A voice from harmonics and formants: cries, groans, grunts, sobs and a few spoken sentences, without a recording.

Source and filter (Fant): harmonics of the vocal folds falling by 12 dB per octave, weighted by the resonances of the
vocal tract. All functions return float64 mono in −1…1.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from s3harness_synth.envelope import Array

RATE = 48_000
"""Samples per second."""

_CONTROL = 200
"""Steps per second at which pitch, formants and loudness are set; between them they are interpolated."""

# Each harmonic costs a sine over all samples, and above the formants they are faint.
_HIGHEST_HZ = 5000.0
_BANDWIDTHS = (90.0, 110.0, 170.0)

VOWELS: dict[str, tuple[float, float, float]] = {
    "a": (800, 1250, 2600),
    "e": (500, 1850, 2550),
    "i": (300, 2250, 3000),
    "o": (480, 900, 2500),
    "u": (320, 800, 2400),
    "@": (520, 1400, 2500),
    "m": (260, 1000, 2200),
    "n": (280, 1600, 2500),
    "l": (360, 1100, 2700),
    "r": (420, 1200, 1650),
}
"""Formants in Hz of vowels and voiced consonants of a long vocal tract (after Peterson and Barney)."""

_NOISES: dict[str, tuple[float, float]] = {"s": (4200, 9000), "h": (700, 3000), "t": (2500, 7000), "k": (1500, 4000)}
_SHORT = frozenset("tk")


def sing(pitch: Array, loudness: Array, formants: Array, seconds: float, roughness: float = 0.02) -> Array:
    """Return a voiced sound; ``pitch`` (Hz), ``loudness`` and ``formants`` (Hz, shape (3, n)) are evenly spaced."""
    count = max(2, round(seconds * _CONTROL))
    steps = np.linspace(0, 1, count)
    # Seeded by the sound itself: the same cry is the same samples in every process.
    rng = np.random.default_rng(int(1000 * seconds) + int(pitch[0]))
    tone = _stretched(pitch, steps) * (1 + roughness * rng.standard_normal(count))
    level = _stretched(loudness, steps)
    shaped = np.stack([_stretched(formant, steps) for formant in formants])
    samples = np.linspace(0, count - 1, round(seconds * RATE))
    # The sum of the pitch over time: a phase made of pitch × time would jump wherever the pitch changes.
    phase = 2 * np.pi * np.cumsum(np.interp(samples, np.arange(count), tone)) / RATE
    total = np.zeros_like(samples)
    for number in range(1, int(_HIGHEST_HZ / float(tone.min())) + 1):
        # The lips radiate 6 dB more per octave, so that about 6 of the folds' 12 are left.
        gain = level * _resonance(number * tone, shaped) / number**0.9 * (number * tone < _HIGHEST_HZ)
        total += np.interp(samples, np.arange(count), gain) * np.sin(number * phase)
    return total


def hiss(band: tuple[float, float], loudness: Array, seconds: float, seed: int) -> Array:
    """Return noise between two frequencies in Hz under an evenly spaced ``loudness``."""
    count = round(seconds * RATE)
    frequencies = np.fft.rfftfreq(count, 1 / RATE)
    # The lowest frequency is 0, by which nothing can be divided.
    gain = 1 / np.sqrt((1 + (band[0] / np.maximum(frequencies, 1.0)) ** 4) * (1 + (frequencies / band[1]) ** 4))
    return coloured_noise(gain, count, np.random.default_rng(seed)) * _stretched(loudness, np.linspace(0, 1, count))


def coloured_noise(gain: Array, count: int, rng: Generator) -> Array:
    """Return ``count`` samples of noise of unit variance with a spectrum of shape ``gain`` (count // 2 + 1 values)."""
    noise = np.fft.irfft(gain * np.fft.rfft(rng.standard_normal(count)), count)
    return np.asarray(noise / noise.std())


def say(sounds: str, pitch: float, scale: float, seconds: float, rising: bool = False) -> Array:
    """Speak a string of sounds (keys of the tables; a blank is a short gap) in ``seconds``; a question rises."""
    lengths = np.array([0.5 if s in _SHORT or s == " " else 1.0 for s in sounds])
    bounds = np.concatenate([[0], np.cumsum(lengths)]) / lengths.sum()
    voiced = np.array([VOWELS.get(s, (0, 0, 0)) for s in sounds])
    with_formants = np.flatnonzero(voiced[:, 0] > 0)
    steps = np.linspace(0, 1, round(seconds * _CONTROL))
    which = np.clip(np.searchsorted(bounds, steps, side="right") - 1, 0, len(sounds) - 1)
    middle = 0.5 * (bounds[:-1] + bounds[1:])
    # A sound without formants glides between those of its neighbours, as a mouth does.
    formants = scale * np.stack([np.interp(steps, middle[with_formants], voiced[with_formants, k]) for k in range(3)])
    level = np.array([_voicing(s) for s in sounds])[which]
    # A voice that sets in within one step of 5 ms would click.
    level = np.convolve(level, np.hanning(7) / np.hanning(7).sum(), mode="same")
    melody = pitch * (1 + (0.32 if rising else -0.2) * (steps - 0.4) + 0.04 * np.sin(2 * np.pi * 3.2 * steps * seconds))
    speech = sing(melody, level, formants, seconds)
    return _with_consonants(speech, sounds, bounds)


def _voicing(sound: str) -> float:
    if sound in "mnlr":
        return 0.55
    return 1.0 if sound in VOWELS else 0.0


def _with_consonants(speech: Array, sounds: str, bounds: Array) -> Array:
    peak = float(np.abs(speech).max())
    for number, sound in enumerate(sounds):
        if sound in _NOISES:
            first, last = (round(edge * len(speech)) for edge in bounds[number : number + 2])
            # The place of the consonant is its seed: a sentence always sounds the same.
            burst = hiss(_NOISES[sound], np.array([0.3, 1.0, 0.3]), (last - first) / RATE, number)
            speech[first : first + len(burst)] += 0.25 * peak * burst[: len(speech) - first]
    return speech


def _resonance(frequencies: Array, formants: Array) -> Array:
    total = np.full_like(frequencies, 0.02)
    for number, (formant, width) in enumerate(zip(formants, _BANDWIDTHS, strict=True)):
        total = total + (1.0, 0.6, 0.25)[number] / (1 + ((frequencies - formant) / width) ** 2)
    return total


def _stretched(values: Array, steps: Array) -> Array:
    return np.asarray(np.interp(steps, np.linspace(0, 1, len(values)), values))
