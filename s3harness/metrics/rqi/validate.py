"""How well a report metric agrees with human scores, with intervals that resample videos.

Reports of one video share its expert text and its difficulty, so that they are not independent: the intervals are
percentile bootstraps over videos, with all reports of a drawn video.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from s3harness.errors import UsageError
from s3harness.types import Interval

Array = NDArray[np.float64]
Key = tuple[Hashable, Hashable]
"""(video, model): which report."""

RESAMPLES = 2000
SEED = 0
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Agreement:
    """One measure of agreement; the value is NaN where it is undefined, and so are the bounds."""

    value: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Validation:
    """Agreement of a metric with human scores.

    ``pairwise`` is the share of pairs of reports with different human scores that the metric orders like the humans, a
    tie of the metric being wrong; ``pairwise_same_video`` takes only pairs of one video, where no difference between
    videos helps. ``unscored`` counts reports with a human score and none of the metric: they are in no measure.
    """

    pearson: Agreement
    spearman: Agreement
    kendall: Agreement
    pairwise: Agreement
    pairwise_same_video: Agreement
    n_reports: int
    n_videos: int
    n_pairs: int
    n_pairs_same_video: int
    unscored: int


def validate(
    scores: Mapping[Key, float], human: Mapping[Key, float], resamples: int = RESAMPLES, seed: int = SEED
) -> Validation:
    """Agreement of ``scores`` with ``human`` scores, both by (video, model); order of the mappings does not matter.

    Raises :class:`UsageError` with fewer than three reports in common.
    """
    keys = sorted((key for key in human if key in scores), key=repr)
    if len(keys) < 3:
        raise UsageError(f"{len(keys)} reports have both a score and a human score; at least 3 are needed")
    x = np.array([scores[key] for key in keys], dtype=np.float64)
    y = np.array([human[key] for key in keys], dtype=np.float64)
    names = list(dict.fromkeys(video for video, _ in keys))
    videos = np.array([names.index(video) for video, _ in keys])
    draws = _draws(videos, len(names), resamples, seed)
    agreements = {name: _agreement(measure, x, y, videos, draws) for name, measure in _MEASURES.items()}
    different = _upper(np.sign(y[:, None] - y[None, :])) != 0
    return Validation(
        **agreements,
        n_reports=len(keys),
        n_videos=len(names),
        n_pairs=int(different.sum()),
        n_pairs_same_video=int((different & _upper(videos[:, None] == videos[None, :])).sum()),
        unscored=sum(key not in scores for key in human),
    )


def _draws(videos: NDArray[np.int64], n: int, resamples: int, seed: int) -> list[NDArray[np.int64]]:
    """The reports of each resample: n videos with replacement, all reports of each."""
    members = [np.flatnonzero(videos == video) for video in range(n)]
    drawn = np.random.default_rng(seed).integers(n, size=(resamples, n))
    return [np.concatenate([members[video] for video in row]) for row in drawn]


def _agreement(
    measure: Callable[[Array, Array, NDArray[np.int64]], float],
    x: Array,
    y: Array,
    videos: NDArray[np.int64],
    draws: Sequence[NDArray[np.int64]],
) -> Agreement:
    resampled = np.array([measure(x[rows], y[rows], videos[rows]) for rows in draws])
    defined = resampled[np.isfinite(resampled)]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(defined, [tail, 1 - tail]) if defined.size else (np.nan, np.nan)
    return Agreement(measure(x, y, videos), Interval(float(low), float(high), LEVEL))


def _pearson(x: Array, y: Array, _: NDArray[np.int64]) -> float:
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale else np.nan


def _spearman(x: Array, y: Array, videos: NDArray[np.int64]) -> float:
    return _pearson(_mean_ranks(x), _mean_ranks(y), videos)


def _kendall(x: Array, y: Array, _: NDArray[np.int64]) -> float:
    """Tau-b."""
    dx, dy = _signs(x), _signs(y)
    scale = float(np.sqrt(np.abs(dx).sum() * np.abs(dy).sum()))
    return float(dx @ dy) / scale if scale else np.nan


def _pairwise(x: Array, y: Array, _: NDArray[np.int64]) -> float:
    return _share_alike(_signs(x), _signs(y))


def _pairwise_same_video(x: Array, y: Array, videos: NDArray[np.int64]) -> float:
    same = _upper(videos[:, None] == videos[None, :])
    return _share_alike(_signs(x)[same], _signs(y)[same])


def _share_alike(dx: Array, dy: Array) -> float:
    different = dy != 0
    return float((dx[different] == dy[different]).mean()) if different.any() else np.nan


def _signs(values: Array) -> Array:
    return _upper(np.sign(values[:, None] - values[None, :]))


def _upper(matrix: NDArray[Any]) -> NDArray[Any]:
    return matrix[np.triu_indices(len(matrix), 1)]


def _mean_ranks(values: Array) -> Array:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Array = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    return ranks


_MEASURES = {
    "pearson": _pearson,
    "spearman": _spearman,
    "kendall": _kendall,
    "pairwise": _pairwise,
    "pairwise_same_video": _pairwise_same_video,
}
