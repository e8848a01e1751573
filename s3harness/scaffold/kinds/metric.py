"""A metric: additive statistics of the items, and a formula on their sums (see ``s3harness.Metric``)."""

import s3harness


def newcomer_metric() -> s3harness.Metric:
    """Return the share of correctly answered items, 0–1; an item without an answer is wrong."""
    return s3harness.ItemMean(_score)


def _score(pair: s3harness.Pair) -> float | None:
    """Score one item: 1 if correct, else 0; ``None`` leaves the item out."""
    # Only the truth may leave an item out: if answers could, refusing hard items would raise the score.
    if pair.reference.truth == "untested":
        return None
    return float(pair.prediction.value == pair.reference.truth)
