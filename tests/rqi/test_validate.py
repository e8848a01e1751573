"""Agreement with human scores is what scipy says, and its intervals resample videos."""

import math

import numpy as np
import pytest
from scipy import stats

from s3harness.errors import UsageError
from s3harness.metrics.rqi.validate import validate

RNG = np.random.default_rng(3)
KEYS = [(f"v{video}", model) for video in range(20) for model in "abc"]
HUMAN = {key: float(score) for key, score in zip(KEYS, RNG.choice([1, 1.5, 2, 2.5, 3], len(KEYS)), strict=True)}
SCORES = {key: HUMAN[key] + float(noise) for key, noise in zip(KEYS, RNG.normal(size=len(KEYS)), strict=True)}


def test_correlations_are_those_of_scipy():
    found = validate(SCORES, HUMAN, resamples=10)
    x, y = [SCORES[key] for key in KEYS], [HUMAN[key] for key in KEYS]
    assert found.pearson.value == pytest.approx(stats.pearsonr(x, y).statistic)
    assert found.spearman.value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.kendall.value == pytest.approx(stats.kendalltau(x, y).statistic)


def test_perfect_and_reversed_scores():
    perfect, reversed_ = validate(HUMAN, HUMAN, 50), validate({k: -v for k, v in HUMAN.items()}, HUMAN, 50)
    for name in ("pearson", "spearman", "kendall", "pairwise", "pairwise_same_video"):
        assert getattr(perfect, name).value == pytest.approx(1)
        assert getattr(reversed_, name).value == pytest.approx(0 if name.startswith("pairwise") else -1)


def test_a_tie_of_the_metric_is_wrong_and_a_tie_of_the_humans_no_pair():
    human = {("a", 1): 1.0, ("a", 2): 2.0, ("b", 1): 2.0, ("b", 2): 3.0}
    found = validate({("a", 1): 5.0, ("a", 2): 5.0, ("b", 1): 6.0, ("b", 2): 7.0}, human, 10)
    assert (found.n_pairs, found.n_pairs_same_video) == (5, 2)
    assert found.pairwise.value == pytest.approx(4 / 5)
    assert found.pairwise_same_video.value == pytest.approx(1 / 2)


def test_same_video_pairs_do_not_see_differences_between_videos():
    human = {(video, model): video + model / 10 for video in range(10) for model in (0, 1)}
    found = validate({(video, model): video - model / 10 for video, model in human}, human, 10)
    assert found.pairwise.value > 0.9
    assert found.pairwise_same_video.value == 0


def test_intervals_hold_the_value_and_depend_on_the_seed_alone():
    found = validate(SCORES, HUMAN, 200, seed=1)
    assert found == validate(dict(reversed(SCORES.items())), HUMAN, 200, seed=1)
    assert found.pearson.interval.low < found.pearson.value < found.pearson.interval.high
    assert found.pearson.interval != validate(SCORES, HUMAN, 200, seed=2).pearson.interval


def test_videos_are_resampled_whole():
    """Three copies of each report say nothing new, so that the interval must not shrink."""
    copies = {(video, f"{model}{n}"): (video, model) for video, model in KEYS for n in range(3)}
    scores, human = ({copy: values[key] for copy, key in copies.items()} for values in (SCORES, HUMAN))
    one, many = validate(SCORES, HUMAN, 40).pearson.interval, validate(scores, human, 40).pearson.interval
    assert many.high - many.low == pytest.approx(one.high - one.low, rel=0.05)


def test_what_has_no_score_is_counted():
    found = validate({k: v for k, v in SCORES.items() if k[1] != "c"}, HUMAN, 10)
    assert (found.n_reports, found.n_videos, found.unscored) == (40, 20, 20)


def test_constant_scores_have_no_correlation():
    found = validate(dict.fromkeys(KEYS, 1.0), HUMAN, 10)
    assert math.isnan(found.pearson.value) and math.isnan(found.pearson.interval.low)
    assert found.pairwise.value == 0


def test_too_few_reports_are_refused():
    with pytest.raises(UsageError, match="2 reports"):
        validate(dict(list(SCORES.items())[:2]), HUMAN)
