"""Scores of items grouped by subject (a feature, a boundary, a side), so that each subject counts the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from s3harness.metrics.base import UNIT_BOUNDS, Array, Bounds, Pair, safe_ratio


@dataclass
class SubjectList:
    """The subjects of the pairs that a metric has scored so far, in order of first appearance.

    The list only grows, and each subject owns a fixed block of columns, so that earlier rows keep their meaning.
    ``only`` restricts the list to one subject; "" means all.
    """

    only: str = ""
    names: list[str] = field(default_factory=list)

    def learn(self, pairs: Iterable[Pair]) -> Mapping[str, int]:
        """Add the subjects of the pairs and return subject → number of its block."""
        # dict.fromkeys, not a set: the order of the columns must not depend on string hashes.
        for subject in dict.fromkeys(pair.reference.subject for pair in pairs):
            if subject not in self.names and self.only in ("", subject):
                self.names.append(subject)
        return {name: number for number, name in enumerate(self.names)}

    def named(self, values: Array) -> dict[str, float]:
        """Return values of shape (subjects,) by name, without undefined ones; empty for a single subject."""
        # The only part of a score would repeat the score.
        if len(values) < 2:
            return {}
        return {name: float(value) for name, value in zip(self.names, values, strict=False) if np.isfinite(value)}

    def columns(self, values: Array) -> dict[str, Array]:
        """Return the columns of values of shape (n, subjects) by name."""
        return dict(zip(self.names, values.T, strict=False))


@dataclass(kw_only=True)
class SubjectMeans:
    """The mean of a score per item, over all items or over the means of the subjects.

    ``score`` returns ``None`` for a pair it does not count. With ``average="items"`` every item weighs the same, with
    ``"subjects"`` every subject that has an item. ``parts`` are the means of the subjects. ``bounds`` default to those
    of the unit.
    """

    score: Callable[[Pair], float | None]
    average: Literal["items", "subjects"] = "items"
    subject: str = ""
    higher_is_better: bool = True
    unit: str = ""
    bounds: Bounds | None = None
    by_video: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._subjects = SubjectList(self.subject)
        self.bounds = self.bounds or UNIT_BOUNDS.get(self.unit)

    def support(self, sums: Array) -> Mapping[str, Array]:
        """Return the scored items of each patient, by subject where subjects weigh the same."""
        counts = _blocks(sums, 2)[..., 1]
        return {"": counts.sum(axis=1)} if self.average == "items" else self._subjects.columns(counts)

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return (score, 1) in the block of the subject; shape (n, 2 × subjects)."""
        blocks = self._subjects.learn(pairs)
        rows = np.zeros((len(pairs), len(blocks), 2))
        items = [number for number, pair in enumerate(pairs) if pair.reference.subject in blocks]
        subjects = [blocks[pairs[number].reference.subject] for number in items]
        # numpy turns ``None`` into NaN: a pair that is not counted.
        scores = np.array([self.score(pairs[number]) for number in items], dtype=np.float64)
        rows[items, subjects, 0], rows[items, subjects, 1] = np.nan_to_num(scores), ~np.isnan(scores)
        return flat(rows)

    def value(self, totals: Array) -> Array:
        """Return the mean over items or over subjects."""
        sums = _blocks(totals, 2)
        if self.average == "items":
            pooled = sums.sum(axis=-2)
            return safe_ratio(pooled[..., 0], pooled[..., 1])
        return defined_mean(safe_ratio(sums[..., 0], sums[..., 1]))

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return subject → mean over its items."""
        sums = _blocks(totals, 2)
        return self._subjects.named(safe_ratio(sums[..., 0], sums[..., 1]))


def defined_mean(values: Array) -> Array:
    """Return the mean of the defined values over the last axis; NaN where none is defined."""
    defined = np.isfinite(values)
    return safe_ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1).astype(np.float64))


def flat(rows: Array) -> Array:
    """Return rows (n, …) as (n, k)."""
    # Not reshape(n, -1): numpy cannot infer −1 where a dimension is 0.
    return rows.reshape(len(rows), math.prod(rows.shape[1:]))


def _blocks(totals: Array, width: int) -> Array:
    """Totals (…, subjects × width) as (…, subjects, width)."""
    return totals.reshape(*totals.shape[:-1], totals.shape[-1] // width, width)
