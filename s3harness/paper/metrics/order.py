"""Task 5 as published: raw edit distance, "temporal F1" and "LCS ratio" of two event sequences.

Defects, kept because the published numbers have them:

- :func:`~s3harness.metrics.order.temporal_f1` pays for padding. The aligner writes a surplus predicted token as
  ``<GAP>`` and, past the end of the truth, the truth as ``<GAP>`` too, and the two gaps count as a hit: four hundred
  words of nonsense after any answer score 0.99.
- :func:`lcs_ratio` divides by the length of the prediction, so that one common sign beats every longer answer.
- :func:`edit_distance` is not normalised: an empty answer costs the length of the truth, a long one has no limit.
- Tokens are compared as they come, case and all, and no vocabulary is enforced.
- A video without an answer or without a true event is left out of the mean.

The repaired metrics are in :mod:`s3harness.metrics.order`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from s3harness.metrics.base import ItemMean, Pair
from s3harness.metrics.order import temporal_f1


def edit_distance(prediction: Sequence[str], truth: Sequence[str]) -> float:
    """Return the Levenshtein distance over tokens, 0 to ``max(len(prediction), len(truth))``; not normalised."""
    # Imported in the functions: rapidfuzz is a compiled library that only these two need.
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.distance(prediction, truth))


def lcs_ratio(prediction: Sequence[str], truth: Sequence[str]) -> float:
    """Return the length of the longest common subsequence over that of the *prediction*, 0–1; 0 for an empty one."""
    from rapidfuzz.distance import LCSseq

    return float(LCSseq.similarity(prediction, truth)) / len(prediction) if prediction else 0.0


def released_tokens(text: str) -> list[str]:
    """Return the tokens of a released comma list as the authors cut it: without quotes, full stops and blanks."""
    words = (word.strip().strip("'\"").strip(".;").split() for word in text.split(","))
    return ["_".join(word) for word in words if word]


def paper_edit_distance() -> ItemMean:
    """Return the mean :func:`edit_distance` over the answered items, in tokens."""
    return ItemMean(_over_tokens(edit_distance), higher_is_better=False, unit="tokens")


def paper_temporal_f1() -> ItemMean:
    """Return the mean :func:`~s3harness.metrics.order.temporal_f1` over the answered items."""
    return ItemMean(_over_tokens(temporal_f1))


def paper_lcs_ratio() -> ItemMean:
    """Return the mean :func:`lcs_ratio` over the answered items."""
    return ItemMean(_over_tokens(lcs_ratio))


def _over_tokens(function: Callable[[Sequence[str], Sequence[str]], float]) -> Callable[[Pair], float | None]:
    """Turn a function of two token lists into a score of a pair; a pair without answer or true event is left out."""

    def score(pair: Pair) -> float | None:
        truth, prediction = pair.reference.truth, pair.prediction.value
        # Left out, not 0, as in the authors' program: failing to answer costs nothing.
        if not isinstance(truth, Sequence) or not isinstance(prediction, Sequence) or not truth:
            return None
        return function([str(token) for token in prediction], [str(event[0]) for event in truth])

    return score
