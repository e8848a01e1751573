"""The commonest and the most typical sentence of many patients, with or without those of one patient.

Both are chosen among the :data:`MAX_SENTENCES` commonest sentences of a group: the similarities of all pairs take
memory and time that grow with the square of their number, and a rarer sentence is not typical.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from s3harness.metrics.text import stemmed_words

MAX_SENTENCES = 256
"""Different sentences of a group that are compared: 256 KiB of similarities, computed in some 10 ms."""
_CACHED_ANSWERS = 4096
"""Answers that are cached: those for the patients being scored."""
_DIGITS = 6
"""Digits to which similarities are rounded: sums of the same numbers in another order differ beyond them."""

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]


class Sentences:
    """Sentences of several groups (subject and label, say), by patient."""

    def __init__(self) -> None:
        self._numbers: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._occurrences: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._patients: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._groups: dict[str, _Group] = {}
        # Caches per object, not decorators on the methods, which would keep every object alive for ever.
        self.commonest = lru_cache(_CACHED_ANSWERS)(self._commonest)
        self.medoid = lru_cache(_CACHED_ANSWERS)(self._medoid)
        self._similar: dict[str, tuple[NDArray[np.float32], Array]] = {}

    def add(self, patient: int, group: str, sentence: str) -> None:
        """Add a sentence of a patient."""
        numbers = self._numbers[group]
        self._occurrences[group].append(numbers.setdefault(sentence, len(numbers)))
        self._patients[group].append(patient)

    def _commonest(self, group: str, without: int | None) -> str:
        """Return the commonest sentence of a group without a patient, of equals the first by alphabet; "" of none."""
        sentences = self._group(group)
        counts, _ = sentences.counts(without)
        return sentences.texts[int(counts.argmax())] if counts.any() else ""

    def _medoid(self, group: str, without: int | None) -> str:
        """Return the sentence of a group without a patient that is most like all others by mean ROUGE-L F."""
        sentences = self._group(group)
        counts, own = sentences.counts(without)
        if not counts.any():
            return ""
        if group not in self._similar:
            similar = similarities(sentences.texts)
            self._similar[group] = similar, similar @ sentences.totals
        similar, sums = self._similar[group]
        # The patient's sentences are subtracted from the sums of all, instead of adding up all others.
        left_out = np.flatnonzero(own)
        rest = (sums - similar[:, left_out] @ own[left_out]).round(_DIGITS)
        return sentences.texts[int(np.where(counts > 0, rest, -1.0).argmax())]

    def _group(self, group: str) -> _Group:
        """The commonest sentences of a group; nothing can be added to it afterwards."""
        if group not in self._groups:
            numbers = self._numbers.pop(group, {})
            occurrences = np.array(self._occurrences.pop(group, []), int)
            patients = np.array(self._patients.pop(group, []), int)
            self._groups[group] = _commonest_group(list(numbers), occurrences, patients)
        return self._groups[group]


class _Group(NamedTuple):
    """Texts in alphabetical order, their counts, and patients, ascending, beside the place of each of their texts."""

    texts: list[str]
    totals: Array
    patients: Numbers
    places: Numbers

    def counts(self, without: int | None) -> tuple[Array, Array]:
        """Return the count of each text without a patient, and the patient's own counts."""
        own = np.zeros_like(self.totals)
        if without is not None:
            first, last = np.searchsorted(self.patients, [without, without + 1])
            np.add.at(own, self.places[first:last], 1.0)
        return self.totals - own, own


def _commonest_group(sentences: list[str], occurrences: Numbers, patients: Numbers) -> _Group:
    counts = np.bincount(occurrences, minlength=len(sentences))
    commonest = sorted(range(len(sentences)), key=lambda n: (-counts[n], sentences[n]))[:MAX_SENTENCES]
    # Alphabetical, so that argmax takes the first by alphabet among equals.
    chosen = sorted(commonest, key=lambda n: sentences[n])
    place = np.full(len(sentences), -1)
    place[chosen] = range(len(chosen))
    places = place[occurrences]
    order = np.argsort(patients, kind="stable")
    # Occurrences of sentences beyond the limit are dropped.
    order = order[places[order] >= 0]
    totals = counts[chosen].astype(np.float64) if chosen else np.zeros(0)
    return _Group([sentences[n] for n in chosen], totals, patients[order], places[order])


def similarities(sentences: list[str]) -> NDArray[np.float32]:
    """Return ROUGE-L F of stemmed words of each pair of sentences, 0–1, shape (n, n); 0 where one has no word."""
    from rapidfuzz import process
    from rapidfuzz.distance import LCSseq

    # cdist of rapidfuzz compares all pairs in C++; float32 halves the memory of the matrix.
    words = [stemmed_words(sentence) for sentence in sentences]
    shared = process.cdist(words, words, scorer=LCSseq.similarity, dtype=np.float32)
    lengths = np.array([len(one) for one in words], np.float32)
    total = lengths[:, None] + lengths
    return np.asarray(np.divide(2 * shared, total, out=np.zeros_like(shared), where=total > 0))
