"""Sound lies on the clock of the pictures and is cut to the sample."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_videos import beep_starts, beeps, write_video

from s3harness.media.decode import decode
from s3harness.media.frames import RATE, AudioChunk, EndOfPass
from s3harness.media.resample import cut


def sound(path):
    with path.open("rb") as file:
        items = list(decode(file, {}, audio=True))
    assert isinstance(items[-1], EndOfPass)
    return np.concatenate([item.samples for item in items if isinstance(item, AudioChunk)]), items[-1].end_s


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.ts"])
def test_sound_is_where_it_was_recorded(tmp_path, name):
    samples, end_s = sound(write_video(tmp_path / name, n=50, sound=beeps(5, at=[1, 2.5, 4])))
    assert samples.dtype == np.float32
    assert beep_starts(samples, RATE) == pytest.approx([1, 2.5, 4], abs=0.03)
    assert len(samples) / RATE == pytest.approx(5, abs=0.1)
    assert end_s == pytest.approx(5, abs=0.01)


def test_sound_that_starts_late_is_preceded_by_silence(tmp_path):
    path = write_video(tmp_path / "v.mkv", n=50, sound=beeps(3, at=[1]), sound_shift_s=1.5)
    assert beep_starts(sound(path)[0], RATE) == pytest.approx([2.5], abs=0.03)


def test_sound_from_before_the_first_picture_is_left_out(tmp_path):
    path = write_video(tmp_path / "v.mkv", n=50, sound=beeps(6, at=[0.2, 3]), shift_s=1.0)
    assert beep_starts(sound(path)[0], RATE) == pytest.approx([2], abs=0.03)


def test_two_equal_channels_are_as_loud_as_one(tmp_path):
    one, two = (
        sound(write_video(tmp_path / f"{channels}.mp4", n=30, sound=beeps(3, at=[1], channels=channels)))[0]
        for channels in (1, 2)
    )
    assert np.abs(one).max() == pytest.approx(0.5, abs=0.05)
    assert np.abs(two).max() == pytest.approx(np.abs(one).max(), abs=0.05)


def test_a_hole_in_the_sound_is_silent_and_moves_nothing(tmp_path):
    whole = write_video(tmp_path / "v.ts", n=100, sound=beeps(10, at=[1, 8])).read_bytes()
    packets = [whole[i : i + 188] for i in range(0, len(whole), 188)]
    audio_id = 0x101
    audio = [i for i, packet in enumerate(packets) if ((packet[1] & 0x1F) << 8 | packet[2]) == audio_id]
    lost = set(audio[len(audio) // 3 : len(audio) // 2])
    holed = tmp_path / "holed.ts"
    holed.write_bytes(b"".join(packet for i, packet in enumerate(packets) if i not in lost))
    assert beep_starts(sound(holed)[0], RATE) == pytest.approx([1, 8], abs=0.05)


line = (0.5 * np.sin(2 * np.pi * 440 * np.arange(10 * RATE) / RATE)).astype(np.float32)


@given(st.floats(0, 12), st.floats(0.01, 12), st.sampled_from([8_000, 16_000, 22_050, 24_000, 44_100, 48_000]))
def test_a_cut_has_the_length_of_its_clip(start_s, length_s, rate):
    samples = cut(line, start_s, start_s + length_s, rate)
    assert samples.dtype == np.float32
    assert samples.shape == (round((start_s + length_s - start_s) * rate),)


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100])
def test_a_cut_sounds_like_that_part_of_the_whole(rate):
    n = 2 * rate
    expected = 0.5 * np.sin(2 * np.pi * 440 * (3 + np.arange(n) / rate))
    np.testing.assert_allclose(cut(line, 3, 5, rate), expected, atol=0.01)


def test_behind_the_end_is_silence():
    samples = cut(line, 9, 11, 16_000)
    assert np.abs(samples[: 16_000 - 100]).max() > 0.4
    assert np.abs(samples[16_000 + 100 :]).max() < 1e-3
