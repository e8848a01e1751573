"""Tasks 2 and 6: BLEU and ROUGE. No answer counts as an empty text; a pair without a true text is not scored.

A truth or answer is a text, or a mapping with the key ``text`` (and, in Task 2, ``present``). Texts are lower-cased and
their white space is made single, as in the published scores.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, ClassVar, Literal

import numpy as np

from s3harness.metrics.base import Array, Bounds, Pair, safe_ratio
from s3harness.metrics.features import PRESENCE, presence_in
from s3harness.metrics.subjects import SubjectList, SubjectMeans, defined_mean, flat

ORDERS = 4
"""The longest n-gram of BLEU."""
N_STATISTICS = 2 + 2 * ORDERS
"""Number of sums that corpus BLEU is a formula of."""


def rouge_l(*, average: Literal["items", "subjects"] = "items", subject: str = "") -> SubjectMeans:
    """Return ROUGE-L F of stemmed words, 0–1, mean over items (or over subjects). ``parts``: subject → mean."""
    return SubjectMeans(score=_rouge_l_of, average=average, subject=subject)


@dataclass(frozen=True)
class Bleu:
    """Corpus BLEU, 0–100 points: the geometric mean of n-gram precisions (n = 1–4) times the brevity penalty.

    Papineni et al. 2002 as computed by sacrebleu (13a tokens, exponential smoothing), from its own sufficient
    statistics, so that a resample of items has its exact corpus BLEU.
    """

    higher_is_better: bool = True
    unit: str = "points"
    by_video: ClassVar[bool] = True
    bounds: ClassVar[Bounds] = (0.0, 100.0)

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return rows of (length of the answer, of the truth, n-gram hits × 4, n-grams of the answer × 4)."""
        rows = [
            bleu_statistics(text_of(pair.prediction.value), truth) if (truth := true_text(pair)) else _NO_NGRAMS
            for pair in pairs
        ]
        return np.array(rows, dtype=np.float64).reshape(-1, N_STATISTICS)

    def value(self, totals: Array) -> Array:
        """Return the corpus BLEU of the sums, NaN where no truth has a text."""
        return bleu_of(totals)

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return the precisions of the n-grams in percent, and the brevity penalty."""
        hits, predicted = totals[2 : 2 + ORDERS], totals[2 + ORDERS :]
        precisions = 100 * safe_ratio(hits, predicted, empty=0.0)
        parts = {f"{n}-gram precision": float(p) for n, p in enumerate(precisions, start=1)}
        return parts | {"brevity penalty": float(_brevity(totals))}


def bleu() -> Bleu:
    """Return corpus BLEU, 0–100 points."""
    return Bleu()


@dataclass
class RationaleScore:
    """ROUGE-L F of the reasons for right answers, without reward for a yes or no bias; 0–1.

    An item scores the ROUGE-L F of its text if its yes or no is right, and 0 otherwise. Per feature the items of truth
    yes and those of truth no are averaged apart and weigh the same, and so do the features; a feature that lacks one of
    the two is left out. So a bias towards either answer, overall or for the rarer signs, earns nothing: any constant
    answer gets at most half of the score of its text. ``parts``: feature → score.
    """

    subject: str = ""
    higher_is_better: bool = True
    unit: str = ""
    by_video: ClassVar[bool] = True
    bounds: ClassVar[Bounds] = (0.0, 1.0)

    def __post_init__(self) -> None:
        self._subjects = SubjectList(self.subject)

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """Return (score, 1) in the block of the feature and truth; shape (n, features × 2 × 2)."""
        blocks = self._subjects.learn(pairs)
        rows = np.zeros((len(pairs), len(blocks), len(PRESENCE), 2))
        for row, pair in zip(rows, pairs, strict=True):
            present = field_of(pair.reference.truth, "present")
            if pair.reference.subject in blocks and present in PRESENCE and true_text(pair):
                is_right = presence_in(field_of(pair.prediction.value, "present")) == present
                score = _rouge_l_of(pair) if is_right else 0.0
                row[blocks[pair.reference.subject], PRESENCE.index(str(present))] = score or 0.0, 1.0
        return flat(rows)

    def value(self, totals: Array) -> Array:
        """Return the mean over the features that have items of both truths."""
        return defined_mean(self._balanced(totals))

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Return feature → score."""
        return self._subjects.named(self._balanced(totals))

    def _balanced(self, totals: Array) -> Array:
        sums = totals.reshape(*totals.shape[:-1], totals.shape[-1] // 4, 2, 2)
        yes, no = (safe_ratio(sums[..., truth, 0], sums[..., truth, 1]) for truth in (0, 1))
        return (yes + no) / 2


def rationale_score(*, subject: str = "") -> RationaleScore:
    """Return ROUGE-L F of the reasons for right answers, without reward for a yes or no bias; 0–1."""
    return RationaleScore(subject)


def bleu_statistics(answer: str, truth: str) -> tuple[float, ...]:
    """Return sacrebleu's sufficient statistics: lengths of answer and truth, n-gram hits × 4, answer's n-grams × 4."""
    predicted, true = _ngrams(answer), _ngrams(truth)
    hits = (float(len(grams & wanted)) for grams, wanted in zip(predicted, true, strict=True))
    return (float(len(predicted[0])), float(len(true[0])), *hits, *(float(len(grams)) for grams in predicted))


def bleu_of(totals: Array) -> Array:
    """Return corpus BLEU, 0–100 points, of sums (…, 10) → (…); smoothed as in sacrebleu, NaN without a truth."""
    hits, predicted = totals[..., 2 : 2 + ORDERS], totals[..., 2 + ORDERS :]
    # Exponential smoothing: the n-th order without a hit counts as 1/2ⁿ hits.
    halvings = np.cumsum((hits == 0) & (predicted > 0), axis=-1)
    precisions = safe_ratio(np.where(hits > 0, hits, 0.5**halvings), predicted, empty=0.0)
    logs = np.log(precisions, out=np.full(precisions.shape, -np.inf), where=precisions > 0)
    # Without any hit BLEU is 0: smoothing alone would score unrelated texts above it.
    score = np.where(hits.sum(axis=-1) > 0, 100 * _brevity(totals) * np.exp(logs.mean(axis=-1)), 0.0)
    return np.where(totals[..., 1] > 0, score, np.nan)


def rouge_1_f(answer: str, truth: str) -> float:
    """Return ROUGE-1 F over stemmed words, 0–1 (Lin 2004; the value of the rouge_score package)."""
    predicted, true = stemmed_words(answer), stemmed_words(truth)
    return _f_measure((Counter(predicted) & Counter(true)).total(), len(predicted), len(true))


def rouge_l_f(answer: str, truth: str) -> float:
    """Return ROUGE-L F over stemmed words, 0–1 (Lin 2004; the value of the rouge_score package)."""
    # rapidfuzz instead of rouge_score, whose Python loop is far slower.
    from rapidfuzz.distance import LCSseq

    predicted, true = stemmed_words(answer), stemmed_words(truth)
    return _f_measure(LCSseq.similarity(predicted, true), len(predicted), len(true))


@lru_cache(maxsize=65536)
def normalised(text: str) -> str:
    """Return a text in lower case with single spaces."""
    return " ".join(text.split()).lower()


def text_of(value: object) -> str:
    """Return the text in a truth or value, normalised; "" where there is none."""
    text = value.get("text") if isinstance(value, Mapping) else value
    return normalised(text) if isinstance(text, str) else ""


def true_text(pair: Pair) -> str:
    """Return the true text of a pair; "" for an untested truth and for a text without a word."""
    if field_of(pair.reference.truth, "present") == "untested":
        return ""
    text = text_of(pair.reference.truth)
    return text if stemmed_words(text) else ""


# Cached: the same true texts are compared with the answers of every floor.
@lru_cache(maxsize=65536)
def stemmed_words(text: str) -> tuple[str, ...]:
    """Return the stemmed words of a text, as ROUGE counts them."""
    return tuple(stem for word in _WORD.findall(text.lower()) for stem in _stem(word))


def field_of(value: object, name: str) -> object:
    """Return the field of a truth or value that has fields, ``None`` otherwise."""
    return value.get(name) if isinstance(value, Mapping) else None


_WORD = re.compile(r"[a-z0-9]+")
_NO_NGRAMS = (0.0,) * N_STATISTICS


def _rouge_l_of(pair: Pair) -> float | None:
    truth = true_text(pair)
    return rouge_l_f(text_of(pair.prediction.value), truth) if truth else None


def _brevity(totals: Array) -> Array:
    """exp(1 − truth/answer) where the answers are shorter than the truths, 1 elsewhere, 0 for no answer at all."""
    return np.exp(np.minimum(0.0, 1.0 - safe_ratio(totals[..., 1], totals[..., 0], empty=np.inf)))


def _f_measure(shared: int, n_predicted: int, n_true: int) -> float:
    # Also where a text has no word, for which precision or recall is 0/0.
    if not shared:
        return 0.0
    precision, recall = shared / n_predicted, shared / n_true
    return 2 * precision * recall / (precision + recall)


# Cached: stemming is slow, and texts share their words.
@lru_cache(maxsize=65536)
def _stem(word: str) -> tuple[str, ...]:
    """The tokens of one word by the tokenizer of rouge_score."""
    from rouge_score import tokenize

    return tuple(tokenize.tokenize(word, porter_stemmer()))


# A smaller cache than the others: the n-grams of a report take some 30 kB.
@lru_cache(maxsize=4096)
def _ngrams(text: str) -> tuple[frozenset[object], ...]:
    """The n-grams of a text by their length from 1, in the tokens of sacrebleu."""
    # rstrip as sacrebleu does before its tokenizer.
    tokens = _bleu_tokenizer()(text.rstrip()).split()
    return tuple(_numbered(zip(*(tokens[start:] for start in range(n)), strict=False)) for n in range(1, ORDERS + 1))


def _numbered(grams: Iterable[tuple[str, ...]]) -> frozenset[object]:
    """The n-grams as a set, repeats numbered, so that an intersection clips the counts as BLEU does."""
    counts = Counter(grams)
    repeats = ((gram, number) for gram, count in counts.items() if count > 1 for number in range(1, count))
    return frozenset((*counts, *repeats))


@cache
def _bleu_tokenizer() -> Any:
    from sacrebleu.tokenizers import tokenizer_13a

    untyped: Any = tokenizer_13a
    return untyped.Tokenizer13a()


_PACKAGES = ("nltk", "nltk.stem")
_MODULE = "nltk.stem.porter"


@cache
def porter_stemmer() -> Any:
    """Return nltk's Porter stemmer, with a method ``stem(word)``, without importing the rest of nltk."""
    return _porter().PorterStemmer()


def _porter() -> ModuleType:
    """The stemmer's module, imported below empty packages that leave ``sys.modules`` afterwards.

    A later ``import nltk`` imports all of it. Where nltk was imported before, its own module is returned.
    """
    # ``import nltk`` imports scikit-learn, pandas and scipy.stats, which takes longer than scoring a small run.
    spec = None if "nltk" in sys.modules else find_spec("nltk")
    if spec is None or not spec.submodule_search_locations:
        return import_module(_MODULE)
    folder = spec.submodule_search_locations[0]
    for name in _PACKAGES:
        package = ModuleType(name)
        package.__path__ = ["/".join([folder, *name.split(".")[1:]])]
        sys.modules[name] = package
    try:
        return import_module(_MODULE)
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "nltk"]:
            del sys.modules[name]
