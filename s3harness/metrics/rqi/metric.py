"""The Seizure-RQI as a metric of Task 6."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from s3harness.metrics.base import Array, Pair, safe_ratio
from s3harness.metrics.rqi.glossary import known_language
from s3harness.metrics.rqi.judge import JudgeError
from s3harness.metrics.rqi.penalties import penalty_named
from s3harness.metrics.rqi.score import (
    RQI,
    WEIGHTS,
    PenaltyResolver,
    ReportReader,
    parse_preset,
    score_report,
    undefined_reason,
    unread_reason,
    with_penalties,
)
from s3harness.types import Reference


class SeizureRQI:
    """Mean Seizure-RQI over reports, 0–100; a report that is missing, or that the rules cannot read, scores 0.

    ``preset`` is ``strict-2``, ``strict-1``, ``paper`` or one of them with further penalties (``strict-2+redundancy``);
    ``strict`` means the newest. ``penalties`` names more. ``resolver`` returns the function of a penalty's name, by
    default a built-in one. ``read`` reads both texts, by default with the rules of the preset; a report that a judge
    could not read scores 0 as well. A video without a defined score is left out: its row is all zeros. A row of
    :meth:`statistics` is the score, its count, then value and count of each component and each penalty, so that
    :meth:`parts` can give their means.
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
        read: ReportReader | None = None,
    ) -> None:
        self.preset = with_penalties(parse_preset(preset, resolver), penalties, resolver)
        self._read = read
        self._names = (*WEIGHTS, *self.preset.penalties)

    def score(self, pair: Pair) -> RQI | None:
        """Return the score of one report with its evidence, ``None`` where there is none."""
        if not pair.is_answered:
            return None
        report, truth = str(pair.prediction.value), cast("Mapping[str, object]", pair.reference.truth)
        try:
            return score_report(report, truth, self.preset, self._read)
        # A judge's failure on this report is the report's loss, as an unparsable answer is elsewhere.
        except JudgeError:
            return None

    def left_out(self, reference: Reference) -> str:
        """Return the reason for which no report on this video has a defined score, "" where one has."""
        try:
            return undefined_reason(cast("Mapping[str, object]", reference.truth), self.preset, self._read)
        # An expert's report that the judge could not read leaves the video in, with the score 0.
        except JudgeError:
            return ""

    def unread(self, pair: Pair) -> str:
        """Return the reason for which the rules cannot read an answered report, "" where they can."""
        is_read_by_rules = pair.is_answered and not self._read
        truth = cast("Mapping[str, object]", pair.reference.truth)
        language = known_language(truth) if is_read_by_rules else ""
        return unread_reason(str(pair.prediction.value), self.preset, language) if is_read_by_rules else ""

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return one row per pair, shape (n, 2 + 2 × (components + penalties))."""
        rows = [self._row(pair) for pair in pairs]
        return np.array(rows, dtype=np.float64).reshape(len(pairs), 2 + 2 * len(self._names))

    def support(self, sums: Array) -> Mapping[str, Array]:
        """Return the scored reports of each patient."""
        return {"": sums[:, 1]}

    def value(self, totals: Array) -> Array:
        """Return the mean score, 0–100."""
        return safe_ratio(totals[..., 0], totals[..., 1])

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return the mean of each component, over reports whose truth has something to score, and of each multiplier.

        Components are 0–1, the laterality L of ``strict-2`` −1 to 1.
        """
        sums, counts = totals[2::2], totals[3::2]
        return {name: float(s / n) for name, s, n in zip(self._names, sums, counts, strict=True) if n}

    def _row(self, pair: Pair) -> list[float]:
        score = self.score(pair)
        if score is None:
            # Asked of the reference alone: a model must not choose by its silence which videos count.
            if self.left_out(pair.reference):
                return [0.0] * (2 + 2 * len(self._names))
            # A missing report has 0 in every component; it has no text to be penalised.
            return [0.0, 1.0] + [0.0, 1.0] * len(WEIGHTS) + [0.0, 0.0] * len(self.preset.penalties)
        if score.value is None:
            return [0.0] * (2 + 2 * len(self._names))
        row = [score.value, 1.0]
        for component in score.components.values():
            row += [component.value or 0.0, float(component.value is not None)]
        for penalty in score.penalties.values():
            row += [penalty.multiplier, 1.0]
        return row
