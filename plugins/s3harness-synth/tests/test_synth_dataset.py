"""A data set directory is complete, obeys the contract, and is the same every time."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from s3harness_synth import dataset
from s3harness_synth.cohort import sample_cohort
from s3harness_synth.dataset import synthesize
from s3harness_synth.envelope import Envelope
from s3harness_synth.event import Event
from s3harness_synth.production import Format, film
from s3harness_synth.vocabulary import ARM_MOVEMENT, FEATURES
from synth_stage import TINY, alone, decoded_frames, read_table, take_of

from s3harness.errors import UsageError

TABLES = ("dataset.json", "videos.csv", "features.csv", "reports.csv")
BODY_PARTS = {"head", "eyes", "mouth", "face", "arms", "legs", "full body"} | {
    f"{side} {limb}" for side in ("left", "right") for limb in ("arm", "leg")
}


def test_card_names_the_schema(tiny):
    card = json.loads((tiny / "dataset.json").read_text())
    assert card["schema"] == "s3harness/dataset/v1"
    assert all(card[key] for key in ("name", "version", "licence"))


def test_every_video_has_a_file_a_report_and_plausible_bounds(tiny):
    videos = read_table(tiny / "videos.csv")
    assert len(videos) == TINY["videos"]
    assert [row["video_id"] for row in read_table(tiny / "reports.csv")] == [row["video_id"] for row in videos]
    for row in videos:
        assert (tiny / row["file"]).stat().st_size > 1000
        assert 0 <= float(row["onset_s"]) < float(row["offset_s"]) <= float(row["duration_s"]) == TINY["duration_s"]
        assert row["onset_body_part"] in BODY_PARTS
        assert row["diagnosis"] in ("ES", "NES")


def test_every_video_has_a_row_for_every_feature(tiny):
    rows = read_table(tiny / "features.csv")
    assert list(rows[0])[:7] == ["video_id", "feature", "present", "start_s", "end_s", "side", "justification"]
    for video in read_table(tiny / "videos.csv"):
        features = [row["feature"] for row in rows if row["video_id"] == video["video_id"]]
        assert features[: len(FEATURES)] == list(FEATURES)
        assert features[len(FEATURES) :] in ([], [ARM_MOVEMENT])


def test_only_present_signs_have_times_and_sides(tiny):
    for row in read_table(tiny / "features.csv"):
        timed = row["present"] == "yes" and row["feature"] != "occur_during_sleep"
        assert bool(row["start_s"]) == bool(row["end_s"]) == timed, row
        assert row["side"] in ("", "left", "right", "both")
        assert row["present"] in ("yes", "no") or row["feature"] == "verbal_responsiveness"
        assert row["present"] == "yes" or not row["side"]
        assert row["justification"]


def test_tables_are_utf8_with_plain_newlines_and_nothing_partial_is_left(tiny):
    for name in TABLES:
        assert b"\r" not in (tiny / name).read_bytes()
    assert [path.name for path in tiny.parent.iterdir()] == [tiny.name]


@pytest.mark.parametrize("videos", [2, 3, 7, 20, 61])
def test_split_is_by_patient_one_in_five_with_both_diagnoses(videos):
    members = sample_cohort(videos, seed=videos)
    assert sum(member.videos for member in members) == videos
    assert {member.patient.diagnosis for member in members} == {"ES", "NES"}
    splits = Counter(member.split for member in members)
    assert splits["test"] == max(1, round(len(members) / 5))
    assert splits["train"] >= 1
    if splits["test"] > 1:
        assert {m.patient.diagnosis for m in members if m.split == "test"} == {"ES", "NES"}


@pytest.mark.parametrize("workers", [1, 2])
def test_same_seed_same_tables_and_frames_in_any_number_of_processes(workers, tmp_path):
    small = TINY | {"videos": 2, "duration_s": 2.0}
    synthesize(tmp_path / "first", **small)
    synthesize(tmp_path / "second", **small, workers=workers)
    for name in TABLES:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    for row in read_table(tmp_path / "first" / "videos.csv"):
        first, second = (decoded_frames(tmp_path / folder / row["file"]) for folder in ("first", "second"))
        np.testing.assert_array_equal(first, second)


MADE = """
import sys
from pathlib import Path
from s3harness_synth.dataset import synthesize
synthesize(Path(sys.argv[1]), videos=2, seed=11, resolution=(96, 54), fps=5, duration_s=3.0)
"""


def test_the_files_are_the_same_whatever_order_python_hashes_things_in(tmp_path):
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", MADE, str(tmp_path / seed)], env=environment, check=True)
    files = [path.relative_to(tmp_path / "1") for path in (tmp_path / "1").rglob("*") if path.is_file()]
    assert len(files) == 6
    for file in files:
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes(), file


def test_another_seed_another_story():
    stories = {tuple(take.report for take in dataset.plan_takes(5, seed)) for seed in range(6)}
    assert len(stories) == 6


def test_progress_counts_up_to_all_videos(tmp_path):
    calls = []
    synthesize(tmp_path / "out", **TINY | {"videos": 2, "duration_s": 2.0}, progress=lambda *call: calls.append(call))
    assert calls == [(1, 2), (2, 2)]


def test_drawn_lengths_go_from_20_seconds_to_ten_minutes():
    lengths = [take.script.duration_s for take in dataset.plan_takes(200, 1)]
    assert 20 <= min(lengths) < 30
    assert 300 < max(lengths) <= 600


def test_a_directory_that_holds_something_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UsageError, match=rf"{tmp_path}.*remove it"):
        synthesize(tmp_path, **TINY)
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_an_empty_directory_is_used(tmp_path):
    synthesize(tmp_path, **TINY | {"videos": 1, "duration_s": 2.0})
    assert (tmp_path / "dataset.json").exists()


def test_a_run_that_is_stopped_leaves_nothing(tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthesize(tmp_path / "out", **TINY, progress=stop)
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from s3harness_synth.dataset import synthesize
def stop(done, total):
    os.kill(os.getpid(), signal.SIGKILL)
synthesize(Path(sys.argv[1]), videos=2, seed=1, resolution=(96, 54), fps=2, duration_s=2.0, progress=stop)
"""


def test_what_a_killed_process_left_goes_with_the_next_one(tmp_path):
    out = tmp_path / "out"
    for foreign in (".out.notes.partial", f".out.{os.getppid()}.partial", ".other.99999999.partial"):
        (tmp_path / foreign).mkdir()
    foreign = {path.name for path in tmp_path.iterdir()}
    killed = subprocess.run([sys.executable, "-c", KILLED, str(out)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = {path.name for path in tmp_path.iterdir()} - foreign
    assert left.startswith(".out.")
    synthesize(out, **TINY | {"videos": 1, "duration_s": 2.0})
    assert {path.name for path in tmp_path.iterdir()} == {"out", *foreign}, "only what is surely its own goes"


@pytest.mark.parametrize("balance", [False, True])
def test_balanced_files_take_the_same_rate_whatever_moves(balance, tmp_path):
    """A still and a thrashing patient, filmed in the same light."""
    form = Format((160, 90), 10, False)
    sizes = []
    for event in (
        Event(feature="blank_stare", envelope=Envelope(0.5, 7.5)),
        Event(feature="asynchronous_movement", envelope=Envelope(0.5, 7.5)),
    ):
        rate = 0.3 if balance else None
        take = take_of(alone(event), rate)
        film(take, tmp_path / f"{event.feature}.mp4", form)
        sizes.append((tmp_path / f"{event.feature}.mp4").stat().st_size)
    assert (max(sizes) < 1.05 * min(sizes)) == balance, sizes


@pytest.mark.parametrize(
    "wrong",
    [{"prior": "s4"}, {"videos": 0}, {"fps": 0}, {"resolution": (161, 90)}, {"duration_s": 0.5}, {"workers": 0}],
)
def test_numbers_out_of_range_are_refused(wrong, tmp_path):
    with pytest.raises(UsageError):
        synthesize(tmp_path / "out", **TINY | wrong)
    assert not (tmp_path / "out").exists()
