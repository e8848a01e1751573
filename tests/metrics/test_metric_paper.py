"""The published metrics: each known defect is there, on made-up answers."""

from __future__ import annotations

import numpy as np
import pytest
from metric_cases import answered, pair, parts, references_of, score, unanswered

from s3harness.metrics.floors import floors_for
from s3harness.metrics.order import temporal_f1
from s3harness.paper.metrics.boundaries import paper_boundary_mae, released_seconds
from s3harness.paper.metrics.diagnosis import paper_diagnosis, released_diagnosis
from s3harness.paper.metrics.features import paper_features
from s3harness.paper.metrics.laterality import paper_laterality
from s3harness.paper.metrics.order import (
    edit_distance,
    lcs_ratio,
    paper_edit_distance,
    paper_temporal_f1,
    released_tokens,
)
from s3harness.paper.metrics.question_list import (
    half_up,
    question_list_score,
    question_list_scores,
)
from s3harness.paper.metrics.text import paper_bleu, paper_rouge_l

ABC = ["a", "b", "c"]


@pytest.mark.parametrize(
    ("answer", "truth", "expected"),
    [
        (ABC, ABC, 1.0),
        ([], [], 1.0),
        ([], ABC, 0.0),
        (ABC, [], 0.0),
        (["x", "y", "z"], ABC, 0.0),
        (["x", "y", "z", *["junk"] * 50], ABC, 50 / 53),
        (["junk"] * 400, ABC, 397 / 400),
        (["a", "x", "b", "c"], ABC, 3 / 4),
        (["a", "c"], ABC, 2 / 3),
    ],
)
def test_temporal_f1_pays_for_padding(answer, truth, expected):
    assert temporal_f1(answer, truth) == pytest.approx(expected)


def test_the_lcs_ratio_prefers_the_shortest_answer_and_the_distance_is_raw():
    assert lcs_ratio(["a"], ABC) == 1.0
    assert lcs_ratio([*ABC, "x"], ABC) == 0.75
    assert lcs_ratio([], ABC) == 0.0
    assert edit_distance([], ABC) == 3
    assert edit_distance(["junk"] * 400, ABC) == 400


def test_sequences_without_an_answer_or_a_true_event_are_dropped():
    truth = [["a", 0], ["b", 1]]
    pairs = [
        pair(truth, ["a"]),
        pair(truth, None, video="v1"),
        pair([], ["a"], video="v2"),
        pair(truth, [], video="v3"),
    ]
    assert score(paper_edit_distance(), pairs) == 1.5
    assert score(paper_temporal_f1(), pairs) == 0.25


def test_a_feature_is_scored_on_the_answered_items_alone():
    pairs = [pair("yes", v, video=f"v{n}") for n, v in enumerate(("yes", None, None, "na"))] + [
        pair("no", "no", video="v9")
    ]
    for statistic in ("precision", "recall", "f1", "accuracy"):
        assert score(paper_features(statistic=statistic), pairs) == 1.0


def test_verbal_responsiveness_is_macro_averaged_with_na_as_a_class():
    rows = [("yes", "yes"), ("no", "no"), ("no", "na"), ("untested", "yes"), ("no", None)]
    pairs = [pair(t, v, subject="verbal_responsiveness", video=f"v{n}") for n, (t, v) in enumerate(rows)]
    pairs[-1] = unanswered(pairs[-1])
    assert score(paper_features(statistic="accuracy"), pairs) == 0.5
    assert score(paper_features(statistic="recall"), pairs) == pytest.approx((1 + 1 / 3 + 0) / 3)
    assert score(paper_features(statistic="precision"), pairs) == pytest.approx((1 + 1 + 0) / 3)


def test_always_yes_looks_good():
    references = references_of("feature")
    yes, no = (answered(references, floors_for("feature", references)[f"always_{word}"]) for word in ("yes", "no"))
    assert score(paper_features(), yes) > 0.5
    assert score(paper_features(), no) == 0.0


def test_right_is_the_positive_side_and_a_failed_body_part_is_a_class():
    sides = [
        pair(t, v, subject="arm_movement", video=f"v{n}")
        for n, (t, v) in enumerate([("left", "left"), ("right", None)])
    ]
    assert score(paper_laterality(statistic="f1"), sides) == 0.0
    assert score(paper_laterality(statistic="accuracy"), sides) == 1.0
    parts_said = [("head", "head"), ("head", "fail"), ("arms", "arms")]
    onset = [pair(t, v, subject="onset_body_part", video=f"v{n}") for n, (t, v) in enumerate(parts_said)]
    assert score(paper_laterality(statistic="recall"), onset) == pytest.approx((0.5 + 1 + 0) / 3)


def test_a_boundary_nobody_answered_has_no_error_at_all():
    pairs = [
        pair(30.0, 40.0, subject="tonic"),
        pair(30.0, None, subject="clonic"),
        pair(30.0, None, subject="tonic", video="v1"),
    ]
    pairs.append(pair(30.0, 99.0, subject="ictal_vocalization"))
    assert parts(paper_boundary_mae(), pairs) == {"tonic": 10.0, "clonic": 0.0}
    assert score(paper_boundary_mae(), pairs) == 5.0


def test_diagnoses_that_failed_are_dropped():
    pairs = [pair("ES", "ES"), pair("NES", None, video="v1"), pair("ES", None, video="v2")]
    assert score(paper_diagnosis(), pairs) == score(paper_diagnosis(statistic="accuracy"), pairs) == 1.0


def test_texts_count_by_subject_and_only_where_there_is_one():
    long = "the patient turns the head to the left"
    pairs = [
        pair({"text": long}, {"text": text}, subject="tonic", video=text) for text in (long, "fail", "N/A", "none", "")
    ]
    pairs.append(pair({"text": long}, {"text": "something else"}, subject="clonic"))
    assert score(paper_rouge_l(), pairs) == 0.5
    assert score(paper_bleu(), pairs) == pytest.approx(50.0)
    assert parts(paper_bleu(), pairs) == pytest.approx({"tonic": 100.0, "clonic": 0.0})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ES", "ES"),
        ("nes", "NES"),
        ("YES", "ES"),
        ("The patient describes ES, not NES.", "NES"),
        ("fail", None),
        ("{'N/A'}", None),
    ],
)
def test_released_diagnoses(text, value):
    assert released_diagnosis(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("00:30", 30),
        ("1:05", 65),
        ("1:00:05", 3605),
        ("45", 45),
        (" 02:03 ", 123),
        ("N/A", None),
        ("", None),
        ("0:30.5", None),
    ],
)
def test_released_times(text, value):
    assert released_seconds(text) == value


def test_released_sequences():
    text = "head_turning, 'Blank Stare' ,full_body_shaking.,,tonic;, \"clonic\""
    assert released_tokens(text) == ["head_turning", "Blank_Stare", "full_body_shaking", "tonic", "clonic"]
    assert released_tokens("") == []


def test_the_question_list_averages_signs_and_rounds_halves_up():
    scores = {"tonic": [1.0, 0.25], "clonic": [0.0, 0.0], "figure4": []}
    assert question_list_scores(scores) == {"tonic": 0.625, "clonic": 0.0}
    assert question_list_score(scores) == 0.3125
    assert half_up(0.625) == 0.63
    assert round(0.625, 2) == 0.62
    assert np.isnan(question_list_score({}))


def test_one_metric_object_scores_several_models_whatever_words_they_use():
    metric = paper_laterality(statistic="accuracy", subject="onset_body_part")
    first = metric.statistics([pair("head", "head", subject="onset_body_part")])
    second = metric.statistics(
        [pair("head", "chin", subject="onset_body_part"), pair("arms", "arms", subject="onset_body_part")]
    )
    assert float(metric.value(first.sum(axis=0))) == 1.0
    assert float(metric.value(second.sum(axis=0))) == 0.5
    assert metric.value(np.stack([second.sum(axis=0)] * 3)).tolist() == [0.5] * 3
