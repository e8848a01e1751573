"""Intervals, tests and ranks, by patient."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from s3harness.metrics.base import Pair, safe_ratio
from s3harness.metrics.confusion import ClassTables, balanced_accuracy
from s3harness.stats import (
    benjamini_hochberg,
    cluster_sums,
    holm,
    paired_permutation,
    patient_bootstrap,
    rank_intervals,
    smallest_detectable_difference,
    standard_error,
)
from s3harness.types import Prediction, Reference

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@dataclass(frozen=True)
class Mean:
    """Rows of (sum, count)."""

    higher_is_better: bool = True

    def value(self, totals):
        return safe_ratio(totals[..., 0], totals[..., 1])


def cohort(random, n_patients=24, *, icc=0.4, mean=0.0):
    """Items of patients who have one to about ten, and resemble each other: rows (item, 1), and the patients."""
    sizes = np.minimum(random.geometric(0.28, n_patients), 19)
    patients = np.repeat(np.arange(n_patients), sizes)
    values = (
        mean
        + np.sqrt(icc) * random.normal(size=n_patients)[patients]
        + np.sqrt(1 - icc) * random.normal(size=len(patients))
    )
    return np.column_stack([values, np.ones(len(patients))]), patients


def test_sums_of_patients_leave_out_those_with_nothing_scored():
    rows = np.array([[1.0, 1.0], [2.0, 1.0], [0.0, 0.0], [5.0, 1.0]])
    assert cluster_sums(rows, ["b", "a", "c", "b"]).tolist() == [[2.0, 1.0], [6.0, 2.0]]
    with pytest.raises(ValueError, match="4 rows of statistics but 2 patients"):
        cluster_sums(rows, [0, 1])


class TestInterval:
    def test_the_percentile_interval_is_that_of_resampled_patients(self):
        rows, patients = cohort(np.random.default_rng(0), 10)
        interval = patient_bootstrap(Mean(), rows, patients, resamples=500, seed=3, method="percentile")
        sums = cluster_sums(rows, patients)
        counts = np.random.default_rng(3).multinomial(10, np.full(10, 0.1), 500)
        means = [np.repeat(sums, count, axis=0).sum(axis=0) for count in counts]
        expected = np.quantile([total[0] / total[1] for total in means], [0.025, 0.975])
        assert (interval.low, interval.high) == pytest.approx(tuple(expected))

    def test_the_seed_fixes_it_and_the_names_of_the_patients_do_not_matter(self):
        rows, patients = cohort(np.random.default_rng(1))
        one, again, other = (patient_bootstrap(Mean(), rows, patients, seed=seed) for seed in (0, 0, 1))
        assert one == again != other
        assert patient_bootstrap(Mean(), rows, patients * 7 + 100) == one

    def test_a_wider_level_contains_a_narrower_one_and_both_the_score(self):
        rows, patients = cohort(np.random.default_rng(2))
        narrow, wide = (patient_bootstrap(Mean(), rows, patients, level=level) for level in (0.5, 0.99))
        score = rows[:, 0].mean()
        assert wide.low < narrow.low < score < narrow.high < wide.high
        assert wide.level == 0.99

    def test_it_stays_within_what_resamples_scored(self):
        rows = np.column_stack([[1.0] * 29 + [0.0], np.ones(30)])
        interval = patient_bootstrap(Mean(), rows, np.arange(30))
        assert 0.5 < interval.low < interval.high <= 1.0

    def test_on_either_side_it_is_no_narrower_than_student_s_t(self):
        from scipy.stats import t

        for seed in range(20):
            rows, patients = cohort(np.random.default_rng(seed), 12)
            interval = patient_bootstrap(Mean(), rows, patients, resamples=4000)
            score, half = rows[:, 0].mean(), t.ppf(0.975, 11) * standard_error(Mean(), rows, patients)
            scored = patient_bootstrap(Mean(), rows, patients, resamples=4000, method="percentile", level=0.9999)
            assert interval.low <= max(score - half, scored.low) + 1e-3
            assert interval.high >= min(score + half, scored.high) - 1e-3

    @pytest.mark.parametrize(
        ("rows", "patients"),
        [
            ([[1.0, 1.0], [0.0, 1.0]], [5, 5]),
            ([[1.0, 1.0], [0.0, 0.0]], [1, 2]),
            ([[0.0, 0.0], [0.0, 0.0]], [1, 2]),
            (np.zeros((0, 2)), []),
        ],
    )
    def test_there_is_none_without_two_patients_to_compare(self, rows, patients):
        assert patient_bootstrap(Mean(), np.asarray(rows), patients) is None

    def test_without_variation_it_is_a_point(self):
        interval = patient_bootstrap(Mean(), np.ones((6, 2)), np.arange(6))
        assert (interval.low, interval.high) == (1.0, 1.0)

    def test_a_score_that_most_resamples_lack_has_none(self):
        random = np.random.default_rng(8)
        accuracy = ClassTables(balanced_accuracy, lambda _: ("a", "b", "c"), str, width=3)
        truths = ["a", "b", *["c"] * 10]
        rows = accuracy.statistics([_pair(truth, random.choice(["a", "b", "c"]), n) for n, truth in enumerate(truths)])
        assert patient_bootstrap(accuracy, rows, np.arange(12)) is not None
        assert patient_bootstrap(_OfAllClasses(accuracy), rows, np.arange(12)) is None


@dataclass(frozen=True)
class _OfAllClasses:
    """Undefined unless every one of three classes has an item."""

    metric: ClassTables

    def value(self, totals):
        has_all = (totals[..., [1, 4, 7]] > 0).all(axis=-1)
        return np.where(has_all, self.metric.value(totals), np.nan)


def _pair(truth, value, number):
    return Pair(Reference(f"i{number}", "t", f"v{number}", "s", number, truth), Prediction(f"i{number}", str(value)))


@pytest.mark.parametrize("skewed", [False, True])
def test_intervals_of_clustered_data_hold_the_truth_as_often_as_they_say(skewed):
    """And those of the naive bootstrap of items hold it much less often."""
    random = np.random.default_rng(11)
    truth = np.exp(0.5) if skewed else 0.0
    clustered, naive = [], []
    for seed in range(300):
        rows, patients = cohort(random)
        if skewed:
            rows[:, 0] = np.exp(rows[:, 0])
        for found, groups in ((clustered, patients), (naive, np.arange(len(rows)))):
            interval = patient_bootstrap(Mean(), rows, groups, resamples=300, seed=seed)
            found.append(interval.low <= truth <= interval.high)
    assert 0.90 <= np.mean(clustered) <= 0.98
    assert np.mean(naive) < np.mean(clustered) - 0.08


class TestPermutation:
    def test_all_exchanges_are_enumerated_where_they_are_few(self):
        random = np.random.default_rng(0)
        a, patients = cohort(random, 6, mean=1.0)
        b = a - np.column_stack([random.normal(0.3, 0.5, len(a)), np.zeros(len(a))])
        test = paired_permutation(Mean(), a, b, patients)
        sums = cluster_sums(np.hstack([a, b]), patients)
        differences = []
        for swaps in product((0, 1), repeat=6):
            first = sum(row[2:] if swap else row[:2] for row, swap in zip(sums, swaps, strict=True))
            second = sum(row[:2] if swap else row[2:] for row, swap in zip(sums, swaps, strict=True))
            differences.append(first[0] / first[1] - second[0] / second[1])
        assert test.difference == pytest.approx(differences[0])
        assert test.p_value == np.mean(np.abs(differences) >= abs(differences[0]) - 1e-12)
        assert test.interval.low < test.difference < test.interval.high

    def test_equal_systems_do_not_differ(self):
        rows, patients = cohort(np.random.default_rng(0))
        test = paired_permutation(Mean(), rows, rows, patients, resamples=200)
        assert (test.difference, test.p_value) == (0.0, 1.0)

    def test_a_clear_difference_is_found_either_way_round(self):
        rows, patients = cohort(np.random.default_rng(4), 30)
        worse = rows - [[0.5, 0.0]]
        one, other = (
            paired_permutation(Mean(), *pair, patients, resamples=999) for pair in ((rows, worse), (worse, rows))
        )
        assert one.difference == pytest.approx(-other.difference) == pytest.approx(0.5)
        assert one.p_value == other.p_value == 1 / 1000

    def test_false_alarms_come_at_their_nominal_rate(self):
        random = np.random.default_rng(5)
        p_values = []
        for seed in range(400):
            rows, patients = cohort(random, 15)
            noise_a, noise_b = (random.normal(size=15)[patients] for _ in range(2))
            a, b = (rows + np.column_stack([noise, np.zeros(len(rows))]) for noise in (noise_a, noise_b))
            p_values.append(paired_permutation(Mean(), a, b, patients, resamples=200, seed=seed).p_value)
        assert 0.02 <= np.mean(np.array(p_values) <= 0.05) <= 0.08
        assert 0.14 <= np.mean(np.array(p_values) <= 0.2) <= 0.26

    def test_what_cannot_be_compared_has_no_p_value(self):
        test = paired_permutation(Mean(), np.zeros((2, 2)), np.zeros((2, 2)), [0, 1])
        assert np.isnan(test.p_value)
        assert test.interval is None
        with pytest.raises(ValueError, match="same items"):
            paired_permutation(Mean(), np.zeros((2, 2)), np.zeros((3, 2)), [0, 1])


def test_the_standard_error_of_a_mean_over_patients_is_the_textbook_one():
    values = np.random.default_rng(0).normal(size=40)
    rows = np.column_stack([values, np.ones(40)])
    assert standard_error(Mean(), rows, np.arange(40)) == pytest.approx(values.std(ddof=1) / np.sqrt(40))
    assert np.isnan(standard_error(Mean(), rows[:1], [0]))


def test_the_smallest_detectable_difference_is_found_four_times_in_five():
    random = np.random.default_rng(6)

    def systems(difference):
        rows, patients = cohort(random, 20)
        noise = random.normal(size=20)[patients] + difference
        return rows + np.column_stack([noise, np.zeros(len(rows))]), rows, patients

    smallest = np.median([smallest_detectable_difference(Mean(), *systems(0.0)) for _ in range(60)])
    found = [paired_permutation(Mean(), *systems(smallest), resamples=400).p_value <= 0.05 for _ in range(200)]
    assert 0.68 <= np.mean(found) <= 0.92


class TestRanks:
    def test_clear_ranks_are_certain_and_close_ones_are_not(self):
        random = np.random.default_rng(7)
        rows, patients = cohort(random, 40)
        close = rows + np.column_stack([random.normal(0, 0.3, len(rows)), np.zeros(len(rows))])
        ranks = rank_intervals(Mean(), {"far": rows - [[3.0, 0.0]], "one": rows, "two": close}, patients)
        assert (ranks["far"].rank, ranks["far"].low, ranks["far"].high) == (3.0, 3.0, 3.0)
        assert {ranks["one"].rank, ranks["two"].rank} == {1.0, 2.0}
        assert (ranks["one"].low, ranks["one"].high) == (1.0, 2.0)

    def test_lower_can_be_better_ties_share_and_an_undefined_score_is_last(self):
        rows = np.column_stack([np.arange(6.0), np.ones(6)])
        systems = {"high": rows + np.array([1.0, 0.0]), "low": rows, "same": rows, "none": np.zeros((6, 2))}
        ranks = rank_intervals(Mean(higher_is_better=False), systems, np.arange(6), resamples=50)
        assert [ranks[name].rank for name in systems] == [3.0, 1.5, 1.5, 4.0]


class TestCorrections:
    def test_holm_on_a_worked_example(self):
        assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])

    @given(P_VALUES)
    def test_benjamini_and_hochberg_agrees_with_scipy(self, p_values):
        assert benjamini_hochberg(p_values).tolist() == pytest.approx(false_discovery_control(p_values).tolist())

    @given(P_VALUES)
    def test_corrections_never_lower_a_p_value_nor_change_the_order(self, p_values):
        given_p = np.array(p_values)
        for adjusted in (holm(given_p), benjamini_hochberg(given_p)):
            assert np.all(adjusted >= given_p - 1e-15)
            assert np.all(adjusted <= 1.0)
            assert np.all(np.diff(adjusted[np.argsort(given_p, kind="stable")]) >= -1e-15)
        assert np.all(holm(given_p) >= benjamini_hochberg(given_p) - 1e-12)

    def test_what_was_not_tested_does_not_count(self):
        assert holm([0.01, np.nan, 0.04]).tolist() == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)
        assert benjamini_hochberg([np.nan]).tolist() == pytest.approx([np.nan], nan_ok=True)
