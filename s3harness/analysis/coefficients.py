"""Chance-corrected agreement about closed questions: Cohen's κ, Fleiss' κ, Krippendorff's α, and plain agreement.

Answers come as codes, an array of shape (items, annotators) of category numbers from 0 and :data:`MISSING` where an
annotator did not decide. Like the metrics of the benchmark each coefficient is a formula of sums over items, so that
:func:`s3harness.stats.interval_of_rows` can do its work: :meth:`statistics` gives the rows, :meth:`value` the
coefficient of their sums, 1 for perfect agreement, 0 for that of chance, NaN where it is 0/0: nobody decided, or
everybody always decided alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from s3harness.metrics.base import Array, safe_ratio
from s3harness.metrics.subjects import defined_mean, flat

Codes = NDArray[np.int64]
MISSING = -1


class Coefficient(Protocol):
    """A coefficient of agreement among annotators, of answers in a number of categories."""

    def statistics(self, codes: Codes) -> Array:
        """Return one row per item, shape (items, k)."""

    def value(self, totals: Array) -> Array:
        """Return the coefficient of summed rows: (…, k) → (…)."""


@dataclass(frozen=True)
class CohenKappa:
    """Cohen's κ, mean over the pairs of annotators (Cohen 1960; the mean of pairs is Light's κ, 1971).

    (pₒ − pₑ) / (1 − pₑ), of the items that both of a pair decided. The agreement expected by chance, pₑ, takes each
    annotator's own share of each category.
    """

    categories: int

    def statistics(self, codes: Codes) -> Array:
        """Return the cell of the contingency table of each pair, shape (items, pairs × categories²)."""
        # Whole tables rather than κ itself: a sum over any resample of patients gives its κ.
        pairs = list(combinations(range(codes.shape[1]), 2))
        rows = np.zeros((len(codes), len(pairs), self.categories**2))
        for number, (first, second) in enumerate(pairs):
            # Items that one of the two left open keep a row of zeros, and drop out of the sums.
            decided = np.flatnonzero((codes[:, [first, second]] != MISSING).all(axis=1))
            rows[decided, number, codes[decided, first] * self.categories + codes[decided, second]] = 1.0
        return flat(rows)

    def value(self, totals: Array) -> Array:
        """Return the mean κ over the pairs for which it is defined."""
        return defined_mean(self.by_pair(totals))

    def by_pair(self, totals: Array) -> Array:
        """Return the κ of each pair, (…, k) → (…, pairs), in the order of :func:`itertools.combinations`."""
        size = self.categories
        tables = totals.reshape(*totals.shape[:-1], totals.shape[-1] // size**2, size, size)
        n = tables.sum(axis=(-2, -1))
        observed = safe_ratio(np.trace(tables, axis1=-2, axis2=-1), n)
        expected = safe_ratio((tables.sum(axis=-1) * tables.sum(axis=-2)).sum(axis=-1), n**2)
        return _beyond_chance(observed, expected)


@dataclass(frozen=True)
class FleissKappa:
    """Fleiss' κ of the items that every annotator decided (Fleiss 1971); all annotators share one chance."""

    categories: int

    def statistics(self, codes: Codes) -> Array:
        """Return rows of (share of the pairs of answers that agree, 1, share of answers in each category)."""
        annotators = codes.shape[1]
        counts = _counts(codes, self.categories)
        agreeing = (counts * (counts - 1)).sum(axis=1) / (annotators * (annotators - 1))
        rows = np.column_stack([agreeing, np.ones(len(codes)), counts / annotators])
        # Fleiss' formula takes the same number of answers to each item.
        rows[(codes == MISSING).any(axis=1)] = 0.0
        return rows

    def value(self, totals: Array) -> Array:
        """Return (P̄ − P̄ₑ) / (1 − P̄ₑ)."""
        n = totals[..., 1]
        expected = (safe_ratio(totals[..., 2:], n[..., None]) ** 2).sum(axis=-1)
        return _beyond_chance(safe_ratio(totals[..., 0], n), expected)


@dataclass(frozen=True)
class KrippendorffAlpha:
    """Krippendorff's α for nominal answers (Computing Krippendorff's alpha-reliability, 2011).

    All items count that at least two annotators decided, whoever they are.
    """

    categories: int

    def statistics(self, codes: Codes) -> Array:
        """Return rows of (disagreeing pairs of answers / (answers − 1), answers in each category)."""
        counts = _counts(codes, self.categories)
        answers = counts.sum(axis=1)
        disagreeing = safe_ratio(answers**2 - (counts**2).sum(axis=1), answers - 1, empty=0.0)
        rows = np.column_stack([disagreeing, counts])
        # A single answer can be paired with none, and must not count among the categories either.
        rows[answers < 2] = 0.0
        return rows

    def value(self, totals: Array) -> Array:
        """Return 1 − observed / expected disagreement."""
        counts = totals[..., 1:]
        n = counts.sum(axis=-1)
        return 1.0 - safe_ratio((n - 1.0) * totals[..., 0], n**2 - (counts**2).sum(axis=-1))


@dataclass(frozen=True)
class PlainAgreement:
    """The share of the pairs of answers to an item that agree, 0–1, mean over items; not corrected for chance."""

    categories: int

    def statistics(self, codes: Codes) -> Array:
        """Return rows of (share, 1), zeros where fewer than two decided."""
        counts = _counts(codes, self.categories)
        pairs = counts.sum(axis=1) * (counts.sum(axis=1) - 1)
        shares = safe_ratio((counts * (counts - 1)).sum(axis=1), pairs, empty=0.0)
        return np.column_stack([shares, pairs > 0])

    def value(self, totals: Array) -> Array:
        """Return the mean share."""
        return safe_ratio(totals[..., 0], totals[..., 1])


@dataclass(frozen=True)
class MeanOfQuestions:
    """The mean of a coefficient over questions whose columns stand side by side; undefined ones are left out."""

    coefficient: Coefficient
    questions: int

    def value(self, totals: Array) -> Array:
        """Return the mean coefficient: (…, questions × k) → (…)."""
        blocks = totals.reshape(*totals.shape[:-1], self.questions, totals.shape[-1] // self.questions)
        return defined_mean(self.coefficient.value(blocks))


def _counts(codes: Codes, categories: int) -> Array:
    """Return the numbers of annotators who chose each category, shape (items, categories)."""
    # MISSING is -1 and equals no category.
    counts: Array = (codes[:, :, None] == np.arange(categories)).sum(axis=1).astype(np.float64)
    return counts


def _beyond_chance(observed: Array, expected: Array) -> Array:
    """Return (observed − expected) / (1 − expected), NaN where the agreement expected by chance is 1."""
    # Within 1e-12: sums of floats miss 1 by a hair, and the quotient of two such remainders is noise.
    return safe_ratio(observed - expected, np.where(np.isclose(expected, 1.0, rtol=0, atol=1e-12), 0.0, 1.0 - expected))
