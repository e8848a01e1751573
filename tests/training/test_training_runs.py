"""A training run around its trainer: what it is given, what is held out, the card, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from training_cases import NAME

from s3harness.cli.train import train as train_commands
from s3harness.dataset.run_card import FILE, as_trained, read_card, trainings
from s3harness.errors import S3HarnessError, UsageError
from s3harness.media.options import MediaOptions
from s3harness.plugins.manager import manager
from s3harness.plugins.registry import RegistryEntry
from s3harness.run.worker_spec import media_store
from s3harness.specs.models import ModelCard
from s3harness.specs.resolution import resolve_model
from s3harness.training.clips import ClipFrames, mirrored_frames
from s3harness.training.gate import fit_floors
from s3harness.training.rewards import strict_rewards
from s3harness.training.session import BEGUN, TrainingSettings, run_training
from s3harness.training.training_set import SetSettings, build_training_set
from tests.specs.released_configs import write_released

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
    def run(out="out", *, settings=SIDES, trainer="noting", model=weights, rewards=False, **more):
        training_set = build_training_set(data, settings)
        chosen = (
            fit_floors([r for r in strict_rewards(training_set.specs) if training_set.of_task(r.task)], training_set)
            if rewards
            else ()
        )
        run_settings = TrainingSettings(
            stage="sft", trainer=trainer, model=model, data=data, out=tmp_path / out, check_videos=4, **more
        )
        return json.loads(json.dumps(run_training(run_settings, training_set, chosen, lambda line: None)))

    return run


def test_the_card_says_what_was_trained_on_and_how(train, tmp_path):
    card = train(options={"steps": 3}, rewards=True)
    assert card == json.loads((tmp_path / "out" / FILE).read_text())
    assert card["stage"] == "sft" and card["clips"] == "images" and card["base"].startswith("local:")
    assert card["trainer"] == {"name": "noting", "package": "tests 0", "options": {"steps": 3}}
    assert card["result"] == {"loss": None}
    assert [reward["name"] for reward in card["rewards"]] == ["task3_laterality_balanced_accuracy"]


def test_a_model_card_is_written_in_the_hubs_form_and_names_nobody(train, data, tmp_path):
    from huggingface_hub import ModelCard as HubCard

    train("first", options={"steps": 3}, rewards=True)
    train("second", model=tmp_path / "first")
    text = (tmp_path / "second" / "README.md").read_text(encoding="utf-8")
    hub = HubCard.load(tmp_path / "first" / "README.md")
    assert hub.data.license == "other" and "research-use-only" in hub.data.tags
    card = json.loads((tmp_path / "first" / FILE).read_text())
    for fact in ("Intended use", "must not be used for diagnosis", "licence CC0-1.0", card["data"]["fingerprint"]):
        assert fact in hub.text, fact
    assert "`task3_laterality_balanced_accuracy` × 1" in hub.text and "steps=3" in hub.text
    assert "trained before: sft" in text and NAME not in text + hub.text and str(tmp_path) not in text


def test_weights_are_shown_clips_in_the_form_of_their_training(train, tmp_path):
    card = ModelCard("any", modalities=("video", "audio"))
    for out, facts in (("images", {}), ("heard", {"audio": "in_video", "clips": "video"}), ("deaf", {"audio": "none"})):
        written = train(out) | facts
        (tmp_path / out / FILE).write_text(json.dumps(written))
    of = {out: as_trained(card, [tmp_path / out]) for out in ("images", "heard", "deaf")}
    assert of["images"] == replace(card, clip_form="images")
    assert of["heard"] == replace(card, audio_in_video=True)
    assert of["deaf"] == replace(card, clip_form="images", modalities=("video",))
    # An adapter was trained after the weights that it adapts.
    assert as_trained(card, [tmp_path / "images", tmp_path / "heard"]) == of["heard"]
    assert as_trained(card, [tmp_path / "weights"]) == card


@pytest.mark.parametrize("name", ["Qwen2.5-VL-7B-Instruct", "Qwen2.5-Omni-7B"])
def test_weights_without_a_card_are_trained_by_the_one_of_their_evaluation(name, data, tmp_path):
    directory = write_released(name, tmp_path / "released")
    words = (
        f"sft --trainer noting --model {directory} --data {data} --tasks 3 --leave-out-constant --out {tmp_path / 'o'}"
    )
    result = CliRunner().invoke(train_commands, words.split())
    assert result.exit_code == 0, result.output
    evaluated = resolve_model(f"{directory}").card
    assert JOBS[-1].card == evaluated and evaluated.hears() == ("Omni" in name)
    settings = json.loads((tmp_path / "o" / FILE).read_text())["set"]["settings"]
    assert settings["model"] == evaluated.name and str(directory) not in json.dumps(settings)


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
    held_out, training_set = JOBS[0].held_out, JOBS[0].training_set
    shown = {sample.request.clip.video_id for sample in held_out.samples}
    assert shown and not shown & {video.id for video in training_set.division.training}
    assert held_out.labelled and {s.request.clip.video_id for s in held_out.labelled} <= shown
    told = {reference.requests[0]: str(reference.truth) for reference in held_out.references}
    assert held_out.primary(told)["s3/task3_laterality"]["value"] == 1.0
    wrong = held_out.primary(dict.fromkeys(told, "I cannot say"))["s3/task3_laterality"]
    assert wrong["coverage"] == 0.0 and not wrong["value"]
    assert held_out.primary({})["s3/task3_laterality"]["coverage"] == 0.0


def test_the_old_names_of_a_job_warn_and_work(train):
    train()
    (job,) = JOBS
    for owner, old, new in (
        (job, "made", "training_set"),
        (job, "say", "report_status"),
        (job.held_out, "known", "labelled"),
        (job.held_out.samples[0], "question", "truth"),
    ):
        with pytest.warns(DeprecationWarning, match=rf"\.{old} is now {new}"):
            assert getattr(owner, old) == getattr(owner, new)


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
    training_set = build_training_set(data, replace(SIDES, sampling={"max_frames": 3, "max_pixels": 900}))
    assert {len(s.request.clip.timestamps) for s in training_set.samples} <= {1, 2, 3}
    assert {s.request.clip.max_pixels for s in training_set.samples} == {900}
    with pytest.raises(UsageError, match="sampling parameter 'max_frame'"):
        build_training_set(data, replace(SIDES, sampling={"max_frame": 3}))


def test_frames_are_those_of_the_clip_and_flipped_where_the_sample_is(dataset, tmp_path):
    training_set = build_training_set(dataset, SetSettings(tasks=("7",), leave_out_constant=True, balance="none"))
    clips = ClipFrames(
        training_set.division.training, training_set.samples, media_store(tmp_path, None, MediaOptions())
    )
    by_clip = {}
    for sample in training_set.samples:
        by_clip.setdefault(sample.request.clip, {})[sample.mirrored] = clips.frames(sample)
    pairs = [frames for frames in by_clip.values() if len(frames) == 2]
    assert pairs
    for frames in pairs:
        assert frames[True].timestamps == frames[False].timestamps
        assert np.array_equal(frames[True].pixels, frames[False].pixels[:, :, ::-1])
        assert not np.array_equal(frames[True].pixels, frames[False].pixels)
        assert np.array_equal(mirrored_frames(frames[True]).pixels, frames[False].pixels)
