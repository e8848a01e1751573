"""The Seizure-RQI as a metric of Task 6."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from s3harness.metrics.base import Array, Pair, safe_ratio
from s3harness.metrics.rqi.extract import extract
from s3harness.metrics.rqi.judge import JudgeError
from s3harness.metrics.rqi.penalties import penalty_named
from s3harness.metrics.rqi.score import (
    RQI,
    WEIGHTS,
    PenaltyResolver,
    Reader,
    parse_preset,
    score_report,
    with_penalties,
)


class SeizureRQI:
    """Mean Seizure-RQI over reports, 0–100; a report that is missing scores 0.

    ``preset`` is ``strict``, ``paper`` or either with further penalties (``strict+redundancy``); ``penalties`` names
    more. ``resolver`` finds the function of a penalty's name, by default among the built-in ones. ``read`` reads both
    texts, by default the rules; a report that a judge could not read scores 0 as well. A row of :meth:`statistics` is
    the score, its count, then value and count of each component and each penalty, so that :meth:`parts` can give their
    means.
    """

    higher_is_better = True
    unit = "points"
    by_video = True
    bounds = (0.0, 100.0)

    def __init__(
        self,
        preset: str = "strict",
        penalties: Sequence[str] = (),
        resolver: PenaltyResolver = penalty_named,
        read: Reader = extract,
    ) -> None:
        self.preset = with_penalties(parse_preset(preset, resolver), penalties, resolver)
        self._read = read
        self._names = (*WEIGHTS, *self.preset.penalties)

    def score(self, pair: Pair) -> RQI | None:
        """The inspectable score of one report, ``None`` where there is none."""
        if not pair.is_answered:
            return None
        report, truth = str(pair.prediction.value), cast("Mapping[str, object]", pair.reference.truth)
        try:
            return score_report(report, truth, self.preset, self._read)
        except JudgeError:
            return None

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """One row per pair, shape (n, 2 + 2 × (components + penalties))."""
        rows = [self._row(self.score(pair)) for pair in pairs]
        return np.array(rows, dtype=np.float64).reshape(len(pairs), 2 + 2 * len(self._names))

    def support(self, sums: Array) -> Mapping[str, Array]:
        """The scored reports of each patient."""
        return {"": sums[:, 1]}

    def value(self, totals: Array) -> Array:
        """Mean score, 0–100."""
        return safe_ratio(totals[..., 0], totals[..., 1])

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Mean of each component (0–1, over the reports whose truth has something to score) and of each multiplier."""
        sums, counts = totals[2::2], totals[3::2]
        return {name: float(s / n) for name, s, n in zip(self._names, sums, counts, strict=True) if n}

    def _row(self, score: RQI | None) -> list[float]:
        if score is None:
            return [0.0, 1.0] + [0.0, 1.0] * len(WEIGHTS) + [0.0, 0.0] * len(self.preset.penalties)
        row = [score.value, 1.0]
        for component in score.components.values():
            row += [component.value or 0.0, float(component.value is not None)]
        for penalty in score.penalties.values():
            row += [penalty.multiplier, 1.0]
        return row
