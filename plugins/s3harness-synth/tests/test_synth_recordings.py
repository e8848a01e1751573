"""Recordings of hours: ordinary life with seizures in between, whose times are exact."""

from __future__ import annotations

import csv
import hashlib
from itertools import pairwise

import av
import numpy as np
import pytest
from click.testing import CliRunner
from s3harness_synth.daily_life import LEAST_GAP_S, is_night
from s3harness_synth.dataset import plan_takes
from s3harness_synth.production import Format, Take, film
from s3harness_synth.recordings import film_recording, plan_recordings, synthesize_recordings

from s3harness.cli import cli

FORM = Format((96, 64), 4, audio=False)


@pytest.fixture(scope="module")
def nights():
    return plan_recordings(6, 8, hours=24, seizures_per_day=8)


def test_every_second_is_of_one_scene_and_seizures_lie_apart(nights):
    assert sum(len(one.seizures) for one in nights) > 20
    for one in nights:
        ends = [start + one.episodes[index].script.duration_s for start, index in one.scenes]
        assert [start for start, _ in one.scenes] == pytest.approx([0.0, *ends[:-1]])
        assert ends[-1] >= one.duration_s
        assert all(later - earlier > LEAST_GAP_S / 2 for (earlier, _), (later, _) in pairwise(one.seizures))
        assert all(0 <= onset < offset <= one.duration_s for onset, offset in one.seizures)


def test_seizures_from_sleep_come_at_night_and_ordinary_scenes_follow_the_clock(nights):
    for one in nights:
        for start, index in one.scenes:
            script = one.episodes[index].script
            hour = (one.start_clock_s + start) / 3600 % 24
            # A seizure begins up to a scene after it was due, and others are filmed as they are planned.
            near_the_edge = min(abs(hour - edge) for edge in (6.5, 22.0)) < 0.2
            if not near_the_edge:
                assert script.from_sleep == is_night(hour)


def test_the_number_of_seizures_is_that_which_was_asked_for(nights):
    many = plan_recordings(40, 3, hours=24, seizures_per_day=3)
    assert sum(len(one.seizures) for one in many) / 40 == pytest.approx(3, abs=4 * (3 / 40) ** 0.5)
    assert any(not one.seizures for one in plan_recordings(40, 3, hours=24, seizures_per_day=1))
    assert not any(one.seizures for one in plan_recordings(5, 3, hours=24, seizures_per_day=0))


def test_data_sets_of_single_events_are_what_they_were():
    assert all(take.script.signs and not take.setting.is_child for take in plan_takes(6, 1))


def test_what_is_shown_at_a_time_is_the_scene_of_the_truth(tmp_path):
    recording = next(
        one for one in plan_recordings(8, 4, hours=0.5, seizures_per_day=48) if one.seizures and len(one.scenes) > 8
    )
    film_recording(recording, tmp_path / "recording.mp4", FORM)
    assert [path.name for path in tmp_path.iterdir()] == ["recording.mp4"]
    start, index = next((s, i) for s, i in recording.scenes if recording.episodes[i].script.signs)
    episode = recording.episodes[index]
    alone = Take(
        video_id="v", patient=recording.patient, split="", script=episode.script, setting=episode.setting, report="",
        seed=episode.seed,
    )  # fmt: skip
    film(alone, tmp_path / "alone.mp4", FORM)
    shown = _frames(tmp_path / "recording.mp4")
    assert len(shown) == round(recording.duration_s * FORM.fps)
    wanted = _frames(tmp_path / "alone.mp4")[: len(shown) - round(start * FORM.fps)]
    assert np.array_equal(shown[round(start * FORM.fps) : round(start * FORM.fps) + len(wanted)], wanted)
    onset, _ = recording.seizures[0]
    assert onset == pytest.approx(start + episode.script.interval[0], abs=0.01)


def test_the_same_seed_gives_the_same_files_whatever_the_workers(tmp_path):
    for name, workers in (("one", 1), ("two", 2)):
        synthesize_recordings(
            tmp_path / name, hours=0.05, videos=2, seed=2, resolution=(64, 48), fps=2, workers=workers
        )
    assert _digests(tmp_path / "one") == _digests(tmp_path / "two")


def test_a_data_set_of_recordings_is_valid_and_answered(tmp_path):
    out = str(tmp_path / "nights")
    size = ("--videos", "6", "--seed", "6", "--resolution", "96x64", "--fps", "2")
    command = ["data", "synth", "--recording", "0.25", "--seizures-per-day", "48", *size, "--out", out]
    made = CliRunner().invoke(cli, command)
    assert made.exit_code == 0, made.output
    assert "6 recordings" in made.output
    with (tmp_path / "nights" / "seizures.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["video_id"] for row in rows} == {f"v000{n}" for n in range(1, 7)}
    valid = CliRunner().invoke(cli, ["data", "validate", out])
    assert valid.exit_code == 0, valid.output
    run = str(tmp_path / "run")
    answered = CliRunner().invoke(
        cli, ["run", "--backend", "kinematics", "--data", out, "--tasks", "s3/task8_detection", "--out", run]
    )
    assert answered.exit_code == 0, answered.output


@pytest.mark.parametrize("option", [("--seconds", "30"), ("--mirrored",), ("--balance-nuisance",)])
def test_an_option_that_a_recording_does_not_heed_is_refused(tmp_path, option):
    refused = CliRunner().invoke(cli, ["data", "synth", "--recording", "1", *option, "--out", str(tmp_path / "x")])
    assert refused.exit_code == 2
    assert "--recording goes with neither" in refused.output


def _frames(path):
    with av.open(str(path)) as container:
        return np.array([frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)])


def _digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
