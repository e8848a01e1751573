"""What is heard is what the script says, and the file that holds it says nothing else."""

import av
import numpy as np
import pytest
from s3harness_synth.dataset import synthesize
from s3harness_synth.envelope import Envelope
from s3harness_synth.event import Event, Examination
from s3harness_synth.sound import ROOM_LEVEL, VOCAL_STYLES
from s3harness_synth.voice import RATE
from synth_stage import TINY, alone, read_table, sound_of

STARE = Event(feature="blank_stare", envelope=Envelope(0.5, 9.5))


def level(sound, start, end):
    """Root mean square between two moments."""
    return float(np.sqrt(np.mean(np.square(sound[round(start * RATE) : round(end * RATE)], dtype=np.float64))))


@pytest.mark.parametrize("style", VOCAL_STYLES)
def test_a_voice_is_heard_in_its_interval_and_only_there(style):
    event = Event(feature="ictal_vocalization", envelope=Envelope(3, 7), style=style)
    sound = sound_of(alone(event, STARE, duration_s=10.0))
    onset, offset = event.interval
    assert len(sound) == 10 * RATE
    assert np.abs(sound).max() <= 1
    assert level(sound, onset, offset) > 10 * ROOM_LEVEL
    assert level(sound, onset, onset + 0.4) > 5 * ROOM_LEVEL
    assert level(sound, offset - 1.2, offset) > 3 * ROOM_LEVEL
    for quiet in ((0, onset - 0.02), (offset + 0.05, 10)):
        assert level(sound, *quiet) < 1.5 * ROOM_LEVEL


def test_grunts_come_with_the_jerks():
    cry = Event(feature="ictal_vocalization", envelope=Envelope(1, 14), style="cry")
    clonic = Event(feature="clonic", envelope=Envelope(6, 14), side="both", frequency=1.4, final_frequency=0.8)
    sound = sound_of(alone(cry, clonic, duration_s=16.0))
    heard = [moment for moment in clonic.moments if moment < 12]
    assert all(level(sound, m, m + 0.2) > 3 * level(sound, m + 0.3, m + 0.5) for m in heard)


@pytest.mark.parametrize(("replied", "answered"), [(None, False), (1.0, True)])
def test_the_examiners_question_is_heard_and_the_answer_if_there_is_one(replied, answered):
    script = alone(STARE, duration_s=10.0, examination=Examination((3.0,), replied))
    sound = sound_of(script)
    assert level(sound, 3.0, 4.5) > 5 * ROOM_LEVEL
    assert (level(sound, 5.5, 6.9) > 5 * ROOM_LEVEL) == answered
    assert level(sound, 0, 2.9) < 1.5 * ROOM_LEVEL


def test_the_container_holds_h264_and_aac_of_the_stated_size_and_rate_and_no_metadata(tiny):
    for row in read_table(tiny / "videos.csv"):
        with av.open(str(tiny / row["file"])) as container:
            video, audio = container.streams.video[0], container.streams.audio[0]
            assert (video.codec_context.name, video.pix_fmt) == ("h264", "yuv420p")
            assert (audio.codec_context.name, audio.rate) == ("aac", RATE)
            assert (video.width, video.height) == TINY["resolution"]
            assert video.average_rate == TINY["fps"] == int(row["fps"])
            assert video.frames == TINY["fps"] * TINY["duration_s"]
            assert float(audio.duration * audio.time_base) == pytest.approx(TINY["duration_s"], abs=0.05)
            told = {*container.metadata, *video.metadata, *audio.metadata}
            assert not told & {"creation_time", "encoder", "title", "comment", "date"}


def test_a_silent_data_set_has_no_sound_track(tmp_path):
    synthesize(tmp_path / "out", **TINY | {"videos": 1, "duration_s": 2.0}, audio=False)
    with av.open(str(tmp_path / "out" / "videos" / "v0001.mp4")) as container:
        assert not container.streams.audio
