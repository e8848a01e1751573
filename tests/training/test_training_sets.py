"""What is trained on: the evaluation's own questions, true answers, and nobody who is held out."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, replace

import pytest
from training_cases import NAME, write_dataset

from s3harness.dataset.load import load_dataset
from s3harness.errors import UsageError
from s3harness.run.plan import Plan
from s3harness.specs.loading import load_task, task_names
from s3harness.specs.tasks import resolve
from s3harness.training.rewards import strict_rewards
from s3harness.training.sample import SampleTruth
from s3harness.training.training_set import VIDEO_ONLY, SetSettings, build_training_set
from s3harness.transforms.mirror import mirrored_text, mirrored_video


def test_every_task_has_samples_and_all_samples_are_of_training_patients(training_set):
    assert all(training_set.of_task(task) for task in task_names())
    patient = {video.id: video.patient for video in training_set.dataset.videos}
    trained = {patient[sample.request.clip.video_id] for sample in training_set.samples}
    assert trained == {video.patient for video in training_set.division.training}
    assert not trained & {video.patient for video in training_set.division.held_out}
    assert training_set.division.held_out


def test_questions_are_those_that_an_evaluation_asks(training_set):
    specs = [resolve(load_task(n).data, protocol="strict", profile="strict", model=VIDEO_ONLY) for n in task_names()]
    asked = tuple(spec for spec in specs if not spec.uses)
    plan = Plan(replace(training_set.dataset, videos=training_set.division.training), VIDEO_ONLY, asked, asked)
    known = {request.id for video in plan for step in video.steps for request in step.requests}
    own = [s for s in training_set.samples if not s.mirrored and "task4" not in s.request.task]
    assert own
    assert {sample.request.id for sample in own} <= known
    drawn = {s.request.id for s in training_set.samples if "task4" in s.request.task}
    assert drawn & known, "the first jitter is the evaluation's own"
    assert drawn - known, "the others are not"


def test_the_answers_to_learn_are_read_as_right_by_every_strict_metric(training_set):
    for reward in strict_rewards(training_set.specs):
        paid = [reward.raw(sample.target, sample.truth) for sample in training_set.of_task(reward.task)[::5]]
        assert {round(value, 9) for value in paid if value is not None} == {1.0}, reward.name


def test_an_answer_is_true_of_its_own_clip_alone(training_set):
    label = {video.id: video.features for video in training_set.dataset.videos}
    checked = Counter()
    for sample in training_set.of_task("s3/task1_features"):
        sign = label[sample.request.clip.video_id][sample.request.subject]
        if sign.present == "yes" and sign.start_s is not None:
            clip = sample.request.clip
            shown = sign.start_s <= clip.end_s and (sign.end_s or clip.end_s) >= clip.start_s
            answer = json.loads(sample.target)["answer"]
            assert answer == ("yes" if shown else "no")
            checked[answer] += 1
    assert checked["yes"]
    assert checked["no"]


def test_every_answer_to_a_closed_question_is_equally_common(training_set):
    counts: dict[tuple[str, str], Counter[str]] = {}
    for sample in training_set.samples:
        if sample.request.task in ("s3/task1_features", "s3/task3_laterality", "s3/task7_diagnosis"):
            key = sample.request.task, sample.request.subject
            counts.setdefault(key, Counter())[str(sample.references[0].truth)] += 1
    assert counts
    assert [key for key, count in counts.items() if len(count) < 2 or len(set(count.values())) > 1] == []


def test_every_question_of_a_task_is_as_common_where_samples_are_repeated(data):
    training_set = build_training_set(data, SetSettings(tasks=("1", "3"), leave_out_constant=True))
    for task in ("s3/task1_features", "s3/task3_laterality"):
        counts = Counter(sample.request.subject for sample in training_set.samples if sample.request.task == task)
        assert len(counts) > 1
        assert len(set(counts.values())) == 1


@pytest.mark.parametrize("balance", ["repeat", "drop"])
def test_a_mirrored_room_tells_no_side(data, balance):
    """Where most real patients raise the right arm, and so most mirrored ones the left."""
    dataset = load_dataset(data)
    raised = [v.features["arm_movement"].side for v in dataset.videos if "arm_movement" in v.features]
    assert raised.count("right") != raised.count("left"), "the data must be lopsided for this test to say anything"
    training_set = build_training_set(data, SetSettings(tasks=("3",), balance=balance, leave_out_constant=True))
    counts = Counter(
        (sample.mirrored, sample.target) for sample in training_set.samples if sample.request.subject == "arm_movement"
    )
    assert len(counts) == 4
    assert len(set(counts.values())) == 1


def test_a_mirror_image_has_its_sides_exchanged_in_truth_answer_and_prompt(training_set):
    videos = {video.id: video for video in training_set.division.training}
    for sample in training_set.of_task("s3/task3_laterality"):
        video = videos[sample.request.clip.video_id]
        shown = mirrored_video(video) if sample.mirrored else video
        side = shown.onset_body_part if sample.request.subject == "onset_body_part" else None
        assert sample.target == (side or shown.features[sample.request.subject].side)
    told = [
        s for s in training_set.of_task("s3/task7_diagnosis") if s.mirrored and s.request.subject == "video_and_report"
    ]
    for sample in told:
        assert mirrored_text(videos[sample.request.clip.video_id].report) in sample.request.prompt
    assert told


@pytest.mark.parametrize(
    ("text", "mirrored"),
    [
        ("Left arm, then RIGHT leg.", "Right arm, then LEFT leg."),
        ("Head turns leftward; LUE stiffens.", "Head turns rightward; RUE stiffens."),
        ("All right. She left the bed right away.", "All right. She left the bed right away."),
        ("The left-handed patient was left alone", "The right-handed patient was left alone"),
        ("bright, leftover, figure 4", "bright, leftover, figure 4"),
    ],
)
def test_words_are_mirrored_where_they_are_sides(text, mirrored):
    assert mirrored_text(text) == mirrored


def test_twice_mirrored_is_as_before(training_set):
    assert [v for v in training_set.dataset.videos if mirrored_video(mirrored_video(v)) != v] == []
    assert any(mirrored_video(v) != v for v in training_set.dataset.videos)


def test_no_sample_holds_a_name_or_a_file(training_set):
    told = "\n".join(json.dumps(asdict(sample)) for sample in training_set.samples)
    assert NAME not in told
    assert ".mp4" not in told


def test_the_same_seed_gives_the_same_set_and_another_one_does_not(data):
    settings = SetSettings(tasks=("3", "4"), leave_out_constant=True)
    first, again = build_training_set(data, settings), build_training_set(data, settings)
    other = build_training_set(data, replace(settings, seed=1))
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != other.fingerprint


def test_a_split_is_trained_on_alone(data):
    training_set = build_training_set(data, SetSettings(tasks=("4",), split="train"))
    assert {video.split for video in training_set.division.training} == {"train"}
    assert {video.split for video in training_set.division.held_out} == {"test"}


def test_a_truth_survives_the_way_through_a_column(training_set):
    for task in training_set.specs:
        truth = training_set.of_task(task)[0].truth
        assert SampleTruth.from_text(truth.as_text()) == truth


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (SetSettings(split="nowhere"), "no videos of split 'nowhere'"),
        (SetSettings(held_out=1.5), "above 0 and below 1"),
        (SetSettings(held_out=0.999), "patients are to train on"),
        (SetSettings(balance="fair"), "no balance named 'fair'"),
        (SetSettings(jitters=0), "at least 1"),
        (SetSettings(tasks=("9",)), "no task named"),
    ],
)
def test_bad_settings_are_named(data, settings, said):
    with pytest.raises(UsageError, match=said):
        build_training_set(data, settings)


def test_one_class_missing_is_named_with_its_remedy(tmp_path):
    data = write_dataset(tmp_path / "data", diagnosis="ES")
    with pytest.raises(UsageError, match=r"video .*task7_diagnosis\) is always 'ES'.*--leave-out-constant"):
        build_training_set(data, SetSettings(tasks=("7",)))
    with pytest.raises(UsageError, match="every question has only one answer"):
        build_training_set(data, SetSettings(tasks=("7",), leave_out_constant=True))


def test_too_few_patients_are_named(tmp_path):
    data = write_dataset(tmp_path / "data", videos=2, patients=2)
    with pytest.raises(UsageError, match=r"of 2 patients are .* needed; add patients"):
        build_training_set(data, SetSettings(tasks=("4",)))


def test_a_mix_gives_tasks_their_shares_and_keeps_answers_balanced(data):
    settings = SetSettings(tasks=("1", "3", "7"), leave_out_constant=True)
    plain = build_training_set(data, settings)
    mixed = build_training_set(data, replace(settings, mix={"even": 1.0}))
    counts = Counter(sample.request.task for sample in mixed.samples)
    assert max(counts.values()) - min(counts.values()) <= 1 and len(counts) == 3
    assert abs(len(mixed.samples) - len(plain.samples)) <= 3
    assert Counter(s.request.task for s in plain.samples)["s3/task1_features"] > 0.8 * len(plain.samples)
    sides = Counter(s.target for s in mixed.samples if s.request.subject == "head_turning")
    assert sides["left"] == pytest.approx(sides["right"], rel=0.05)
    heavy = build_training_set(data, replace(settings, mix={"even": 1.0, "3": 2.0, "7": 0.0}))
    shares = Counter(sample.request.task for sample in heavy.samples)
    assert set(shares) == {"s3/task1_features", "s3/task3_laterality"}
    assert shares["s3/task3_laterality"] == pytest.approx(2 * shares["s3/task1_features"], abs=2)
    again = build_training_set(data, replace(settings, mix={"even": 1.0}))
    assert again.fingerprint == mixed.fingerprint != plain.fingerprint


@pytest.mark.parametrize("mix", [{"4": 1.0}, {"3": -1.0}, {"3": float("nan")}, {"3": 0.0}])
def test_a_mix_that_makes_no_sense_is_refused(data, mix):
    with pytest.raises(UsageError, match="mix"):
        build_training_set(data, SetSettings(tasks=("3",), leave_out_constant=True, mix=mix))
