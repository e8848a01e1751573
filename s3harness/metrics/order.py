"""Task 5: presence and order of signs. Every score is in 0–1 and compares both lists.

The answer is scored as it is: a repeated sign and a word outside the vocabulary match nothing and lengthen the answer,
so that padding costs. Signs with the same true onset may come in either order: they are put in the order of the answer.
Two empty lists agree (1), an empty and a full one do not (0), and no answer at all scores 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

from s3harness.metrics.base import ItemMean, Pair

TIE_S = 1.0
"""Two true onsets at most this far apart have no order: annotators note whole seconds."""

GAP = "<GAP>"
"""The authors' label of a position that one of two aligned sequences leaves empty."""

Event = tuple[str, float]
"""(feature, onset in seconds)"""


def lcs_f() -> ItemMean:
    """Return 2·LCS / (length of the answer + of the truth), mean over items (LCS: longest common subsequence)."""
    return ItemMean(lambda pair: _against_truth(pair, longest_common_share))


def edit_similarity() -> ItemMean:
    """Return 1 − Levenshtein distance / length of the longer list, mean over items.

    A wrong word in the place of a missing one costs no more than leaving it out, so a few guesses are free here; beyond
    the length of the truth every one costs. :func:`lcs_f` has no such slack.
    """
    return ItemMean(lambda pair: _against_truth(pair, normalised_edit_similarity))


def order_agreement(*, tie_s: float = TIE_S) -> ItemMean:
    """Return the share of pairs in the right order × the overlap of the lists, mean over items (:func:`agreement`)."""
    return ItemMean(lambda pair: 0.0 if (tokens := _tokens(pair)) is None else agreement(tokens, _events(pair), tie_s))


def duplicate_rate() -> ItemMean:
    """Return the share of words that repeat an earlier word, mean over items; no answer counts as 1, an empty one as 0.

    For raw answers, as in training: the benchmark's own aggregation removes repetitions.
    """
    return ItemMean(
        lambda pair: _share(_tokens(pair), lambda tokens: len(tokens) - len(set(tokens))), higher_is_better=False
    )


def out_of_vocabulary_rate(*, vocabulary: Iterable[str] = ()) -> ItemMean:
    """Return the share of words outside the vocabulary (default: the 20 features), mean over items; 1 for no answer."""
    names = frozenset(vocabulary) or _features()
    return ItemMean(
        lambda pair: _share(_tokens(pair), lambda tokens: sum(word not in names for word in tokens)),
        higher_is_better=False,
    )


def longest_common_share(answer: Sequence[str], truth: Sequence[str]) -> float:
    """Return 2·LCS / (len(answer) + len(truth)), 0–1; 1 if both are empty."""
    from rapidfuzz.distance import LCSseq

    total = len(answer) + len(truth)
    return 2.0 * LCSseq.similarity(answer, truth) / total if total else 1.0


def normalised_edit_similarity(answer: Sequence[str], truth: Sequence[str]) -> float:
    """Return 1 − Levenshtein distance / max(len(answer), len(truth)), 0–1; 1 if both are empty."""
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.normalized_similarity(answer, truth))


def agreement(answer: Sequence[str], truth: Sequence[Event], tie_s: float = TIE_S) -> float:
    """Return (τ + 1)/2 × 2·common / (len(answer) + len(truth)), 0–1.

    τ is Kendall's τ-b over the signs both lists have, pairs of true onsets within ``tie_s`` left out, which makes
    (τ + 1)/2 the share of the remaining pairs in the right order; the first mention of a sign gives its place. The
    second factor is the recall of the signs, balanced by the length of the answer: recall alone would pay for naming
    the whole vocabulary. With no pair to judge the first factor is 1/2, chance, or 1 where the truth has none either.
    """
    if not answer and not truth:
        return 1.0
    # Reversed, so that the first mention of a repeated sign is the one that stays in the mapping.
    place = {word: len(answer) - 1 - index for index, word in enumerate(reversed(answer))}
    common = sum(name in place for name, _ in truth)
    ordered = [(first, later) for (first, a), (later, b) in combinations(truth, 2) if abs(b - a) > tie_s]
    # Pairs with a missing sign are left to the second factor, which counts missing signs.
    judged = [place[first] < place[later] for first, later in ordered if first in place and later in place]
    right = sum(judged) / len(judged) if judged else 0.5 if ordered else 1.0
    return right * 2.0 * common / (len(answer) + len(truth))


def temporal_f1(prediction: Sequence[str], truth: Sequence[str]) -> float:
    """Return the share of aligned positions with equal labels, 0–1, in which a surplus token at the end is a hit.

    This is the authors' "temporal F1", defect included: padding pays (see :mod:`s3harness.paper.metrics.order`). Micro
    F1 of single-label positions is this share. Two empty sequences score 1, one empty sequence 0.
    """
    if not prediction or not truth:
        return float(not prediction and not truth)
    hits = [predicted == true for predicted, true in _aligned(prediction, truth)]
    return sum(hits) / len(hits)


def _against_truth(pair: Pair, score: Callable[[Sequence[str], Sequence[str]], float]) -> float:
    """A score of the answer against the truth, ties in the truth taken as the answer has them."""
    tokens = _tokens(pair)
    if tokens is None:
        return 0.0
    place = {word: len(tokens) - 1 - index for index, word in enumerate(reversed(tokens))}
    truth = sorted(_events(pair), key=lambda event: (event[1], place.get(event[0], len(tokens))))
    return score(tokens, [name for name, _ in truth])


def _tokens(pair: Pair) -> list[str] | None:
    value = pair.prediction.value
    return [str(word) for word in value] if isinstance(value, list | tuple) else None


def _events(pair: Pair) -> list[Event]:
    """The true events, ascending by onset."""
    events = [(str(name), float(onset)) for name, onset in pair.reference.truth]  # type: ignore[attr-defined]
    return sorted(events, key=lambda event: event[1])


def _share(tokens: list[str] | None, count: Callable[[list[str]], int]) -> float:
    # The worst share for no answer, so that failing never looks cleaner than answering.
    if tokens is None:
        return 1.0
    return count(tokens) / len(tokens) if tokens else 0.0


def _features() -> frozenset[str]:
    # Imported here: the vocabulary is read from a file, which importing the metrics should not cost.
    from s3harness.specs.features import vocabulary

    return frozenset(vocabulary().names)


def _aligned(prediction: Sequence[str], truth: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The authors' alignment as (predicted, true) labels, one per position."""
    from rapidfuzz.distance import Levenshtein

    for step in Levenshtein.opcodes(prediction, truth):
        predicted = prediction[step.src_start : step.src_end]
        true = truth[step.dest_start : step.dest_end]
        # The gap is compared with the next true token, which past the end of the truth is a gap too: the defect.
        if step.tag == "delete":
            yield from [(GAP, _at(truth, step.dest_start))] * len(predicted)
        elif step.tag == "insert":
            yield from ((_at(prediction, step.src_start), label) for label in true)
        else:
            yield from zip(predicted, true, strict=True)


def _at(tokens: Sequence[str], index: int) -> str:
    return tokens[index] if index < len(tokens) else GAP
