"""Task 2: informedness of rationales, the share of what is particular to the true sentences that the answers state.

Sentences that give the reason of an answer are much alike: "The patient does not exhibit any … throughout the video"
agrees in most words with most annotators and needs no video. So an element of meaning (a sign, a part of the body, a
side, a quality, a time, a state; :mod:`s3harness.metrics.statements`) counts by how well it distinguishes the videos.
Within one feature and one true answer, let x be 1 where an answer states the element and t 1 where the true sentence
does. The score is

    C = Σ cov(x, t) / Σ var(t), sums over elements.

As cov(x, t) = var(t) · J, this is the mean over the elements of Youden's J (sensitivity + specificity − 1, also called
informedness: Youden 1950, Powers 2011), weighted by how much the element varies. It follows without any fitting that

- one sentence for all videos, whatever it says, scores 0, and so do sentences assigned at random;
- an element that every true sentence states weighs nothing, nor does one that none states;
- −1 ≤ C ≤ 1, and only the true sentences are sure to score 1.

Sentences are read only where the yes or no is right: beside a wrong answer no element can agree with the annotator's
reason. No answer at all counts as the least fitting of the true sentences of its feature and truth, so that failing
never pays. A sentence of more than twice the words of the feature's longest true one counts by that limit over its
length, so that repetition and exhaustive lists cost. Per feature the truths yes and no count the same, and so do the
features; those whose true sentences do not differ are left out.

The truth scores 1, but only by repeating it. :meth:`RationaleInformedness.ceiling` answers each item with the sentence
of another patient, of the same feature and truth, that states most of the same: a ceiling for other words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from s3harness.metrics.base import Array, Pair, safe_ratio
from s3harness.metrics.features import PRESENCE, presence_in
from s3harness.metrics.rqi.text import count_words
from s3harness.metrics.statements import FACETS, SHARED, statements
from s3harness.metrics.subjects import SubjectList, defined_mean, flat
from s3harness.metrics.text import field_of, text_of, true_text
from s3harness.types import Prediction, Reference

LENGTH = 2.0
"""Multiple of the words of a feature's longest true sentence that is free; at most 1.4 % of models' own are longer."""
CANDIDATES = 300
"""Sentences of a feature and truth, the first ones, among which the most and the least fitting are searched for."""

Stratum = tuple[str, str]
"""(feature, true answer)"""


@dataclass
class RationaleInformedness:
    """The metric of this module; −1 to 1. ``parts``: feature → score.

    ``facet`` restricts it to the elements of one facet, ``subject`` to one feature. A row holds its item's part of the
    covariance and of the variance about the means of all pairs, which stay those of the full set in a resample: right
    to first order, as for :class:`~s3harness.metrics.features.FeatureAuroc`.
    """

    subject: str = ""
    facet: str = ""
    higher_is_better: bool = True
    unit: str = ""
    is_relative: ClassVar[bool] = True

    def __post_init__(self) -> None:
        # A misspelt facet would match no element and score every model 0.
        if self.facet not in ("", *FACETS, *SHARED):
            raise ValueError(f"no facet {self.facet!r}: expected one of {', '.join((*SHARED, *FACETS))}")
        self._subjects = SubjectList(self.subject)

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return (covariance, variance) in the block of the feature and truth; shape (n, features × 2 × 2)."""
        blocks = self._subjects.learn(pairs)
        rows = np.zeros((len(pairs), len(blocks), len(PRESENCE), 2))
        strata = self._strata(pairs)
        limits = _free_words(pairs, strata)
        for (subject, present), numbers in strata.items():
            of_stratum = self._rows([pairs[n] for n in numbers], limits[subject])
            rows[numbers, blocks[subject], PRESENCE.index(present)] = of_stratum
        return flat(rows)

    def value(self, totals: Array) -> Array:
        """Return the mean over the features that have differing true sentences."""
        return defined_mean(self._balanced(totals))

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return feature → score."""
        return self._subjects.named(self._balanced(totals))

    def ceiling(self, references: Iterable[Reference]) -> Callable[[Reference], Prediction]:
        """Return the function that answers with the true sentence of another patient that states most of the same.

        Where no other patient has this feature and truth, the answer has no sentence.
        """
        sentences: defaultdict[Stratum, dict[tuple[int, frozenset[str]], str]] = defaultdict(dict)
        for reference in references:
            text = true_text(Pair(reference, Prediction(reference.item)))
            others = sentences[_stratum(reference)]
            # Bounded, as every item of the stratum is compared with every candidate.
            if text and len(others) < CANDIDATES:
                others.setdefault((reference.cluster, self._stated(text)), text)

        def answer(reference: Reference) -> Prediction:
            present = str(field_of(reference.truth, "present"))
            stated = self._stated(text_of(reference.truth))
            near = {
                text: _dice(stated, other)
                for (cluster, other), text in sentences[_stratum(reference)].items()
                if cluster != reference.cluster
            }
            # Ties by the alphabet, so that the ceiling does not depend on the order of the items.
            text = min(near, key=lambda text: (-near[text], text), default="")
            return Prediction(reference.item, {"present": "na" if present == "untested" else present, "text": text})

        return answer

    def _strata(self, pairs: Sequence[Pair]) -> dict[Stratum, list[int]]:
        """Feature and truth → numbers of its pairs that have a true sentence."""
        strata: defaultdict[Stratum, list[int]] = defaultdict(list)
        for number, pair in enumerate(pairs):
            subject, present = _stratum(pair.reference)
            if self.subject in ("", subject) and present in PRESENCE and true_text(pair):
                strata[subject, present].append(number)
        return strata

    def _rows(self, pairs: Sequence[Pair], free: float) -> Array:
        """(covariance, variance) of each pair of one stratum, (n, 2); ``free`` words cost nothing."""
        true = [self._stated(true_text(pair)) for pair in pairs]
        # Elements that no true sentence states have variance 0, and so no weight.
        names = sorted(frozenset().union(*true))
        t = _indicators(true, names)
        x = _indicators([self._given(pair) for pair in pairs], names)
        x *= np.array([min(1.0, free / max(_words(pair), 1)) for pair in pairs])[:, None]
        centred = t - t.mean(axis=0)
        # Without an answer: the true sentence of another item that has the lowest covariance with this item's.
        for number in [number for number, pair in enumerate(pairs) if _presence(pair) is None]:
            x[number] = t[np.argmin(centred[:CANDIDATES] @ centred[number])]
        return np.stack([((x - x.mean(axis=0)) * centred).sum(axis=1), (centred**2).sum(axis=1)], axis=1)

    def _given(self, pair: Pair) -> frozenset[str]:
        """Elements in the sentence of a right answer, none beside a wrong one."""
        is_right = _presence(pair) == field_of(pair.reference.truth, "present")
        return self._stated(text_of(pair.prediction.value)) if is_right else frozenset()

    def _stated(self, text: str) -> frozenset[str]:
        elements = statements(text)
        return frozenset(e for e in elements if e.startswith(f"{self.facet}:")) if self.facet else elements

    def _balanced(self, totals: Array) -> Array:
        sums = totals.reshape(*totals.shape[:-1], totals.shape[-1] // 4, 2, 2)
        return defined_mean(safe_ratio(sums[..., 0], sums[..., 1]))


def rationale_informedness(*, subject: str = "", facet: str = "") -> RationaleInformedness:
    """Return the informedness of the rationales; −1 to 1, 0 for any template."""
    return RationaleInformedness(subject, facet)


def _stratum(reference: Reference) -> Stratum:
    return reference.subject, str(field_of(reference.truth, "present"))


def _presence(pair: Pair) -> str | None:
    return presence_in(field_of(pair.prediction.value, "present")) if pair.is_answered else None


def _free_words(pairs: Sequence[Pair], strata: Mapping[Stratum, Sequence[int]]) -> dict[str, float]:
    """Feature → number of words that a sentence may have at full weight, the same for all items of the feature."""
    free: defaultdict[str, float] = defaultdict(float)
    for (subject, _), numbers in strata.items():
        # The larger limit of both truths holds for all items of the feature.
        longest = max(count_words(true_text(pairs[number])) for number in numbers)
        free[subject] = max(free[subject], LENGTH * longest)
    return free


def _words(pair: Pair) -> int:
    return count_words(text_of(pair.prediction.value))


def _indicators(stated: Sequence[frozenset[str]], names: Sequence[str]) -> Array:
    """Matrix (n, k) with 1 where one of n texts states one of k elements."""
    place = {name: number for number, name in enumerate(names)}
    rows = np.zeros((len(stated), len(names)))
    for row, elements in zip(rows, stated, strict=True):
        row[[place[element] for element in elements if element in place]] = 1.0
    return rows


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    """Dice coefficient, 2·common / sum of sizes, 0–1; 1 if both are empty."""
    total = len(one) + len(other)
    return 2 * len(one & other) / total if total else 1.0
