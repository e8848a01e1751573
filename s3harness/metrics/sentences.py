"""The commonest and the most typical sentence of many patients, with or without those of one patient.

Both are chosen among the :data:`KEPT` commonest sentences of a group: the similarity of all pairs takes memory and time
that grow with the square of their number, and what is rarer than that is not typical.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from s3harness.metrics.text import stemmed_words

KEPT = 256
"""Different sentences of a group that are kept: 256 KiB of similarities, made in some 10 ms."""
_REMEMBERED = 4096
"""Answers that are remembered: those about the patients at hand."""
_DIGITS = 6
"""Digits to which similarities are equal: sums of the same numbers in another order."""

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]


class Sentences:
    """Sentences of several groups (subject and label, say), by patient."""

    def __init__(self) -> None:
        self._numbers: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._met: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._patients: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._groups: dict[str, _Group] = {}
        self.commonest = lru_cache(_REMEMBERED)(self._commonest)
        self.medoid = lru_cache(_REMEMBERED)(self._medoid)
        self._similar: dict[str, tuple[NDArray[np.float32], Array]] = {}

    def add(self, patient: int, group: str, sentence: str) -> None:
        """Add a sentence of a patient."""
        numbers = self._numbers[group]
        self._met[group].append(numbers.setdefault(sentence, len(numbers)))
        self._patients[group].append(patient)

    def _commonest(self, group: str, without: int | None) -> str:
        """``commonest(group, without)`` returns the commonest sentence, of equals the first by alphabet; "" of none."""
        kept = self._group(group)
        counts, _ = kept.counts(without)
        return kept.sentences[int(counts.argmax())] if counts.any() else ""

    def _medoid(self, group: str, without: int | None) -> str:
        """``medoid(group, without)`` returns the sentence most like all others by mean ROUGE-L F; "" of none."""
        kept = self._group(group)
        counts, own = kept.counts(without)
        if not counts.any():
            return ""
        if group not in self._similar:
            similar = similarities(kept.sentences)
            self._similar[group] = similar, similar @ kept.totals
        similar, sums = self._similar[group]
        taken = np.flatnonzero(own)
        left = (sums - similar[:, taken] @ own[taken]).round(_DIGITS)
        return kept.sentences[int(np.where(counts > 0, left, -1.0).argmax())]

    def _group(self, group: str) -> _Group:
        """The kept sentences of a group; nothing can be added to it afterwards."""
        if group not in self._groups:
            numbers = self._numbers.pop(group, {})
            met, patients = np.array(self._met.pop(group, []), int), np.array(self._patients.pop(group, []), int)
            self._groups[group] = _kept(list(numbers), met, patients)
        return self._groups[group]


class _Group(NamedTuple):
    """Sentences by the alphabet, their counts, and patients, ascending, beside the number of their sentence."""

    sentences: list[str]
    totals: Array
    patients: Numbers
    met: Numbers

    def counts(self, without: int | None) -> tuple[Array, Array]:
        """How often each sentence is there without a patient, and how often the patient has it."""
        own = np.zeros_like(self.totals)
        if without is not None:
            first, last = np.searchsorted(self.patients, [without, without + 1])
            np.add.at(own, self.met[first:last], 1.0)
        return self.totals - own, own


def _kept(sentences: list[str], met: Numbers, patients: Numbers) -> _Group:
    counts = np.bincount(met, minlength=len(sentences))
    commonest = sorted(range(len(sentences)), key=lambda n: (-counts[n], sentences[n]))[:KEPT]
    chosen = sorted(commonest, key=lambda n: sentences[n])
    place = np.full(len(sentences), -1)
    place[chosen] = range(len(chosen))
    places = place[met]
    order = np.argsort(patients, kind="stable")
    order = order[places[order] >= 0]
    totals = counts[chosen].astype(np.float64) if chosen else np.zeros(0)
    return _Group([sentences[n] for n in chosen], totals, patients[order], places[order])


def similarities(sentences: list[str]) -> NDArray[np.float32]:
    """ROUGE-L F of stemmed words of each pair of sentences, 0–1, shape (n, n); 0 where one has no word."""
    from rapidfuzz import process
    from rapidfuzz.distance import LCSseq

    words = [stemmed_words(sentence) for sentence in sentences]
    shared = process.cdist(words, words, scorer=LCSseq.similarity, dtype=np.float32)
    lengths = np.array([len(one) for one in words], np.float32)
    total = lengths[:, None] + lengths
    return np.asarray(np.divide(2 * shared, total, out=np.zeros_like(shared), where=total > 0))
