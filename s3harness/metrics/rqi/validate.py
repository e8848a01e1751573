"""Agreement of a report metric with human scores, with intervals that resample videos.

Reports of one video share its expert text and its difficulty, so that they are not independent: the intervals are
percentile bootstraps over videos, with all reports of a drawn video.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from s3harness.errors import UsageError
from s3harness.types import Interval

Array = NDArray[np.float64]
Indexes = NDArray[np.int64]
Key = tuple[Hashable, Hashable]
"""(video, model): which report."""

RESAMPLES = 2000
SEED = 0
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class AgreementMeasure:
    """One measure of agreement; the value is NaN where it is undefined, and so are the bounds."""

    value: float
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Agreement of a metric with human scores.

    ``pairwise`` is the share of pairs of reports with different human scores that the metric orders like the humans, a
    tie of the metric being wrong; ``pairwise_same_video`` has only pairs of one video, where no difference between
    videos helps. ``unscored`` counts reports with a human score and none of the metric: they are in no measure.
    """

    pearson: AgreementMeasure
    spearman: AgreementMeasure
    kendall: AgreementMeasure
    pairwise: AgreementMeasure
    pairwise_same_video: AgreementMeasure
    n_reports: int
    n_videos: int
    n_pairs: int
    n_pairs_same_video: int
    unscored: int


def validate(
    scores: Mapping[Key, float], human: Mapping[Key, float], resamples: int = RESAMPLES, seed: int = SEED
) -> Validation:
    """Return the agreement of ``scores`` with ``human`` scores, both by (video, model), in whatever order.

    Raises :class:`UsageError` with fewer than three reports in common.
    """
    # Sorted, so that the draws do not depend on the order of the mappings; by repr, as keys may be of mixed types.
    keys = sorted((key for key in human if key in scores), key=repr)
    # Two reports always correlate perfectly.
    if len(keys) < 3:
        raise UsageError(f"{len(keys)} reports have both a score and a human score; at least 3 are needed")
    x = np.array([scores[key] for key in keys], dtype=np.float64)
    y = np.array([human[key] for key in keys], dtype=np.float64)
    names = list(dict.fromkeys(video for video, _ in keys))
    videos = np.array([names.index(video) for video, _ in keys])
    resampled = np.array([_measures(x[rows], y[rows], drawn) for rows, drawn in _draws(videos, resamples, seed)])
    measured = zip(_measures(x, y, videos), resampled.T, strict=True)
    pearson, spearman, kendall, pairwise, same_video = (_agreement(value, column) for value, column in measured)
    different = _upper(np.sign(y[:, None] - y[None, :])) != 0
    return Validation(
        pearson=pearson,
        spearman=spearman,
        kendall=kendall,
        pairwise=pairwise,
        pairwise_same_video=same_video,
        n_reports=len(keys),
        n_videos=len(names),
        n_pairs=int(different.sum()),
        n_pairs_same_video=int((different & _upper(videos[:, None] == videos[None, :])).sum()),
        unscored=sum(key not in scores for key in human),
    )


def _draws(videos: Indexes, resamples: int, seed: int) -> Iterator[tuple[Indexes, Indexes]]:
    """Resamples of n videos with replacement: the reports of each, and the number of the draw of each report."""
    # By draw: a video drawn twice is two videos, whose reports form no pair of one video.
    n = int(videos.max()) + 1
    members = [np.flatnonzero(videos == video) for video in range(n)]
    for row in np.random.default_rng(seed).integers(n, size=(resamples, n)):
        drawn = [members[video] for video in row]
        yield np.concatenate(drawn), np.repeat(np.arange(n), [len(reports) for reports in drawn])


def _agreement(value: float, resampled: Array) -> AgreementMeasure:
    # A resample of one video drawn every time has no correlation.
    defined = resampled[np.isfinite(resampled)]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(defined, [tail, 1 - tail]) if defined.size else (np.nan, np.nan)
    return AgreementMeasure(float(value), Interval(float(low), float(high), LEVEL))


def _measures(x: Array, y: Array, videos: Indexes) -> tuple[float, float, float, float, float]:
    """The five measures in the order of :class:`Validation`; Kendall is tau-b."""
    dx, dy = (_upper(np.sign(values[:, None] - values[None, :])) for values in (x, y))
    same = _upper(videos[:, None] == videos[None, :])
    return (
        _correlation(x - x.mean(), y - y.mean()),
        _correlation(_centred_ranks(x), _centred_ranks(y)),
        _correlation(dx, dy),
        _share_alike(dx, dy),
        _share_alike(dx[same], dy[same]),
    )


def _correlation(x: Array, y: Array) -> float:
    """Correlation of centred values; of the signs of all pairs' differences it is Kendall's tau-b."""
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale else np.nan


def _centred_ranks(values: Array) -> Array:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Array = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    ranks -= ranks.mean()
    return ranks


def _share_alike(dx: Array, dy: Array) -> float:
    different = dy != 0
    return float((dx[different] == dy[different]).mean()) if different.any() else np.nan


def _upper(matrix: NDArray[Any]) -> NDArray[Any]:
    """Entries above the diagonal: one per pair."""
    return matrix[_pairs(len(matrix))]


@lru_cache(maxsize=128)
def _pairs(n: int) -> tuple[Indexes, Indexes]:
    return np.triu_indices(n, 1)
