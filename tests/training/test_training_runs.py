"""A training run around its trainer: what it is given, what is held out, the card, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from s3harness.dataset.run_card import FILE, read_card, trainings
from s3harness.errors import S3HarnessError, UsageError
from s3harness.media.options import MediaOptions
from s3harness.plugins.manager import manager
from s3harness.plugins.registry import RegistryEntry
from s3harness.run.worker_spec import media_store
from s3harness.training.clips import ClipFrames, mirrored_frames
from s3harness.training.gate import fitted
from s3harness.training.rewards import strict_rewards
from s3harness.training.session import BEGUN, TrainingSettings, run_training
from s3harness.training.training_set import SetSettings, build_training_set

SIDES = SetSettings(tasks=("3",), leave_out_constant=True, balance="drop")
JOBS = []


def noting(job):
    """A trainer that learns nothing: it copies the weights, and keeps the job to be looked at."""
    JOBS.append(job)
    (job.out / "config.json").write_text((job.model / "config.json").read_text())
    return {"clips": "images", "loss": float("nan")}


def failing(job):
    raise MemoryError


@pytest.fixture(autouse=True)
def trainers(monkeypatch):
    entries = dict(manager().registry.entries)
    for name in ("noting", "failing"):
        entries["trainer", name] = RegistryEntry(
            kind="trainer", name=name, target=f"{__name__}:{name}", package="tests", version="0"
        )
    monkeypatch.setattr(manager().registry, "entries", entries)
    JOBS.clear()


@pytest.fixture
def weights(tmp_path):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "config.json").write_text("{}")
    return tmp_path / "weights"


@pytest.fixture
def train(data, tmp_path, weights):
    def run(out="out", *, settings=SIDES, trainer="noting", model=weights, rewards=False, **said):
        made = build_training_set(data, settings)
        chosen = fitted([r for r in strict_rewards(made.specs) if made.of_task(r.task)], made) if rewards else ()
        asked = TrainingSettings("sft", trainer, model, data, tmp_path / out, check_videos=4, **said)
        return json.loads(json.dumps(run_training(asked, made, chosen, lambda line: None)))

    return run


def test_the_card_says_what_was_trained_on_and_how(train, tmp_path):
    card = train(options={"steps": 3}, rewards=True)
    assert card == json.loads((tmp_path / "out" / FILE).read_text())
    assert card["stage"] == "sft" and card["clips"] == "images" and card["base"].startswith("local:")
    assert card["trainer"] == {"name": "noting", "package": "tests 0", "options": {"steps": 3}}
    assert card["result"] == {"loss": None}
    assert [reward["name"] for reward in card["rewards"]] == ["task3_laterality_balanced_accuracy"]


def test_a_second_training_carries_the_first_ones_patients(train, data, tmp_path):
    train("first")
    train("second", model=tmp_path / "first")
    card = read_card(tmp_path / "second")
    assert len(card.patients) == 2 and card.about["before"]["stage"] == "sft"
    told = trainings([tmp_path / "second"])
    assert [training["stage"] for training in told] == ["sft", "sft"]
    assert "digests" not in json.dumps(told) and "salt" not in json.dumps(told)
    with pytest.raises(UsageError, match=r"trained on .* of the patients held out"):
        train("third", model=tmp_path / "first", settings=replace(SIDES, seed=5))


def test_held_out_patients_are_asked_and_scored_like_others(train):
    train()
    held_out, made = JOBS[0].held_out, JOBS[0].made
    shown = {sample.request.clip.video_id for sample in held_out.samples}
    assert shown and not shown & {video.id for video in made.division.training}
    assert held_out.known and {s.request.clip.video_id for s in held_out.known} <= shown
    told = {reference.requests[0]: str(reference.truth) for reference in held_out.references}
    assert held_out.primary(told)["s3/task3_laterality"]["value"] == 1.0
    wrong = held_out.primary(dict.fromkeys(told, "I cannot say"))["s3/task3_laterality"]
    assert wrong["coverage"] == 0.0 and not wrong["value"]
    assert held_out.primary({})["s3/task3_laterality"]["coverage"] == 0.0


def test_a_run_is_gone_on_with_only_as_it_was_begun(train, tmp_path):
    with pytest.raises(S3HarnessError, match="too little memory"):
        train(trainer="failing")
    with pytest.raises(UsageError, match="continue with --resume"):
        train(trainer="failing")
    with pytest.raises(UsageError, match="begun with another trainer, options"):
        train(resume=True, options={"steps": 4})
    (tmp_path / "out" / BEGUN).unlink()
    with pytest.raises(UsageError, match="nothing to resume"):
        train(resume=True)
    train("other")
    with pytest.raises(UsageError, match="is finished"):
        train("other", resume=True)


def test_sampling_is_that_of_an_evaluation(data):
    made = build_training_set(data, replace(SIDES, sampling={"max_frames": 3, "max_pixels": 900}))
    assert {len(s.request.clip.timestamps) for s in made.samples} <= {1, 2, 3}
    assert {s.request.clip.max_pixels for s in made.samples} == {900}
    with pytest.raises(UsageError, match="samples by 'max_frame'"):
        build_training_set(data, replace(SIDES, sampling={"max_frame": 3}))


def test_frames_are_those_of_the_clip_and_flipped_where_the_sample_is(dataset, tmp_path):
    made = build_training_set(dataset, SetSettings(tasks=("7",), leave_out_constant=True, balance="none"))
    clips = ClipFrames(made.division.training, made.samples, media_store(tmp_path, None, MediaOptions()))
    by_clip = {}
    for sample in made.samples:
        by_clip.setdefault(sample.request.clip, {})[sample.mirrored] = clips.frames(sample)
    pairs = [found for found in by_clip.values() if len(found) == 2]
    assert pairs
    for found in pairs:
        assert found[True].timestamps == found[False].timestamps
        assert np.array_equal(found[True].pixels, found[False].pixels[:, :, ::-1])
        assert not np.array_equal(found[True].pixels, found[False].pixels)
        assert np.array_equal(mirrored_frames(found[True]).pixels, found[False].pixels)
