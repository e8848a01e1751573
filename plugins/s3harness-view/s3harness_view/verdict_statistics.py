"""Statistics of verdicts: agreement of readers, and the precision of the annotators' labels."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from s3harness_view.verdict_file import ReaderVerdict

LABEL_IS_WRONG = frozenset({"wrong", "label is wrong"})
"""Verdicts on an annotation that dispute it; on an answer only the second disputes the annotation."""
Z95 = 1.959964
"""The 97.5 % quantile of the normal distribution."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PairAgreement:
    """Agreement of two readers on the ``n`` targets that both judged; ``None`` where a coefficient is undefined.

    ``kappa`` is Cohen's κ (1960), ``ac1`` Gwet's AC1 (2008), which stays stable where nearly all verdicts are alike.
    """

    first: str
    second: str
    n: int
    agreement: float | None
    kappa: float | None
    ac1: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelPrecision:
    """Share of the ``judged`` labels that no majority of readers disputes, with a 95 % Wilson interval."""

    judged: int
    upheld: int
    ambiguous: int
    precision: float | None
    low: float | None
    high: float | None


def pair_agreements(verdicts: Sequence[ReaderVerdict]) -> list[PairAgreement]:
    """Return the agreement of each two readers."""
    by_reader: dict[str, dict[tuple[str, str], str]] = {}
    for verdict in verdicts:
        by_reader.setdefault(verdict.reader, {})[verdict.item, verdict.target] = verdict.verdict
    return [_agreement(one, two, by_reader[one], by_reader[two]) for one, two in combinations(sorted(by_reader), 2)]


def coefficients(pairs: Sequence[tuple[str, str]]) -> tuple[float | None, float | None, float | None]:
    """Return plain agreement, Cohen's κ and Gwet's AC1 of pairs of verdicts; ``None`` where one is 0/0."""
    n = len(pairs)
    if not n:
        return None, None, None
    observed = sum(one == two for one, two in pairs) / n
    first, second = Counter(one for one, _ in pairs), Counter(two for _, two in pairs)
    names = first.keys() | second.keys()
    expected = sum(first[name] * second[name] for name in names) / n**2
    kappa = None if math.isclose(expected, 1) else (observed - expected) / (1 - expected)
    # AC1: the chance agreement is that of the verdicts' mean shares, over the number of categories less one.
    shares = [(first[name] + second[name]) / (2 * n) for name in names]
    chance = sum(share * (1 - share) for share in shares) / (len(names) - 1) if len(names) > 1 else 0.0
    return observed, kappa, (observed - chance) / (1 - chance)


def label_verdicts(verdicts: Sequence[ReaderVerdict]) -> dict[str, str]:
    """Return item → ``upheld``, ``wrong`` or ``ambiguous``, by the majority of the readers who judged its label.

    Verdicts on an annotation count, and "label is wrong" on an answer. A tie is ambiguous.
    """
    votes: dict[str, dict[str, str]] = {}
    for verdict in verdicts:
        vote = _vote(verdict)
        # A reader has one vote on a label; the one on the annotation itself counts.
        if vote and (verdict.target == "annotation" or verdict.reader not in votes.get(verdict.item, {})):
            votes.setdefault(verdict.item, {})[verdict.reader] = vote
    return {item: _majority(list(of_item.values())) for item, of_item in votes.items()}


def label_precision(labels: Mapping[str, str]) -> LabelPrecision:
    """Return the precision of the labels that were judged and are not ambiguous."""
    counts = Counter(labels.values())
    n = counts["upheld"] + counts["wrong"]
    share = counts["upheld"] / n if n else None
    low, high = _wilson(counts["upheld"], n) if n else (None, None)
    return LabelPrecision(
        judged=n, upheld=counts["upheld"], ambiguous=counts["ambiguous"], precision=share, low=low, high=high
    )


def _agreement(
    one: str, two: str, first: Mapping[tuple[str, str], str], second: Mapping[tuple[str, str], str]
) -> PairAgreement:
    shared = [target for target in first if target in second]
    observed, kappa, ac1 = coefficients([(first[target], second[target]) for target in shared])
    return PairAgreement(first=one, second=two, n=len(shared), agreement=observed, kappa=kappa, ac1=ac1)


def _vote(verdict: ReaderVerdict) -> str:
    if verdict.target == "answer":
        return "wrong" if verdict.verdict == "label is wrong" else ""
    if verdict.verdict in LABEL_IS_WRONG:
        return "wrong"
    return {"right": "upheld", "ambiguous": "ambiguous"}.get(verdict.verdict, "")


def _majority(votes: Sequence[str]) -> str:
    (first, n), *others = Counter(votes).most_common()
    return "ambiguous" if others and others[0][1] == n else first


def _wilson(k: int, n: int) -> tuple[float, float]:
    """Return the Wilson interval of a share (Wilson 1927)."""
    share, z2 = k / n, Z95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)
