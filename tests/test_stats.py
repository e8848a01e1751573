"""Intervals, tests and ranks, by patient."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from s3harness.confidence_intervals import standard_error
from s3harness.metrics.base import safe_ratio
from s3harness.stats import benjamini_hochberg, cluster_sums, holm, paired_permutation, rank_intervals

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
        assert (test.interval, test.note[:21]) == (None, "too few patients (6, ")

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

    @pytest.mark.parametrize("n", [3, 5, 7, 12])
    def test_the_least_p_is_that_of_all_patients_exchanged(self, n):
        """A system that is better with every patient reaches it, and none can be below."""
        rows = np.column_stack([np.random.default_rng(n).normal(size=n), np.ones(n)])
        test = paired_permutation(Mean(), rows + np.array([5.0, 0.0]), rows, np.arange(n))
        assert test.p_value == test.least_p == 2 / 2**n

    def test_nothing_is_detectable_where_nothing_can_be_significant(self):
        rows, patients = np.column_stack([np.arange(7.0), np.ones(7)]), np.arange(7)
        test = paired_permutation(Mean(), rows[::-1], rows, patients)
        assert test.smallest_detectable(alpha=0.05) > 0
        assert np.isnan(test.smallest_detectable(alpha=0.05 / 7)), "2/2**7 is .0156, above .05/7"

    def test_the_interval_holds_no_difference_wherever_the_test_does_not_reject_it(self):
        random, contradictions = np.random.default_rng(9), 0
        for _ in range(300):
            rows, patients = cohort(random, 9)
            worse = rows - np.column_stack([random.normal(0.3, 1.0, 9)[patients], np.zeros(len(rows))])
            test = paired_permutation(Mean(), rows, worse, patients)
            if test.interval:
                holds_zero = test.interval.low <= 0.0 <= test.interval.high
                assert holds_zero or test.p_value <= 0.05
                assert bool(test.note) == (holds_zero and test.p_value <= 0.05)
                contradictions += bool(test.note)
        assert contradictions, "the word is never seen"

    def test_systems_of_the_same_answers_have_a_reason_in_place_of_an_interval(self):
        rows, patients = cohort(np.random.default_rng(0), 40)
        test = paired_permutation(Mean(), rows, rows, patients, resamples=200)
        assert (test.interval, test.note) == (None, "all 40 patients score alike")

    def test_what_cannot_be_compared_has_no_p_value(self):
        test = paired_permutation(Mean(), np.zeros((2, 2)), np.zeros((2, 2)), [0, 1])
        assert np.isnan(test.p_value)
        assert test.interval is None
        with pytest.raises(ValueError, match="same items"):
            paired_permutation(Mean(), np.zeros((2, 2)), np.zeros((3, 2)), [0, 1])


def test_the_standard_error_of_a_mean_over_patients_is_the_textbook_one():
    values = np.random.default_rng(0).normal(size=40)
    rows = np.column_stack([values, np.ones(40)])
    assert standard_error(Mean(), rows) == pytest.approx(values.std(ddof=1) / np.sqrt(40))
    assert np.isnan(standard_error(Mean(), rows[:1]))


def test_the_smallest_detectable_difference_is_found_four_times_in_five():
    random = np.random.default_rng(6)

    def systems(difference):
        rows, patients = cohort(random, 20)
        noise = random.normal(size=20)[patients] + difference
        return rows + np.column_stack([noise, np.zeros(len(rows))]), rows, patients

    tests = [paired_permutation(Mean(), *systems(0.0), resamples=400) for _ in range(60)]
    smallest = np.nanmedian([test.smallest_detectable() for test in tests])
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

    def test_three_patients_leave_every_rank_possible(self):
        rows = np.column_stack([np.arange(3.0), np.ones(3)])
        ranks = rank_intervals(Mean(), {"a": rows, "b": rows - [[9.0, 0.0]]}, np.arange(3), resamples=50)
        assert [(rank.rank, rank.low, rank.high) for rank in ranks.values()] == [(1.0, 1.0, 2.0), (2.0, 1.0, 2.0)]

    def test_systems_are_equal_where_no_item_counts(self):
        rows = np.zeros((4, 2))
        ranks = rank_intervals(Mean(), {"a": rows, "b": rows, "c": rows}, np.arange(4))
        assert {(rank.rank, rank.low, rank.high) for rank in ranks.values()} == {(2.0, 1.0, 3.0)}


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
