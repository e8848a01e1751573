"""Closed answers against closed truths: one table per subject, and the scores that are formulas of it.

For every subject and class the table counts three things: ``hits`` (predicted and true), ``true`` (items of that truth)
and ``predicted`` (answers of that class). Recall, F1, balanced accuracy and the correlation coefficient follow.

Rules, the same for every task:

- An item whose truth is not one of the classes ("untested", say) is not scored.
- An item without an answer, or with one outside the classes, counts as the wrong answer of every other class: its
  truth is missed, and each of them has a false alarm. With two classes that is exactly the answer of the other class;
  with more, no single wrong answer can cost as much, so that failing can never score better than answering.
- A score that compares classes is undefined, and its subject left out of the mean, where the truth has fewer of them
  than it needs: an average over the one class that is there would make a constant look perfect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from s3harness.metrics.base import Array, Bounds, Pair, safe_ratio
from s3harness.metrics.subjects import SubjectList, defined_mean, flat

HITS, TRUE, PREDICTED = range(3)

Numbers = NDArray[np.int64]
Formula = Callable[[Array], Array]
"""(…, classes, 3) → (…)"""


@dataclass(kw_only=True)
class ClassTables:
    """A formula of the table of each subject, averaged over the subjects for which it is defined.

    ``classes`` gives the classes of a subject, positive class first; ``label_in`` returns the class of a prediction's
    value, or ``None`` where it is none. ``width`` is the largest number of classes. ``subject`` restricts the score to
    one subject ("" means all). ``class_recalls`` adds the recall of every class to the parts, as ``subject/class``.
    """

    formula: Formula
    classes: Callable[[str], Sequence[str]]
    label_in: Callable[[object], str | None]
    subject: str = ""
    width: int = 2
    class_recalls: bool = False
    higher_is_better: bool = True
    unit: str = ""
    by_video: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._subjects = SubjectList(self.subject)

    @property
    def bounds(self) -> Bounds:
        """−1 and 1 for the correlation coefficient, 0 and 1 for all else."""
        return (-1.0 if self.formula is matthews else 0.0), 1.0

    def support(self, sums: Array) -> Mapping[str, Array]:
        """Return each patient's items by class, of the classes that the formula needs, for subjects with a score.

        A class is named alone if the metric has one subject, else as ``subject/class``.
        """
        tables = self._tables(sums)
        defined = np.isfinite(self.formula(tables.sum(axis=0)))
        first, last = _NEEDED.get(self.formula, (0, self.width))
        # Subjects without a score are left out, or their missing class would deny every interval.
        return {
            label if len(self._subjects.names) == 1 else f"{subject}/{label}": tables[:, number, place, TRUE]
            for number, subject in enumerate(self._subjects.names[: len(defined)])
            for place, label in enumerate(self.classes(subject))
            if defined[number] and first <= place < last
        }

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return (hits, true, predicted) per class in the block of the subject; shape (n, subjects × classes × 3)."""
        blocks = self._subjects.learn(pairs)
        classes = {name: {label: n for n, label in enumerate(self.classes(name))} for name in blocks}
        rows = np.zeros((len(pairs), len(blocks), self.width, 3))
        places = [
            (number, blocks[subject], *place, len(classes[subject]))
            for number, pair in enumerate(pairs)
            if (subject := pair.reference.subject) in blocks and (place := self._place(pair, classes[subject]))
        ]
        # One vectorised call instead of numpy indexing for each item.
        if places:
            _fill(rows, *np.array(places).T)
        return flat(rows)

    def value(self, totals: Array) -> Array:
        """Return the mean over the subjects for which the formula is defined."""
        return defined_mean(self.formula(self._tables(totals)))

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return subject → its score, and with ``class_recalls`` ``subject/class`` → recall."""
        tables = self._tables(totals)
        parts = self._subjects.named(self.formula(tables))
        if self.class_recalls:
            parts |= self._recalls(tables)
        return parts

    def _tables(self, totals: Array) -> Array:
        return totals.reshape(*totals.shape[:-1], totals.shape[-1] // (3 * self.width), self.width, 3)

    def _place(self, pair: Pair, classes: Mapping[str, int]) -> tuple[int, int] | None:
        """Numbers of the true and the predicted class, −1 without one; ``None`` for an item that is not scored."""
        truth, label = pair.reference.truth, self.label_in(pair.prediction.value) if pair.is_answered else None
        # "untested" is no class: the item has no truth to be right about.
        if not isinstance(truth, str) or truth not in classes:
            return None
        return classes[truth], -1 if label is None else classes.get(label, -1)

    def _recalls(self, tables: Array) -> dict[str, float]:
        recalls = recall_per_class(tables)
        return {
            f"{name}/{label}": float(recall)
            for name, row in zip(self._subjects.names, recalls, strict=True)
            for label, recall in zip(self.classes(name), row, strict=False)
            if np.isfinite(recall)
        }


def _fill(rows: Array, item: Numbers, block: Numbers, truth: Numbers, label: Numbers, n_classes: Numbers) -> None:
    """Count items in tables of shape (items, subjects, classes, 3); a ``label`` of −1 is no answer."""
    rows[item, block, truth, TRUE] = 1.0
    rows[item, block, truth, HITS] = truth == label
    read, lost = label >= 0, label < 0
    rows[item[read], block[read], label[read], PREDICTED] = 1.0
    every = np.arange(rows.shape[2])
    # A lost answer is a false alarm of every other class, so that no wrong answer costs more than none.
    is_wrong = (every < n_classes[lost, None]) & (every != truth[lost, None])
    rows[item[lost], block[lost], :, PREDICTED] = is_wrong


def recall_per_class(tables: Array) -> Array:
    """Return hits / true; (…, classes, 3) → (…, classes), NaN for a class without items."""
    return safe_ratio(tables[..., HITS], tables[..., TRUE])


def f1_per_class(tables: Array) -> Array:
    """Return 2·hits / (true + predicted); (…, classes, 3) → (…, classes), NaN for a class without items."""
    f1 = safe_ratio(2 * tables[..., HITS], tables[..., TRUE] + tables[..., PREDICTED])
    # F1 of a class that only the answers have would be 0 and pull the mean down for one false alarm.
    return np.where(tables[..., TRUE] > 0, f1, np.nan)


def balanced_accuracy(tables: Array) -> Array:
    """Return the mean recall over classes with items, 0–1, chance 1/classes; NaN with fewer than two such classes."""
    return _comparing(tables, defined_mean(recall_per_class(tables)))


def macro_f1(tables: Array) -> Array:
    """Return the mean F1 over the classes that have items, 0–1; NaN with fewer than two such classes."""
    return _comparing(tables, defined_mean(f1_per_class(tables)))


def positive_f1(tables: Array) -> Array:
    """Return the F1 of the first class, 0–1; NaN where it has no item."""
    return f1_per_class(tables)[..., 0]


def sensitivity(tables: Array) -> Array:
    """Return the recall of the first class, 0–1; NaN where it has no item."""
    return recall_per_class(tables)[..., 0]


def specificity(tables: Array) -> Array:
    """Return the recall of the second of two classes, 0–1; NaN where it has no item."""
    return recall_per_class(tables)[..., 1]


def matthews(tables: Array) -> Array:
    """Return Matthews' correlation of two classes, −1 to 1; 0 for a constant answer, NaN for a constant truth."""
    tp, tn = tables[..., 0, HITS], tables[..., 1, HITS]
    fn, fp = tables[..., 0, TRUE] - tp, tables[..., 1, TRUE] - tn
    # A constant answer is 0/0, of which the limit is 0: no better than chance.
    root = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return _comparing(tables, safe_ratio(tp * tn - fp * fn, root, empty=0.0))


def _comparing(tables: Array, scores: Array) -> Array:
    """The scores, NaN where the truth has fewer than two classes."""
    return np.where((tables[..., TRUE] > 0).sum(axis=-1) >= 2, scores, np.nan)


_NEEDED: Mapping[Formula, tuple[int, int]] = {positive_f1: (0, 1), sensitivity: (0, 1), specificity: (1, 2)}
"""Formula → first and last (exclusive) of the classes whose items it needs; all classes if it isn't here."""
