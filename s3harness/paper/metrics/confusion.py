"""Precision, recall, F1 and accuracy of the answers that could be read, as the published tables have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from s3harness.metrics.base import Array, Pair, safe_ratio
from s3harness.metrics.subjects import defined_mean, flat

Statistic = Literal["precision", "recall", "f1", "accuracy"]

_HITS, _TRUE, _PREDICTED = range(3)


@dataclass(kw_only=True)
class PaperTables:
    """One statistic per subject, averaged over the subjects that have a pair left.

    ``labels`` gives the true and the predicted label of a pair, or ``None`` for a pair that is dropped. ``positive``
    gives the class whose precision, recall and F1 count for a subject, or ``None`` for their mean over all labels that
    occur among its truths *or answers*. 0/0 counts as 0. Not ``by_video``, as the columns are in the order of the
    labels over all pairs.
    """

    statistic: Statistic
    labels: Callable[[Pair], tuple[str, str] | None]
    positive: Callable[[str], str | None]
    subject: str = ""
    higher_is_better: bool = True
    unit: str = ""

    def __post_init__(self) -> None:
        self._columns: dict[tuple[str, str], int] = {}

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return (hits, true, predicted) per subject and label so far; shape (n, 3 × subjects and labels)."""
        labelled = [self.labels(p) if self.subject in ("", p.reference.subject) else None for p in pairs]
        for pair, labels in zip(pairs, labelled, strict=True):
            for label in labels or ():
                self._columns.setdefault((pair.reference.subject, label), len(self._columns))
        rows = np.zeros((len(pairs), len(self._columns), 3))
        for row, pair, labels in zip(rows, pairs, labelled, strict=True):
            if labels:
                true, predicted = (self._columns[pair.reference.subject, label] for label in labels)
                row[true, _TRUE] = row[predicted, _PREDICTED] = 1.0
                row[true, _HITS] = float(true == predicted)
        return flat(rows)

    def value(self, totals: Array) -> Array:
        """Return the mean over subjects."""
        columns = list(self._by_subject(totals).values())
        return defined_mean(np.stack(columns, axis=-1)) if columns else np.full(totals.shape[:-1], np.nan)

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return subject → statistic."""
        return {name: float(value) for name, value in self._by_subject(totals).items() if np.isfinite(value)}

    def _by_subject(self, totals: Array) -> Mapping[str, Array]:
        counts = totals.reshape(*totals.shape[:-1], totals.shape[-1] // 3, 3)
        # Totals of an earlier model have fewer columns than the metric has labels by now.
        columns = {key: column for key, column in self._columns.items() if column < counts.shape[-2]}
        subjects = dict.fromkeys(subject for subject, _ in columns)
        return {name: self._statistic(counts, name, columns) for name in subjects}

    def _statistic(self, counts: Array, subject: str, columns: Mapping[tuple[str, str], int]) -> Array:
        """Return the statistic of one subject; (…, columns, 3) → (…), NaN without a pair."""
        table = counts[..., [column for (name, _), column in columns.items() if name == subject], :]
        n_pairs = table[..., _TRUE].sum(axis=-1)
        positive = self.positive(subject)
        # Accuracy has no positive class.
        if self.statistic == "accuracy":
            score = safe_ratio(table[..., _HITS].sum(axis=-1), n_pairs)
        elif positive is None:
            # As scikit-learn's macro average: a label that only the answers have counts with 0.
            occurs = table[..., _TRUE] + table[..., _PREDICTED] > 0
            score = defined_mean(np.where(occurs, self._per_label(table), np.nan))
        elif (subject, positive) in columns:
            score = self._per_label(counts[..., columns[subject, positive], :])
        else:
            score = np.zeros(table.shape[:-2])
        return np.where(n_pairs > 0, score, np.nan)

    def _per_label(self, table: Array) -> Array:
        """Return precision, recall or F1 of each label; (…, 3) → (…)."""
        hits, true, predicted = table[..., _HITS], table[..., _TRUE], table[..., _PREDICTED]
        if self.statistic == "f1":
            return safe_ratio(2 * hits, true + predicted, empty=0.0)
        return safe_ratio(hits, predicted if self.statistic == "precision" else true, empty=0.0)
