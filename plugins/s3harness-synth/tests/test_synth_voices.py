"""Kinds of sound can be told apart by their waveform: pitch, how it moves, how the sound comes and goes."""

from dataclasses import replace

import numpy as np
import pytest
from s3harness_synth.envelope import Envelope
from s3harness_synth.event import Event, Examination
from s3harness_synth.sound import ROOM_LEVEL
from s3harness_synth.voice import RATE
from synth_stage import alone, plain_patient, sound_of

STARE = Event(feature="blank_stare", envelope=Envelope(0.5, 11.5))
ONSET, OFFSET = 2.0, 11.0
FRAME_S = 0.04


def events_sound(*events, **more):
    return sound_of(alone(*(events or (STARE,)), duration_s=13.0, **more)).astype(np.float64)


def pieces(sound, start, end, seconds=FRAME_S):
    size = round(seconds * RATE)
    part = sound[round(start * RATE) : round(end * RATE)]
    return part[: len(part) // size * size].reshape(-1, size)


def loudness(sound, start, end):
    return np.sqrt(np.mean(np.square(pieces(sound, start, end)), axis=1))


def pitches(sound, start, end):
    """Fundamental in Hz of each frame that is loud and periodic, by autocorrelation."""
    found = []
    for frame in pieces(sound, start, end):
        spectrum = np.abs(np.fft.rfft(frame * np.hanning(len(frame)), 2 * len(frame))) ** 2
        correlation = np.fft.irfft(spectrum)
        lags = np.arange(RATE // 700, RATE // 70)
        best = lags[correlation[lags].argmax()]
        if np.sqrt(np.mean(frame**2)) > 8 * ROOM_LEVEL and correlation[best] > 0.45 * correlation[0]:
            found.append(RATE / best)
    return np.array(found)


def voice(style):
    return Event(feature="ictal_vocalization", envelope=Envelope.spanning(ONSET, OFFSET, 0.3), style=style)


def bursts(sound, start, end):
    """How often a second the sound comes up to a fifth of its peak."""
    loud = loudness(sound, start, end) > 0.2 * loudness(sound, start, end).max()
    return np.sum(np.diff(loud.astype(int)) == 1) / (end - start)


HABITUAL_HZ = plain_patient().voice.pitch_hz


def test_an_ictal_cry_is_one_long_sound_that_rises_high():
    cry = events_sound(voice("cry"))
    assert (loudness(cry, ONSET + 0.2, ONSET + 1.6) > 8 * ROOM_LEVEL).all(), "no gap"
    heard = pitches(cry, ONSET, ONSET + 2.0)
    assert heard.max() > 2.5 * HABITUAL_HZ
    assert heard.max() > 1.4 * heard[:3].mean()


def test_weeping_is_a_train_of_short_high_sobs():
    weeping = events_sound(voice("weeping"))
    assert 1.0 < bursts(weeping, ONSET, OFFSET) < 3.0
    assert 250 < np.median(pitches(weeping, ONSET, OFFSET)) < 520


@pytest.mark.parametrize("style", ["groan", "moan"])
def test_groans_and_moans_are_longer_and_lower_than_sobs(style):
    sound = events_sound(voice(style))
    assert bursts(sound, ONSET, OFFSET) < 0.8
    assert np.median(pitches(sound, ONSET, OFFSET)) < 2 * HABITUAL_HZ < 2.5 * HABITUAL_HZ


def test_grunts_keep_the_time_of_the_jerks():
    clonic = Event(
        feature="clonic", envelope=Envelope.spanning(5, 12.5, 0.4), side="both", frequency=1.6, final_frequency=1.0
    )
    grunting = events_sound(
        Event(feature="ictal_vocalization", envelope=Envelope.spanning(1, 12.8, 0.3), style="cry"), clonic
    )
    jerks = [moment for moment in clonic.moments if 5.2 < moment < 12]
    expected = len(jerks) / (jerks[-1] + 0.5 - jerks[0])
    assert bursts(grunting, jerks[0] - 0.2, jerks[-1] + 0.3) == pytest.approx(expected, rel=0.25)


def test_chewing_clicks_are_noise_without_pitch():
    event = Event(feature="oral_automatisms", envelope=Envelope.spanning(ONSET, OFFSET, 0.3), frequency=1.25)
    chewing = events_sound(event)
    for bite in np.arange(ONSET, OFFSET - 0.5, 0.8):
        assert loudness(chewing, bite, bite + 0.04)[0] > 1.5 * loudness(chewing, bite + 0.3, bite + 0.7).mean()
    assert len(pitches(chewing, ONSET, OFFSET)) == 0


def test_examiner_and_patient_have_voices_of_their_own_and_no_answer_is_silence():
    answered = events_sound(STARE, examination=Examination((4.0,), 1.0))
    silent = events_sound(STARE, examination=Examination((4.0,), None))
    asks, replies = (np.median(pitches(answered, *span)) for span in ((4.0, 5.5), (6.5, 7.9)))
    assert max(asks / replies, replies / asks) > 1.3
    assert replies == pytest.approx(HABITUAL_HZ, rel=0.2)
    assert len(pitches(silent, 6.0, 12.0)) == 0


def test_speech_changes_its_timbre_and_a_groan_does_not():
    def wandering(sound, start, end):
        """How much the centre of the spectrum moves, relative to where it is."""
        frames = [f for f in pieces(sound, start, end, 0.05) if np.sqrt(np.mean(f**2)) > 8 * ROOM_LEVEL]
        spectra = np.abs(np.fft.rfft(np.array(frames) * np.hanning(len(frames[0])), axis=1))
        centres = (spectra * np.fft.rfftfreq(len(frames[0]), 1 / RATE)).sum(axis=1) / spectra.sum(axis=1)
        return centres.std() / centres.mean()

    speech = events_sound(STARE, examination=Examination((4.0,), 1.0))
    assert wandering(speech, 6.5, 7.9) > 1.5 * wandering(events_sound(voice("groan")), ONSET + 0.2, ONSET + 1.2)


def test_the_room_is_never_silent_and_hums_low():
    room = events_sound(STARE)
    assert loudness(room, 0, 12).min() > 0.5 * ROOM_LEVEL and loudness(room, 0, 12).max() < 2 * ROOM_LEVEL
    power = np.abs(np.fft.rfft(room)) ** 2
    frequencies = np.fft.rfftfreq(len(room), 1 / RATE)
    assert power[frequencies < 1000].sum() > 0.6 * power.sum()
    assert power[frequencies > 2000].sum() > 0.001 * power.sum(), "air, not a tone"


def test_breathing_is_loud_after_a_convulsion_only():
    clonic = Event(feature="clonic", envelope=Envelope.spanning(1, 5, 0.4), side="both", frequency=2.0)
    script = alone(clonic, duration_s=13.0)
    after = {kind: sound_of(replace(script, archetype=kind)) for kind in ("tonic_clonic", "posturing")}
    levels = {kind: loudness(sound.astype(float), 6, 13).max() for kind, sound in after.items()}
    assert levels["tonic_clonic"] > 2 * levels["posturing"]
