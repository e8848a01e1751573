"""A metric: additive statistics of the items, and a formula of their sums (see ``s3harness.Metric``)."""

import s3harness


def newcomer_metric() -> s3harness.Metric:
    """The share of items that were answered right, 0–1; what was not answered is wrong."""
    return s3harness.ItemMean(_score)


def _score(pair: s3harness.Pair) -> float | None:
    """One item: 1 if right, else 0; ``None`` leaves it out, which only the truth may decide, never the answer."""
    if pair.reference.truth == "untested":
        return None
    return float(pair.prediction.value == pair.reference.truth)
