"""The sound of a video: the room, the patient's voice, the examiner's question and the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from operator import itemgetter

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from s3harness_synth.envelope import Array
from s3harness_synth.event import Event, Examination, Script
from s3harness_synth.patient import Patient, PatientVoice
from s3harness_synth.voice import RATE, VOWELS, coloured_noise, hiss, say, sing

Sound = tuple[float, float, Array]
"""Beginning of a sound in seconds, its peak level (0–1), and its samples."""

ROOM_LEVEL = 0.004
"""Root mean square of the empty room."""

# Noise by an inverse FFT is periodic, and 7 s hold whole cycles of the hum: the repetition has no seam.
_ROOM_PIECE_S, _ROOM_CORNER_HZ = 7, 450.0
_SOB_S = 0.34

_QUESTIONS = ("kan iu hir mi", "uat is ior neim", "kan iu luk at mi", "uer ar iu nau")
_ANSWERS = ("ies aim her", "ies ai kan", "aim okei", "im a hospitol")
_VOCAL_LEVEL, _SPEECH_LEVEL, _REPLY_LEVEL, _SNORE_LEVEL, _CLICK_LEVEL = 0.42, 0.2, 0.26, 0.03, 0.03


# By the beginning alone: after a tie `merge` would go on to compare arrays of samples, which fails.
_START = itemgetter(0)
_PIECE = RATE


def make_sound(script: Script, patient: Patient, seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield the audio track, a second at a time: mono float32 in −1…1 at :data:`~s3harness_synth.voice.RATE`."""
    # Stream 1 of the seed moves the body: with or without sound, the frames are the same.
    room = _room(np.random.default_rng([seed, 2]))
    sounds = merge(*_sounds(script, patient.voice), key=_START)
    coming = next(sounds, None)
    sounding: list[tuple[int, NDArray[np.float32]]] = []
    count = round(script.duration_s * RATE)
    for first in range(0, count, _PIECE):
        piece = room.take(range(first, min(first + _PIECE, count)), mode="wrap")
        while coming is not None and coming[0] * RATE < first + _PIECE:
            sounding.append(_at_level(coming))
            coming = next(sounds, None)
        for begin, samples in sounding:
            _mix_in(piece, begin - first, samples)
        # A sound may go on into the next second; one that is over is dropped, so that memory stays constant.
        sounding = [(begin, samples) for begin, samples in sounding if begin + len(samples) > first + _PIECE]
        # Sounds that overlap may add up to more than full scale.
        yield np.clip(piece, -1, 1)


def _at_level(sound: Sound) -> tuple[int, NDArray[np.float32]]:
    """The number of a sound's first sample in the track, and its samples at the level that it has there."""
    start, level, samples = sound
    peak = float(np.abs(samples).max()) if len(samples) else 0.0
    # A silent sound has no peak to be scaled by.
    return max(0, round(start * RATE)), (level / (peak or 1.0) * samples).astype(np.float32)


def _mix_in(piece: NDArray[np.float32], begin: int, samples: NDArray[np.float32]) -> None:
    """Add the samples, the first of which belongs at ``begin``, as far as they lie within the piece."""
    skipped = max(0, -begin)
    room = piece[max(0, begin) : max(0, begin + len(samples))]
    room += samples[skipped : skipped + len(room)]


def _room(rng: Generator) -> NDArray[np.float32]:
    """Air conditioning: low-passed noise and a little hum, some seconds of it to be heard again and again."""
    count = _ROOM_PIECE_S * RATE
    gain = 1 / np.sqrt(1 + (np.fft.rfftfreq(count, 1 / RATE) / _ROOM_CORNER_HZ) ** 2)
    # Twice the 50 Hz of the mains, as transformers and lamps hum.
    hum = np.sin(2 * np.pi * 100 * np.arange(count) / RATE)
    return np.asarray(ROOM_LEVEL * (coloured_noise(gain, count, rng) + 0.15 * hum), np.float32)


def _sounds(script: Script, voice: PatientVoice) -> Iterator[Iterable[Sound]]:
    """All that is heard over the room: streams of sounds, each in the order of their beginnings."""
    for event in script.events:
        if event.feature == "ictal_vocalization":
            yield _STYLES[event.style](event, script, voice, np.random.default_rng(event.seed))
        if event.feature == "oral_automatisms":
            yield _smacks(event)
    if script.examination is not None:
        yield _questions(script.examination, voice)
        yield _answers(script.examination, voice)
    # Snoring breath follows generalised convulsions only.
    if script.archetype == "tonic_clonic":
        yield _stertorous_breathing(script)


def _cry(event: Event, script: Script, voice: PatientVoice, rng: Generator) -> Iterator[Sound]:
    """One long forced cry as the body stiffens, then grunts with the jerks, or groans where there are none."""
    onset, offset = event.interval
    length = min(float(rng.uniform(2.0, 3.5)), offset - onset)
    pitch = voice.pitch_hz * np.array([1.7, 3.0, 3.2, 2.9, 2.1])
    yield onset, _VOCAL_LEVEL, sing(pitch, _HELD, _tract("a", voice), length, 0.04)
    clonic = script.find("clonic")
    jerks = [m for m in (clonic.moments if clonic else ()) if onset + length + 0.2 < m < offset - 0.2]
    until = clonic.interval[0] if clonic and jerks else offset
    groans = _repeated(onset + length + 0.4, until - 0.1, 1.1, 0.4, lambda s: _groan(voice, s), rng, 0.45)
    grunts = [(moment, 0.5 * _VOCAL_LEVEL, _grunt(voice, 0.2)) for moment in jerks]
    # Something must be heard until the offset that the truth states.
    if not jerks or jerks[-1] < offset - 1.2:
        grunts.append((offset - 0.6, 0.45 * _VOCAL_LEVEL, _groan(voice, 0.6)))
    yield from merge(groans, grunts, key=_START)


def _groans(event: Event, script: Script, voice: PatientVoice, rng: Generator) -> Iterator[Sound]:
    onset, offset = event.interval
    yield from _repeated(onset, offset, 1.4, 0.6, lambda s: _groan(voice, s), rng, 0.8)


def _moans(event: Event, script: Script, voice: PatientVoice, rng: Generator) -> Iterator[Sound]:
    """Long, melodious, with pauses."""
    onset, offset = event.interval
    pitch = voice.pitch_hz * np.array([1.3, 1.8, 1.6, 1.2])
    yield from _repeated(onset, offset, 1.8, 0.8, lambda s: sing(pitch, _HELD, _tract("o", voice), s), rng, 0.8)


def _weeping(event: Event, script: Script, voice: PatientVoice, rng: Generator) -> Iterator[Sound]:
    """Sobs: short high falling cries in groups, with a voiced breath between the groups."""
    onset, offset = event.interval
    moment = onset
    while moment < offset - _SOB_S:
        for number in range(int(rng.integers(3, 6))):
            if moment < offset - _SOB_S:
                # By the root: sobs of deep and of high voices are closer together than their speech.
                high = 2.4 * voice.pitch_hz**0.5 * 12 * (1 - 0.05 * number)
                pitch = np.array([0.85, 1.1, 0.9]) * np.clip(high, 280, 480)
                yield moment, _VOCAL_LEVEL * rng.uniform(0.6, 0.95), sing(pitch, _SOB, _tract("a", voice), _SOB_S, 0.03)
            moment += 0.46
        if moment < offset - 0.4:
            yield moment, 0.25 * _VOCAL_LEVEL, hiss((900, 4000), _SOB, 0.4, int(rng.integers(1000)))
        moment += 0.55


_STYLES: dict[str, Callable[[Event, Script, PatientVoice, Generator], Iterator[Sound]]] = {
    "cry": _cry,
    "groan": _groans,
    "moan": _moans,
    "weeping": _weeping,
}
VOCAL_STYLES: tuple[str, ...] = tuple(_STYLES)
"""The kinds of ictal vocalisation."""

_HELD, _SOB = np.array([0, 1, 1, 0.95, 0.9, 0.8, 0.0]), np.array([0, 1, 0.7, 0.0])


def _repeated(
    first: float, last: float, length: float, gap: float, make: Callable[[float], Array], rng: Generator, share: float
) -> Iterator[Sound]:
    """Sounds of about ``length`` with gaps; one begins at ``first`` and one ends at ``last``."""
    moment = first
    while moment < last - 0.3:
        seconds = min(length * rng.uniform(0.8, 1.2), last - moment)
        # No room for another one: this one lasts to the end, where the truth has the offset.
        if last - moment - seconds < gap + 0.5:
            seconds = last - moment
        yield moment, share * _VOCAL_LEVEL, make(seconds)
        moment += seconds + gap * rng.uniform(0.7, 1.3)


def _grunt(voice: PatientVoice, seconds: float) -> Array:
    return sing(voice.pitch_hz * np.array([0.95, 0.75]), _SOB, _tract("@", voice), seconds, 0.08)


def _groan(voice: PatientVoice, seconds: float) -> Array:
    return sing(voice.pitch_hz * np.array([1.1, 1.25, 0.95]), _HELD, _tract("@", voice), seconds, 0.05)


def _tract(vowel: str, voice: PatientVoice) -> Array:
    return np.array([[formant * voice.formant_scale] for formant in VOWELS[vowel]])


def _smacks(event: Event) -> Iterator[Sound]:
    onset, offset = event.interval
    for number, moment in enumerate(np.arange(onset, offset - 0.1, 1 / (event.frequency or 1.4))):
        yield float(moment), _CLICK_LEVEL, hiss((1500, 5000), _SOB, 0.04, event.seed % 1000 + number)


def _questions(examination: Examination, voice: PatientVoice) -> Iterator[Sound]:
    # The examiner has the other register, so that question and answer can be told apart.
    other = PatientVoice(200.0, 1.16) if voice.pitch_hz < 150 else PatientVoice(118.0, 1.0)
    for number, moment in enumerate(examination.asked_s, start=examination.phrase):
        # A question of before the video is not heard, only its answer.
        if moment >= 0:
            question = _QUESTIONS[number % len(_QUESTIONS)]
            spoken = say(question, other.pitch_hz, other.formant_scale, examination.QUESTION_S, rising=True)
            yield moment, _SPEECH_LEVEL, spoken


def _answers(examination: Examination, voice: PatientVoice) -> Iterator[Sound]:
    for number, moment in enumerate(examination.replied_s, start=examination.phrase):
        answer = _ANSWERS[number % len(_ANSWERS)]
        yield moment, _REPLY_LEVEL, say(answer, voice.pitch_hz, voice.formant_scale, examination.REPLY_S)


def _stertorous_breathing(script: Script) -> Iterator[Sound]:
    """Snoring breath after a convulsion, 0.4 Hz."""
    for moment in np.arange(script.interval[1] + 0.8, script.duration_s - 0.5, 2.4):
        yield float(moment), _SNORE_LEVEL, hiss((180, 1100), np.array([0, 1, 0.8, 0.0]), 1.1, 11)
