"""Probes of the rewards: a model that looks loses reward from changed clips, and one that guesses does not."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from training_cases import write_dataset

from s3harness.media.options import MediaOptions
from s3harness.run.worker_spec import media_store
from s3harness.training.gate import fit_floors
from s3harness.training.held_out import HeldOut
from s3harness.training.presets import rewards_named
from s3harness.training.reward_probes import VIEWS, probe_rewards
from s3harness.training.training_set import VIDEO_ONLY, SetSettings, build_training_set

SIDE = {"left": "right", "right": "left"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Training set, held-out samples and rewards of sides and boundaries; patients enough for intervals."""
    data = write_dataset(tmp_path_factory.mktemp("probes") / "data", videos=48, patients=24)
    settings = SetSettings(tasks=("3", "4"), held_out=0.5, leave_out_constant=True)
    training_set = build_training_set(data, settings)
    store = media_store(tmp_path_factory.mktemp("cache"), None, MediaOptions())
    held_out = HeldOut.of(training_set, VIDEO_ONLY, store, videos=24)
    rewards = fit_floors(rewards_named({"strict": 1.0}, training_set), training_set)
    return training_set, held_out, rewards


def probes_of(trained, answer, number=200):
    training_set, held_out, rewards = trained
    samples, lines = held_out.spread(number), []

    def answers_of(asked, view):
        return {sample.request.id: answer(sample, view) for sample in asked}

    probes = probe_rewards(rewards, training_set.specs, samples, answers_of, lines.append)
    assert json.loads(json.dumps(probes)) == probes and len(lines) == len(probes)
    return {probe["view"]: probe for probe in probes}, lines


def test_a_model_that_looks_loses_the_reward_of_what_it_can_no_longer_see(trained):
    held_out = trained[1]
    by_clip = {(s.request.subject, s.request.clip): s.target for s in held_out.labelled}

    def looking(sample, view):
        shown = by_clip[sample.request.subject, sample.request.clip]
        return {"": shown, "mirrored": SIDE.get(shown, "body"), "shuffled": "00:00"}.get(view, "nothing to be seen")

    probes, lines = probes_of(trained, looking)
    assert set(probes) == set(VIEWS)
    assert [view for view, probe in probes.items() if not probe["loses"]] == [], probes
    assert all(line.endswith(": loses") for line in lines)
    assert probes["blank"]["reward"] == pytest.approx(1.0) and probes["blank"]["changed_reward"] == 0.0
    assert probes["mirrored"]["samples"] < probes["blank"]["samples"]


def test_a_model_that_does_not_look_is_found_out(trained):
    commonest = {}
    for sample in trained[0].samples:
        commonest.setdefault(sample.request.task, Counter())[sample.target] += 1
    probes, lines = probes_of(trained, lambda s, view: commonest[s.request.task].most_common(1)[0][0])
    assert {probe["loses"] for probe in probes.values()} == {False}
    assert all("DOES NOT LOSE" in line for line in lines)


def test_few_samples_are_of_all_questions_and_patients(trained):
    held_out = trained[1]
    questions = {(sample.request.task, sample.request.subject) for sample in held_out.labelled}
    chosen = held_out.spread(len(questions))
    assert {(sample.request.task, sample.request.subject) for sample in chosen} == questions
    assert held_out.spread(10_000) and held_out.spread(0) == []
    one, _ = probes_of(trained, lambda s, view: "left", number=1)
    assert not any(probe["loses"] or probe["low"] is not None for probe in one.values())
