"""Task 1: presence of signs. Each feature counts the same, however rare it is.

"na" does not claim the sign, so it counts as "no". Truth "untested" is not scored. No answer counts as the wrong one
(see :mod:`s3harness.metrics.confusion`): a missed sign where the truth is yes, a false alarm where it is no. A feature
without an item of truth yes has no F1, and one without both truths no balanced accuracy, MCC or AUROC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from s3harness.metrics import confusion
from s3harness.metrics.base import Array, Bounds, Pair, safe_ratio
from s3harness.metrics.confusion import ClassTables, Formula
from s3harness.metrics.subjects import SubjectList, defined_mean, flat

# The positive class first, as the formulas of confusion.py take it.
PRESENCE = ("yes", "no")


def feature_macro_f1(*, subject: str = "") -> ClassTables:
    """Return F1 of "yes" per feature, averaged over the features that a patient shows; 0–1. ``parts``: feature → F1."""
    return _per_feature(confusion.positive_f1, subject)


def feature_balanced_accuracy(*, subject: str = "") -> ClassTables:
    """Return the mean of sensitivity and specificity, averaged over features; 0–1, a constant scores 0.5."""
    return _per_feature(confusion.balanced_accuracy, subject)


def feature_mcc(*, subject: str = "") -> ClassTables:
    """Return Matthews' correlation coefficient per feature, averaged over features; −1 to 1, a constant scores 0."""
    return _per_feature(confusion.matthews, subject)


def _per_feature(formula: Formula, subject: str) -> ClassTables:
    return ClassTables(formula=formula, classes=_classes, label_in=presence_in, subject=subject)


def presence_in(value: object) -> str | None:
    """Return an answer as "yes" or "no"; ``None`` for a value that is no answer."""
    return {"yes": "yes", "no": "no", "na": "no"}.get(value) if isinstance(value, str) else None


@dataclass
class FeatureAuroc:
    """Area under the ROC curve of the probability of "yes", per feature, averaged over features; 0–1, chance 0.5.

    The area is the mean over the positives of the share of negatives ranked below them (ties half), and the same the
    other way round. A row holds this share of its item, its *placement*, so the sums give the area of the items
    exactly. For a resample the placements stay those of the full set, which is DeLong's linearisation of the statistic
    (Biometrics 1988; for clustered data Obuchowski, Biometrics 1997): right to first order, and additive.

    An answer without a probability ranks as certain, 1 for yes and 0 for no; an item without an answer ranks behind
    all items of the other truth. Where no prediction has a probability, there is no ranking and the score is NaN.
    """

    subject: str = ""
    higher_is_better: bool = True
    unit: str = ""
    bounds: ClassVar[Bounds] = (0.0, 1.0)

    def __post_init__(self) -> None:
        self._subjects = SubjectList(self.subject)

    def support(self, sums: Array) -> Mapping[str, Array]:
        """Return each patient's items by feature and truth, as ``feature/yes``, for features that have both truths."""
        counts = sums.reshape(len(sums), -1, 2, 2)[..., 1]
        return {
            f"{name}/{truth}": counts[:, number, place]
            for number, name in enumerate(self._subjects.names[: counts.shape[1]])
            for place, truth in enumerate(PRESENCE)
            if counts[:, number].any(axis=0).all()
        }

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return (placement of a positive, 1, placement of a negative, 1) per feature, each less a part of the area.

        The parts add up to the area, and so do the two means. The fewer the items of a truth, the less is taken off
        their placements: the area depends on these items, and a test that exchanges the answers of two systems patient
        by patient would otherwise count a shift of all negatives by a few positives as evidence of many patients.
        """
        blocks = self._subjects.learn(pairs)
        rows = np.zeros((len(pairs), len(blocks), 4))
        # Hard answers alone are no ranking: the area would only repeat the balanced accuracy.
        if any(pair.prediction.probability is not None for pair in pairs):
            for name, (positive, negative) in _ranked(pairs, blocks).items():
                _place(rows[:, blocks[name]], positive, negative)
        return flat(rows)

    def value(self, totals: Array) -> Array:
        """Return the mean area over the features that have both truths."""
        return defined_mean(self._areas(totals))

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return feature → area."""
        return self._subjects.named(self._areas(totals))

    def _areas(self, totals: Array) -> Array:
        sums = totals.reshape(*totals.shape[:-1], totals.shape[-1] // 4, 4)
        areas = safe_ratio(sums[..., 0], sums[..., 1]) + safe_ratio(sums[..., 2], sums[..., 3])
        # A resample keeps the placements of the full set, so that its sum can leave 0–1 a little.
        return np.clip(areas, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Row numbers and ranks of the items of one truth."""

    numbers: list[int]
    ranks: list[float]

    def add(self, number: int, rank: float) -> None:
        self.numbers.append(number)
        self.ranks.append(rank)


def _ranked(pairs: Sequence[Pair], features: Iterable[str]) -> dict[str, tuple[_Ranked, _Ranked]]:
    """Feature → its items of truth yes, and those of truth no."""
    items = {name: (_Ranked([], []), _Ranked([], [])) for name in features}
    for number, pair in enumerate(pairs):
        if pair.reference.subject in items and pair.reference.truth in PRESENCE:
            items[pair.reference.subject][PRESENCE.index(str(pair.reference.truth))].add(number, _rank(pair))
    return items


def _place(rows: Array, positive: _Ranked, negative: _Ranked) -> None:
    """Fill the columns (n, 4) of one feature."""
    if positive.numbers and negative.numbers:
        above = _share_below(positive.ranks, negative.ranks)
        below = 1.0 - _share_below(negative.ranks, positive.ranks)
        share = len(positive.numbers) / (len(positive.numbers) + len(negative.numbers))
        rows[positive.numbers, 0], rows[positive.numbers, 1] = above - share * above.mean(), 1.0
        rows[negative.numbers, 2], rows[negative.numbers, 3] = below - (1 - share) * below.mean(), 1.0


def _share_below(values: Sequence[float], others: Sequence[float]) -> Array:
    """Share of the others below each value, ties half."""
    # By binary search in n log n, where comparing all pairs takes memory in their product.
    ordered = np.sort(np.asarray(others))
    below, upto = (np.searchsorted(ordered, np.asarray(values), side=side) for side in ("left", "right"))
    return (below + upto) / (2.0 * len(ordered))


def _rank(pair: Pair) -> float:
    """Ranking score of an item: the probability of yes, else the hard answer; the wrong end without an answer."""
    presence = presence_in(pair.prediction.value) if pair.is_answered else None
    # Beyond every answer of the other truth, so that leaving out a hard item never raises the area.
    if presence is None:
        return -np.inf if pair.reference.truth == "yes" else np.inf
    probability = pair.prediction.probability
    return float(presence == "yes") if probability is None or np.isnan(probability) else probability


def _classes(subject: str) -> Sequence[str]:
    return PRESENCE
