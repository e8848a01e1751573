"""Intervals that hold the truth as often as they say, or the reason why there are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from s3harness.confidence_intervals import (
    MIN_FREEDOM,
    bootstrap,
    class_shares,
    degrees_of_freedom,
    patient_interval,
    standard_error,
)
from s3harness.metrics.base import ItemMean, Pair, safe_ratio
from s3harness.metrics.boundaries import boundary_mae
from s3harness.metrics.confusion import ClassTables, balanced_accuracy
from s3harness.metrics.diagnosis import diagnosis_balanced_accuracy, diagnosis_mcc, diagnosis_sensitivity
from s3harness.metrics.features import FeatureAuroc, feature_balanced_accuracy
from s3harness.stats import cluster_sums, interval_of_rows
from s3harness.types import Prediction, Reference


@dataclass(frozen=True)
class Mean:
    """Rows of (sum, count); it tells neither classes nor bounds, as an older plugin's metric."""

    def value(self, totals):
        return safe_ratio(totals[..., 0], totals[..., 1])


SHARE = ItemMean(lambda _: None)
"""The mean of scores between 0 and 1."""


def cohort(random, n_patients=24, *, icc=0.4):
    """Items of patients who have one to about ten, and resemble each other: rows (item, 1), and the patients."""
    patients = np.repeat(np.arange(n_patients), np.minimum(random.geometric(0.28, n_patients), 19))
    values = np.sqrt(icc) * random.normal(size=n_patients)[patients]
    values += np.sqrt(1 - icc) * random.normal(size=len(patients))
    return np.column_stack([values, np.ones(len(patients))]), patients


def diagnosed(*patients):
    """Diagnosis answers: per patient the truth, and for each video whether the answer is right."""
    other = {"ES": "NES", "NES": "ES"}
    return [
        Pair(
            Reference(item=f"i{n}.{k}", task="t", video_id=f"v{n}.{k}", subject="video", cluster=n, truth=truth),
            Prediction(f"i{n}.{k}", truth if is_right else other[truth]),
        )
        for n, (truth, answers) in enumerate(patients)
        for k, is_right in enumerate(answers)
    ]


def interval_of(metric, pairs):
    return interval_of_rows(metric, metric.statistics(pairs), [pair.reference.cluster for pair in pairs])


class TestReasons:
    """What stands in the place of an interval."""

    @pytest.mark.parametrize(
        ("rows", "patients", "note"),
        [
            ([[1.0, 1.0], [0.0, 1.0]], [5, 5], "all items come from one patient"),
            ([[1.0, 1.0], [0.0, 0.0]], [1, 2], "all items come from one patient"),
            ([[0.0, 0.0], [0.0, 0.0]], [1, 2], ""),
            (np.zeros((0, 2)), [], ""),
            ([[1.0, 1.0], [0.0, 1.0], [1.0, 1.0]], [1, 2, 3], "too few patients (3)"),
            ([[n % 2, 1.0] for n in range(5)], range(5), "too few patients (5)"),
            ([[2.0, 4.0]] + [[n % 2, 1.0] for n in range(7)], range(8), "too few patients (8, one of whom has 36 %"),
            ([[3.0, 9.0]] + [[n % 2, 1.0] for n in range(9)], range(10), "too few patients (10, one of whom has 50 %"),
        ],
    )
    def test_of_few_or_one_sided_patients(self, rows, patients, note):
        result = interval_of_rows(SHARE, np.asarray(rows, dtype=float), list(patients))
        assert result.interval is None
        assert result.note.startswith(note)
        assert bool(result.note) == bool(note)

    def test_a_class_that_few_patients_have_is_named(self):
        patients = [("ES", [True, False, True])] * 21 + [("NES", [True, False])] * 3
        result = interval_of(diagnosis_balanced_accuracy(), diagnosed(*patients))
        assert (result.interval, result.note) == (None, "too few patients (24; NES of 3)")

    def test_so_is_one_who_has_most_of_a_class(self):
        patients = [("ES", [True, False])] * 17 + [("NES", [True] * 5 + [False] * 9)] + [("NES", [True, False])] * 6
        result = interval_of(diagnosis_balanced_accuracy(), diagnosed(*patients))
        assert (result.interval, result.note) == (None, "too few patients (24; NES of 7, one of whom has 54 % of NES)")

    def test_a_score_that_needs_one_class_does_not_mind_the_other(self):
        patients = [("ES", [True, False, True])] * 21 + [("NES", [True, False])] * 3
        assert interval_of(diagnosis_sensitivity(), diagnosed(*patients)).interval is not None

    def test_a_metric_that_tells_no_classes_has_one_too_where_a_patient_is_all_there_is(self):
        accuracy = diagnosis_balanced_accuracy()
        rows = accuracy.statistics(diagnosed(*[("ES", [True, False])] * 20, ("NES", [True, False])))

        class Untold:
            value = staticmethod(accuracy.value)

        note = "too few patients (21: the score is undefined without one of them)"
        assert patient_interval(Untold(), cluster_sums(rows, np.arange(21).repeat(2))).note == note

    def test_seconds_have_none_where_every_patient_has_the_same_error(self):
        rows = np.column_stack([np.full(30, 4.0), np.ones(30)])
        result = interval_of_rows(boundary_mae(), rows, np.arange(30))
        assert (result.interval, result.note) == (None, "all 30 patients score alike")

    def test_nor_where_a_single_patient_makes_the_difference(self):
        rows = np.column_stack([[50.0] + [1.0] * 11, np.ones(12)])
        assert interval_of_rows(boundary_mae(), rows, np.arange(12)).interval is None

    def test_features_tell_their_classes_by_name(self):
        pairs = [
            Pair(
                Reference(
                    item=f"i{n}", task="t", video_id=f"v{n}", subject=sign, cluster=n, truth="yes" if n < few else "no"
                ),
                Prediction(f"i{n}", "yes"),
            )
            for sign, few in (("tonic", 2), ("clonic", 9))
            for n in range(20)
        ]
        metric = feature_balanced_accuracy()
        support = metric.support(cluster_sums(metric.statistics(pairs), [pair.reference.cluster for pair in pairs]))
        held = {name: int(np.count_nonzero(items)) for name, items in support.items()}
        assert held == {"tonic/yes": 2, "tonic/no": 18, "clonic/yes": 9, "clonic/no": 11}

    def test_so_does_the_area_under_the_curve_for_signs_of_both_truths(self):
        pairs = [
            Pair(
                Reference(
                    item=f"{sign}{n}",
                    task="t",
                    video_id=f"v{n}",
                    subject=sign,
                    cluster=n,
                    truth="yes" if n < few else "no",
                ),
                Prediction(f"{sign}{n}", "yes", probability=n / 10),
            )
            for sign, few in (("tonic", 2), ("clonic", 0))
            for n in range(8)
        ]
        metric = FeatureAuroc()
        support = metric.support(cluster_sums(metric.statistics(pairs), [pair.reference.cluster for pair in pairs]))
        assert {name: int(np.count_nonzero(items)) for name, items in support.items()} == {
            "tonic/yes": 2,
            "tonic/no": 6,
        }


class TestAtTheBoundary:
    @pytest.mark.parametrize("n", [7, 12, 24, 60, 200])
    def test_all_right_is_wilson_s_interval_of_as_many_trials_as_patients(self, n):
        interval = interval_of_rows(SHARE, np.ones((n, 2)), np.arange(n)).interval
        z = t.ppf(0.975, degrees_of_freedom({"": np.full(n, 1 / n)})) ** 2
        assert (interval.low, interval.high) == (pytest.approx(n / (n + z)), 1.0)

    def test_all_wrong_is_its_mirror(self):
        right, wrong = (
            interval_of_rows(SHARE, np.column_stack([np.full(24, value), np.ones(24)]), np.arange(24)).interval
            for value in (1.0, 0.0)
        )
        assert (wrong.low, wrong.high) == pytest.approx((0.0, 1 - right.low))

    @given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=40), st.randoms())
    def test_no_interval_is_a_point_and_none_leaves_the_score_or_its_bounds(self, counts, random):
        answers = [
            (random.choice(("ES", "NES")), [True] * right + [False] * wrong) for right, wrong in counts if right + wrong
        ]
        pairs = diagnosed(*answers)
        for metric, lowest in (
            (diagnosis_balanced_accuracy(), 0.0),
            (diagnosis_sensitivity(), 0.0),
            (diagnosis_mcc(), -1.0),
        ):
            if pairs and (interval := interval_of(metric, pairs).interval):
                score = float(metric.value(metric.statistics(pairs).sum(axis=0)))
                assert lowest <= interval.low <= score <= interval.high <= 1.0
                assert interval.high - interval.low > 0.01


class TestDegreesOfFreedom:
    @pytest.mark.parametrize("n", [2, 7, 40])
    def test_equal_patients_have_one_less_than_they_are(self, n):
        assert degrees_of_freedom({"": np.full(n, 1 / n)}) == pytest.approx(n - 1)

    def test_one_with_half_of_the_items_leaves_next_to_none(self):
        assert degrees_of_freedom({"": np.array([0.5] + [0.5 / 59] * 59)}) < 1.0 < MIN_FREEDOM

    def test_a_rare_class_counts_although_the_other_is_common(self):
        rare = np.array([1 / 3] * 3 + [0.0] * 40)
        common = np.array([0.0] * 3 + [1 / 40] * 40)
        assert degrees_of_freedom({"rare": rare, "common": common}) < MIN_FREEDOM < degrees_of_freedom({"": common[3:]})

    def test_the_shares_of_a_metric_without_classes_are_those_of_its_sums(self):
        shares = class_shares(Mean(), np.array([[3.0, 1.0], [0.0, 4.0]]))
        assert shares[""].tolist() == [0.5, 0.5]


class TestInterval:
    def test_with_few_patients_it_is_student_s_t_about_the_jackknife(self):
        random = np.random.default_rng(3)
        values = random.normal(size=12)
        sums = np.column_stack([values, np.ones(12)])
        interval = patient_interval(Mean(), sums).interval
        half = t.ppf(0.975, 11) * standard_error(Mean(), sums)
        assert interval.high - values.mean() == pytest.approx(values.mean() - interval.low)
        assert interval.high - values.mean() == pytest.approx(half, rel=0.15), "wider only for heavy tails"
        assert interval.high - values.mean() >= half - 1e-12

    def test_with_many_patients_the_seed_fixes_it_and_their_numbers_do_not_matter(self):
        rows, patients = cohort(np.random.default_rng(1), 120)
        rows[:, 0] = np.exp(rows[:, 0])
        one, again, other = (interval_of_rows(Mean(), rows, patients, seed=seed).interval for seed in (0, 0, 1))
        assert one == again != other
        assert interval_of_rows(Mean(), rows, patients * 7 + 100).interval == one

    @pytest.mark.parametrize("n", [24, 120])
    def test_a_wider_level_contains_a_narrower_one_and_both_the_score(self, n):
        rows, patients = cohort(np.random.default_rng(2), n)
        narrow, wide = (interval_of_rows(Mean(), rows, patients, level=level).interval for level in (0.5, 0.99))
        assert wide.low < narrow.low < rows[:, 0].mean() < narrow.high < wide.high
        assert wide.level == 0.99

    @pytest.mark.parametrize("n", [7, 12, 24])
    @pytest.mark.parametrize("skewed", [False, True])
    def test_it_holds_the_truth_as_often_as_it_says_and_items_alone_would_not(self, n, skewed):
        random = np.random.default_rng(11)
        truth = np.exp(0.5) if skewed else 0.0
        metric = boundary_mae() if skewed else Mean()
        clustered, naive = [], []
        for seed in range(400):
            rows, patients = cohort(random, n)
            if skewed:
                rows[:, 0] = np.exp(rows[:, 0])
            for outcomes, groups in ((clustered, patients), (naive, np.arange(len(rows)))):
                interval = interval_of_rows(metric, rows, groups, resamples=100, seed=seed).interval
                outcomes.extend([interval.low <= truth <= interval.high] if interval else [])
        assert len(clustered) >= 120
        assert 0.92 <= np.mean(clustered) <= 1.0
        assert np.mean(naive) < np.mean(clustered) - 0.05

    @pytest.mark.parametrize("n", [7, 12, 24])
    def test_so_does_that_of_two_classes_of_which_one_is_rare(self, n):
        """Of which the bootstrap alone held six or seven of ten."""
        random = np.random.default_rng(n)
        metric = diagnosis_balanced_accuracy()
        metric.statistics(diagnosed(("ES", [True])))
        held, old = [], []
        for seed in range(400):
            sums = _two_classes(random, n)
            if not np.isfinite(metric.value(sums.sum(axis=0))):
                continue
            if interval := patient_interval(metric, sums).interval:
                held.append(interval.low <= 0.75 <= interval.high)
            if seed < 100 and (alone := bootstrap(metric, sums, resamples=100)):
                old.append(alone.low <= 0.75 <= alone.high)
        assert len(held) >= 20
        assert np.mean(held) >= 0.92
        assert n > 12 or np.mean(old) < 0.92


def _two_classes(random, n):
    """Sums (patients, 6) of patients of one to nine videos, a third of them NES, each right with 3 of 4 on average."""
    videos = np.minimum(random.geometric(0.3, n), 9)
    is_nes = random.random(n) < 0.32
    right = random.binomial(videos, random.beta(1.5, 0.5, n))
    sums = np.zeros((n, 2, 3))
    sums[np.arange(n), is_nes.astype(int), 0] = right
    sums[np.arange(n), is_nes.astype(int), 1] = videos
    sums[np.arange(n), is_nes.astype(int), 2] = right
    sums[np.arange(n), 1 - is_nes.astype(int), 2] = videos - right
    return sums.reshape(n, 6)


class TestBootstrap:
    def test_the_percentile_interval_is_that_of_resampled_patients(self):
        rows, patients = cohort(np.random.default_rng(0), 10)
        sums = cluster_sums(rows, patients)
        interval = bootstrap(Mean(), sums, resamples=500, seed=3, method="percentile")
        counts = np.random.default_rng(3).multinomial(10, np.full(10, 0.1), 500)
        means = [np.repeat(sums, count, axis=0).sum(axis=0) for count in counts]
        expected = np.quantile([total[0] / total[1] for total in means], [0.025, 0.975])
        assert (interval.low, interval.high) == pytest.approx(tuple(expected))

    def test_it_stays_within_what_resamples_scored(self):
        interval = bootstrap(Mean(), np.column_stack([[1.0] * 29 + [0.0], np.ones(30)]))
        assert 0.5 < interval.low < interval.high <= 1.0

    def test_on_either_side_it_is_no_narrower_than_student_s_t(self):
        for seed in range(20):
            sums = cluster_sums(*cohort(np.random.default_rng(seed), 12))
            interval = bootstrap(Mean(), sums, resamples=4000)
            score, half = float(Mean().value(sums.sum(axis=0))), t.ppf(0.975, 11) * standard_error(Mean(), sums)
            scored = bootstrap(Mean(), sums, resamples=4000, method="percentile", level=0.9999)
            assert interval.low <= max(score - half, scored.low) + 1e-3
            assert interval.high >= min(score + half, scored.high) - 1e-3

    def test_a_score_that_most_resamples_lack_has_none(self):
        random = np.random.default_rng(8)
        accuracy = ClassTables(formula=balanced_accuracy, classes=lambda _: ("a", "b", "c"), label_in=str, width=3)
        truths = ["a", "b", *["c"] * 10]
        rows = accuracy.statistics([_pair(truth, random.choice(["a", "b", "c"]), n) for n, truth in enumerate(truths)])
        assert bootstrap(accuracy, rows) is not None
        assert bootstrap(_OfAllClasses(accuracy), rows) is None


@dataclass(frozen=True)
class _OfAllClasses:
    """Undefined unless every one of three classes has an item."""

    metric: ClassTables

    def value(self, totals):
        has_all = (totals[..., [1, 4, 7]] > 0).all(axis=-1)
        return np.where(has_all, self.metric.value(totals), np.nan)


def _pair(truth, value, number):
    return Pair(
        Reference(item=f"i{number}", task="t", video_id=f"v{number}", subject="s", cluster=number, truth=truth),
        Prediction(f"i{number}", str(value)),
    )
