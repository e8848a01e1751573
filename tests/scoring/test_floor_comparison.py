"""Whether a score is above its floor is a paired test by patient, corrected over what is shown together."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from made_up_run import write_run

from s3harness.metrics.base import Pair
from s3harness.metrics.one_class import one_class_warnings
from s3harness.report.table import print_scores
from s3harness.scoring.above_floor import corrected, is_above_floor
from s3harness.scoring.score_file import read_scores
from s3harness.scoring.score_run import score_run
from s3harness.scoring.score_task import build_metric, score_task
from s3harness.specs.loading import load_task, task_names
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import resolve
from s3harness.stats import paired_permutation
from s3harness.testing.answerers import honest
from s3harness.testing.cases import made_up_videos, references_of
from s3harness.types import FloorTest, Prediction, Reference, Score

MODEL = ModelCard("tested", modalities=("video", "audio"))


def spec(task):
    return resolve(load_task(task).data, protocol="strict", profile="strict", model=MODEL)


def primary(task, references, predictions, **more):
    return next(s for s in score_task(spec(task), references, predictions, resamples=50, **more) if s.primary)


def diagnosed(patients, right):
    """Three videos a patient, half of the patients ES; the first ``right`` patients of each are diagnosed rightly."""
    references = [
        Reference(
            item=f"i{n}",
            task="t",
            video_id=f"v{n}",
            subject="video",
            cluster=n // 3,
            truth="ES" if n // 3 % 2 else "NES",
        )
        for n in range(3 * patients)
    ]
    other = {"ES": "NES", "NES": "ES"}
    return references, [Prediction(r.item, r.truth if r.cluster // 2 < right else other[r.truth]) for r in references]


@pytest.mark.parametrize(
    ("patients", "right", "is_above"), [(24, 12, True), (24, 9, True), (24, 6, False), (4, 2, False)]
)
def test_a_score_is_above_its_floor_where_a_paired_test_by_patient_says_so(patients, right, is_above):
    score = primary("7", *diagnosed(patients, right))
    assert score.floor == 0.5
    assert score.floor_test.difference == pytest.approx(score.value - score.floor)
    assert is_above_floor(score) is is_above
    if patients == 4:
        assert score.value == 1.0
        assert score.floor_test.p_value is None, "so few patients cannot show it"


@pytest.mark.parametrize("task", ["1", "3", "7"])
def test_of_equal_floors_a_coin_is_compared_with(task):
    """A constant is right about all of one class, so that exchanging it with a model says little."""
    references = references_of(spec(task).item, made_up_videos(60, patients=20))
    tests = {s.metric: s for s in score_task(spec(task), references, honest(spec(task).item, references), resamples=9)}
    balanced = next(score for name, score in tests.items() if name.startswith("balanced accuracy"))
    assert balanced.floor_name == "coin"


def test_more_is_better_in_the_test_whatever_the_metric():
    references = references_of("boundary", made_up_videos(60, patients=20))
    score = primary("4", references, honest("boundary", references))
    assert score.value < score.floor
    assert score.floor_test.difference == pytest.approx(score.floor - score.value)
    assert score.floor_test.interval.low <= score.floor_test.difference <= score.floor_test.interval.high
    assert is_above_floor(score)


def test_videos_of_one_patient_are_one_piece_of_evidence():
    """Sixty right answers about three patients show less than sixty about thirty."""
    few, many = (
        primary("7", *_with_patients(diagnosed(20, 20), clusters)) for clusters in (lambda n: n % 4, lambda n: n)
    )
    assert few.value == many.value == 1.0
    assert many.floor_test.p_value < 0.01
    assert few.floor_test.p_value is None, "too few patients for a test"


def test_a_class_of_few_patients_leaves_no_test_as_it_leaves_no_interval():
    """Nine patients, two of them NES, all items of whom may be right by luck."""
    references, predictions = diagnosed(24, 9)
    rare = [(r, p) for r, p in zip(references, predictions, strict=True) if r.truth == "ES" or r.cluster in (0, 2)]
    score = primary("7", *map(list, zip(*rare, strict=True)))
    assert score.interval is None
    assert "NES of 2" in score.interval_note
    assert score.floor_test.interval is None
    assert score.floor_test.p_value is None


def _with_patients(pairs, cluster):
    references, predictions = pairs
    return [replace(r, cluster=cluster(r.cluster)) for r in references], predictions


def test_blind_answers_are_above_no_floor():
    references, _ = diagnosed(24, 0)
    rng = np.random.default_rng(0)
    blind = [
        primary("7", references, [Prediction(r.item, str(rng.choice(["ES", "NES"]))) for r in references])
        for _ in range(10)
    ]
    assert not any(map(is_above_floor, blind))


def scored(p_value, difference=0.1, p_adjusted=None):
    test = FloorTest(difference, None, p_value, p_adjusted)
    return Score(
        task="t",
        metric="m",
        value=0.6,
        interval=None,
        floor=0.5,
        floor_name="f",
        ceiling=1.0,
        n_items=10,
        n_patients=5,
        coverage=1.0,
        lost={},
        primary=True,
        floor_test=test,
    )


def test_p_values_are_corrected_over_all_that_is_shown_together():
    several = corrected([scored(0.01), scored(0.02), scored(0.04), replace(scored(0.5), floor_test=None)])
    assert [s.floor_test.p_adjusted for s in several[:3]] == pytest.approx([0.03, 0.04, 0.04])
    assert several[3].floor_test is None
    assert [s.floor_test.p_adjusted for s in corrected(several[:1])] == pytest.approx([0.01])


@pytest.mark.parametrize(
    ("score", "is_above"),
    [
        (scored(0.01, p_adjusted=0.04), True),
        (scored(0.01, p_adjusted=0.06), False),
        (scored(0.01, difference=-0.1, p_adjusted=0.04), False),
        (scored(0.01), False),
        (replace(scored(0.01), floor_test=None), False),
    ],
)
def test_above_the_floor_is_decided_by_the_corrected_p_value_and_the_direction(score, is_above):
    assert is_above_floor(score) is is_above


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("compared") / "all", 16)


def test_a_run_is_corrected_over_its_primary_metrics_and_keeps_it_in_its_file(run):
    scores = score_run(run, resamples=40)
    tests = [s.floor_test for s in scores if s.floor_test]
    assert len(tests) == sum(s.primary for s in scores) == len(task_names())
    assert all(test.p_adjusted >= test.p_value for test in tests)
    assert any(test.p_adjusted > test.p_value for test in tests)
    assert read_scores(run) == scores
    assert {s.floor_name.partition(" (")[2] for s in scores if s.floor_name} <= {"", "leave-patient-out)"}


def test_each_score_has_the_line_of_a_simulated_reader_between_floor_and_ceiling(run):
    for score in score_run(run, resamples=40):
        if score.primary:
            assert score.informed_name.startswith("reader: "), score.task
            assert min(score.floor, score.ceiling) < score.informed < max(score.floor, score.ceiling), score.task


def test_a_task_of_garbage_ranks_below_the_same_task_honestly_answered(run):
    honest_scores = {s.task: s for s in score_run(run, resamples=40) if s.primary}
    journal = run / "responses.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for line in lines:
        if line["task"] == "s3/task4_temporal_boundaries":
            line["text"], line["status"] = "%&!", "ok"
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    garbage = {s.task: s for s in score_run(run, resamples=40) if s.primary}
    assert garbage.keys() == honest_scores.keys()
    task = "s3/task4_temporal_boundaries"
    assert garbage[task].coverage == 0.0
    assert garbage[task].value > honest_scores[task].value, "a worse error"
    assert garbage[task].skill < honest_scores[task].skill
    assert None not in [score.skill for score in garbage.values()]
    assert np.mean([s.skill for s in garbage.values()]) < np.mean([s.skill for s in honest_scores.values()])


ONE_CLASS = "every item has the truth 'yes': always answering it is right, and the task cannot be scored"


def test_a_task_of_one_class_warns_that_nothing_can_be_learnt_from_it(capsys):
    references = [
        Reference(item=f"i{n}", task="s3/task1_features", video_id=f"v{n}", subject="tonic", cluster=n, truth="yes")
        for n in range(6)
    ]
    said = [Prediction(r.item, "yes") for r in references]
    scores = score_task(spec("1"), references, said, resamples=50)
    assert {score.warning for score in scores} == {ONE_CLASS}
    print_scores(scores)
    assert ONE_CLASS in capsys.readouterr().out
    assert one_class_warnings(references) == {"s3/task1_features": ONE_CLASS}


def test_subjects_of_one_class_are_named_beside_the_others():
    references = [
        Reference(item=f"{subject}{n}", task="t", video_id=f"v{n}", subject=subject, cluster=n, truth=truth)
        for subject, truths in {"tonic": ("yes", "no", "untested"), "clonic": ("no", "no", "untested")}.items()
        for n, truth in enumerate(truths)
    ]
    assert one_class_warnings(references) == {
        "t": "1 of 2 questions has one true answer alone and cannot be scored by a balanced metric: clonic (no)"
    }
    assert one_class_warnings([r for r in references if r.subject == "tonic"]) == {}
    assert one_class_warnings(references_of("boundary", made_up_videos(8, patients=4))) == {}


def test_a_difference_of_scores_ends_where_the_scores_must():
    """Seven patients leave so wide an interval that it would go beyond 1, which no two shares differ by."""
    references, predictions = diagnosed(7, 7)
    wrong = {"ES": "NES", "NES": "ES"}
    metric = build_metric("t", next(m for m in spec("7").metrics if m.primary))

    def rows_of(rightly_diagnosed):
        answers = [p if rightly_diagnosed(r.cluster) else replace(p, value=wrong[p.value]) for r, p in pairs]
        return metric.statistics([Pair(r, answer) for (r, _), answer in zip(pairs, answers, strict=True)])

    pairs = list(zip(references, predictions, strict=True))
    rows = rows_of(lambda patient: patient != 0), rows_of(lambda patient: patient == 1)
    test = paired_permutation(metric, *rows, np.array([r.cluster for r in references]), resamples=200)
    assert test.difference > 0.5
    assert test.interval is not None
    assert test.interval.high == 1.0
