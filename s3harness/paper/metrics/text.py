"""Tasks 2 and 6 as published: BLEU and ROUGE of the texts.

Defects, kept because the published numbers have them:

- A pair without an answer is dropped.
- In Task 2 every text counts, whether or not its yes or no is right, and those of signs nobody could test too.
- The authors' BERTScores of the two tasks come from two different programs; neither is computed here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from s3harness.metrics.base import Array, Pair
from s3harness.metrics.subjects import SubjectList, SubjectMeans, defined_mean, flat
from s3harness.metrics.text import N_STATISTICS, bleu_of, bleu_statistics, rouge_1_f, rouge_l_f, text_of

NO_ANSWER = re.compile(r"\s*(fail(ed)?|error|n/?a|none|null)?\s*", re.IGNORECASE)
"""Texts that the authors take for no answer."""


def paper_rouge_1(*, subject: str = "") -> SubjectMeans:
    """Return ROUGE-1 F of the answered pairs, mean over subjects; 0–1. ``parts``: subject → mean."""
    return SubjectMeans(score=_over_texts(rouge_1_f), average="subjects", subject=subject)


def paper_rouge_l(*, subject: str = "") -> SubjectMeans:
    """Return ROUGE-L F of the answered pairs, mean over subjects; 0–1. ``parts``: subject → mean."""
    return SubjectMeans(score=_over_texts(rouge_l_f), average="subjects", subject=subject)


@dataclass
class PaperBleu:
    """Corpus BLEU of the answered pairs per subject, mean over subjects; 0–100 points. ``parts``: subject → BLEU."""

    subject: str = ""
    higher_is_better: bool = True
    unit: str = "points"
    by_video: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._subjects = SubjectList(self.subject)

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return BLEU's sufficient statistics in the block of the subject; shape (n, subjects × 10)."""
        blocks = self._subjects.learn(pairs)
        rows = np.zeros((len(pairs), len(blocks), N_STATISTICS))
        for row, pair in zip(rows, pairs, strict=True):
            # A pair without an answer has a row of zeros, and so drops out of the corpus.
            texts = texts_of(pair)
            if texts and pair.reference.subject in blocks:
                row[blocks[pair.reference.subject]] = bleu_statistics(*texts)
        return flat(rows)

    def value(self, totals: Array) -> Array:
        """Return the mean over subjects."""
        return defined_mean(self._by_subject(totals))

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return subject → corpus BLEU."""
        return self._subjects.named(self._by_subject(totals))

    def _by_subject(self, totals: Array) -> Array:
        return bleu_of(totals.reshape(*totals.shape[:-1], totals.shape[-1] // N_STATISTICS, N_STATISTICS))


def paper_bleu(*, subject: str = "") -> PaperBleu:
    """Return corpus BLEU of the answered pairs, mean over subjects; 0–100 points."""
    return PaperBleu(subject)


def texts_of(pair: Pair) -> tuple[str, str] | None:
    """Return the answer and the truth of a pair; ``None`` for a pair that is not scored."""
    answer, truth = text_of(pair.prediction.value), text_of(pair.reference.truth)
    # Left out, not 0, as in the authors' program: failing to answer costs nothing.
    return None if NO_ANSWER.fullmatch(answer) or not truth else (answer, truth)


def _over_texts(function: Callable[[str, str], float]) -> Callable[[Pair], float | None]:
    # SubjectMeans leaves out a pair whose score is None.
    def score(pair: Pair) -> float | None:
        texts = texts_of(pair)
        return function(*texts) if texts else None

    return score
