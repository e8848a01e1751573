"""Task 5 as published: raw edit distance, "temporal F1" and "LCS ratio" of two event sequences.

Defects, kept because the published numbers have them:

- :func:`temporal_f1` pays for padding. The aligner writes a surplus predicted token as ``<GAP>`` and, past the end of
  the truth, the truth as ``<GAP>`` too, and the two gaps count as a hit: four hundred words of nonsense after any
  answer score 0.99.
- :func:`lcs_ratio` divides by the length of the prediction, so that one common sign beats every longer answer.
- :func:`edit_distance` is not normalised: an empty answer costs the length of the truth, a long one has no limit.
- Tokens are compared as they come, case and all, and no vocabulary is enforced.
- A video without an answer or without a true event is left out of the mean.

The repaired metrics are in :mod:`s3harness.metrics.order`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from s3harness.metrics.base import ItemMean, Pair

GAP = "<GAP>"


def edit_distance(prediction: Sequence[str], truth: Sequence[str]) -> float:
    """Levenshtein distance over tokens, 0 to ``max(len(prediction), len(truth))``; not normalised."""
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.distance(prediction, truth))


def lcs_ratio(prediction: Sequence[str], truth: Sequence[str]) -> float:
    """Length of the longest common subsequence over the length of the *prediction*, 0–1; 0 for an empty one."""
    from rapidfuzz.distance import LCSseq

    return float(LCSseq.similarity(prediction, truth)) / len(prediction) if prediction else 0.0


def temporal_f1(prediction: Sequence[str], truth: Sequence[str]) -> float:
    """Share of aligned positions with equal labels, 0–1, where a surplus token at the end is a hit (see the module).

    Micro F1 of single-label positions is this share. Two empty sequences score 1, one empty sequence 0.
    """
    if not prediction or not truth:
        return float(not prediction and not truth)
    hits = [predicted == true for predicted, true in _aligned(prediction, truth)]
    return sum(hits) / len(hits)


def released_tokens(text: str) -> list[str]:
    """A released comma list as the authors cut it: quotes and full stops off, blanks to underscores, case kept."""
    words = (word.strip().strip("'\"").strip(".;").split() for word in text.split(","))
    return ["_".join(word) for word in words if word]


def paper_edit_distance() -> ItemMean:
    """Mean :func:`edit_distance` over the answered items, in tokens."""
    return ItemMean(_over_tokens(edit_distance), higher_is_better=False, unit="tokens")


def paper_temporal_f1() -> ItemMean:
    """Mean :func:`temporal_f1` over the answered items."""
    return ItemMean(_over_tokens(temporal_f1))


def paper_lcs_ratio() -> ItemMean:
    """Mean :func:`lcs_ratio` over the answered items."""
    return ItemMean(_over_tokens(lcs_ratio))


def _over_tokens(function: Callable[[Sequence[str], Sequence[str]], float]) -> Callable[[Pair], float | None]:
    """The function of two token lists as a score of a pair; a pair without answer or true event is not counted."""

    def score(pair: Pair) -> float | None:
        truth, prediction = pair.reference.truth, pair.prediction.value
        if not isinstance(truth, Sequence) or not isinstance(prediction, Sequence) or not truth:
            return None
        return function([str(token) for token in prediction], [str(event[0]) for event in truth])

    return score


def _aligned(prediction: Sequence[str], truth: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The authors' alignment as (predicted, true) labels, one per position."""
    from rapidfuzz.distance import Levenshtein

    for step in Levenshtein.opcodes(prediction, truth):
        said = prediction[step.src_start : step.src_end]
        true = truth[step.dest_start : step.dest_end]
        if step.tag == "delete":
            yield from [(GAP, _at(truth, step.dest_start))] * len(said)
        elif step.tag == "insert":
            yield from ((_at(prediction, step.src_start), label) for label in true)
        else:
            yield from zip(said, true, strict=True)


def _at(tokens: Sequence[str], index: int) -> str:
    return tokens[index] if index < len(tokens) else GAP
