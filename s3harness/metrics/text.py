"""Tasks 2 and 6: text against text. No answer counts as an empty text; a pair without a true text is not scored.

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
"""How many sums corpus BLEU is a formula of."""


def rouge_l(*, average: Literal["items", "subjects"] = "items", subject: str = "") -> SubjectMeans:
    """ROUGE-L F of stemmed words, 0–1, mean over items (or over subjects). ``parts``: subject → mean."""
    return SubjectMeans(_rouge_l_of, average, subject)


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
        """Rows of (length of the answer, of the truth, n-gram hits × 4, n-grams of the answer × 4)."""
        rows = [
            bleu_statistics(text_of(pair.prediction.value), truth) if (truth := true_text(pair)) else _NO_NGRAMS
            for pair in pairs
        ]
        return np.array(rows, dtype=np.float64).reshape(-1, N_STATISTICS)

    def value(self, totals: Array) -> Array:
        """Corpus BLEU of the sums, NaN where no truth has a text."""
        return bleu_of(totals)

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Precisions of the n-grams in percent, and the brevity penalty."""
        hits, said = totals[2 : 2 + ORDERS], totals[2 + ORDERS :]
        precisions = 100 * safe_ratio(hits, said, empty=0.0)
        parts = {f"{n}-gram precision": float(p) for n, p in enumerate(precisions, start=1)}
        return parts | {"brevity penalty": float(_brevity(totals))}


def bleu() -> Bleu:
    """Corpus BLEU, 0–100 points."""
    return Bleu()


@dataclass
class RationaleScore:
    """How well the reasons for the right answers are put; 0–1.

    An item scores the ROUGE-L F of its text if its yes or no is right, and 0 otherwise. Per feature the items of truth
    yes and those of truth no are averaged apart and weigh the same, and so do the features; a feature that lacks one of
    the two is left out. So a bias towards either answer, overall or for the rarer signs, earns nothing: any constant
    answer gets at most half of what its text is worth. ``parts``: feature → score.
    """

    subject: str = ""
    higher_is_better: bool = True
    unit: str = ""
    by_video: ClassVar[bool] = True
    bounds: ClassVar[Bounds] = (0.0, 1.0)

    def __post_init__(self) -> None:
        self._subjects = SubjectList(self.subject)

    def statistics(self, pairs: Sequence[Pair]) -> Array:
        """(score, 1) in the block of the feature and truth; shape (n, features × 2 × 2)."""
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
        """Mean over the features that have items of both truths."""
        return defined_mean(self._balanced(totals))

    def parts(self, totals: Array) -> Mapping[str, float]:
        """Feature → score."""
        return self._subjects.named(self._balanced(totals))

    def _balanced(self, totals: Array) -> Array:
        sums = totals.reshape(*totals.shape[:-1], totals.shape[-1] // 4, 2, 2)
        yes, no = (safe_ratio(sums[..., truth, 0], sums[..., truth, 1]) for truth in (0, 1))
        return (yes + no) / 2


def rationale_score(*, subject: str = "") -> RationaleScore:
    """How well the reasons for the right answers are put, without reward for a yes or no bias; 0–1."""
    return RationaleScore(subject)


def bleu_statistics(answer: str, truth: str) -> tuple[float, ...]:
    """The sufficient statistics of sacrebleu: lengths of answer and truth, n-gram hits × 4, n-grams said × 4."""
    said, true = _ngrams(answer), _ngrams(truth)
    hits = (float(len(given & wanted)) for given, wanted in zip(said, true, strict=True))
    return (float(len(said[0])), float(len(true[0])), *hits, *(float(len(given)) for given in said))


def bleu_of(totals: Array) -> Array:
    """Corpus BLEU, 0–100 points, of summed statistics, (…, 10) → (…); smoothed as in sacrebleu, NaN without a truth."""
    hits, said = totals[..., 2 : 2 + ORDERS], totals[..., 2 + ORDERS :]
    halvings = np.cumsum((hits == 0) & (said > 0), axis=-1)
    precisions = safe_ratio(np.where(hits > 0, hits, 0.5**halvings), said, empty=0.0)
    logs = np.log(precisions, out=np.full(precisions.shape, -np.inf), where=precisions > 0)
    score = np.where(hits.sum(axis=-1) > 0, 100 * _brevity(totals) * np.exp(logs.mean(axis=-1)), 0.0)
    return np.where(totals[..., 1] > 0, score, np.nan)


def rouge_1_f(answer: str, truth: str) -> float:
    """ROUGE-1 F over stemmed words, 0–1 (Lin 2004; the value of the rouge_score package)."""
    said, true = _words(answer), _words(truth)
    return _f_measure((Counter(said) & Counter(true)).total(), len(said), len(true))


def rouge_l_f(answer: str, truth: str) -> float:
    """ROUGE-L F over stemmed words, 0–1 (Lin 2004; the value of the rouge_score package)."""
    from rapidfuzz.distance import LCSseq

    said, true = _words(answer), _words(truth)
    return _f_measure(LCSseq.similarity(said, true), len(said), len(true))


@lru_cache(maxsize=65536)
def normalised(text: str) -> str:
    """Lower case, single spaces."""
    return " ".join(text.split()).lower()


def text_of(value: object) -> str:
    """The text in a truth or value, normalised; "" where there is none."""
    text = value.get("text") if isinstance(value, Mapping) else value
    return normalised(text) if isinstance(text, str) else ""


def true_text(pair: Pair) -> str:
    """The true text of a pair, "" where it has none, or none with a word, or nobody could tell."""
    if field_of(pair.reference.truth, "present") == "untested":
        return ""
    text = text_of(pair.reference.truth)
    return text if _words(text) else ""


def stemmed_words(text: str) -> tuple[str, ...]:
    """The stemmed words of a text, as ROUGE counts them."""
    return _words(text)


def field_of(value: object, name: str) -> object:
    """The field of a truth or value that has fields, ``None`` otherwise."""
    return value.get(name) if isinstance(value, Mapping) else None


_WORD = re.compile(r"[a-z0-9]+")
_NO_NGRAMS = (0.0,) * N_STATISTICS


def _rouge_l_of(pair: Pair) -> float | None:
    truth = true_text(pair)
    return rouge_l_f(text_of(pair.prediction.value), truth) if truth else None


def _brevity(totals: Array) -> Array:
    """exp(1 − truth/answer) where the answers are shorter than the truths, 1 elsewhere, 0 for no answer at all."""
    return np.exp(np.minimum(0.0, 1.0 - safe_ratio(totals[..., 1], totals[..., 0], empty=np.inf)))


def _f_measure(shared: int, n_said: int, n_true: int) -> float:
    if not shared:
        return 0.0
    precision, recall = shared / n_said, shared / n_true
    return 2 * precision * recall / (precision + recall)


@lru_cache(maxsize=65536)
def _words(text: str) -> tuple[str, ...]:
    """The stemmed words of a text, as ROUGE counts them."""
    return tuple(stem for word in _WORD.findall(text.lower()) for stem in _stem(word))


@lru_cache(maxsize=65536)
def _stem(word: str) -> tuple[str, ...]:
    """One word through the tokenizer of ROUGE; remembered, because stemming is slow and the same words come back."""
    from rouge_score import tokenize

    return tuple(tokenize.tokenize(word, porter_stemmer()))


@lru_cache(maxsize=4096)
def _ngrams(text: str) -> tuple[frozenset[object], ...]:
    """The n-grams of a text by their length from 1, in the tokens of sacrebleu; remembered, as texts are met again.

    Not as many as of others, as those of a report take some 30 kB.
    """
    tokens = _bleu_tokenizer()(text.rstrip()).split()
    return tuple(_numbered(zip(*(tokens[start:] for start in range(n)), strict=False)) for n in range(1, ORDERS + 1))


def _numbered(grams: Iterable[tuple[str, ...]]) -> frozenset[object]:
    """The n-grams, a repeated one with the number of its repeat, so that two texts share as many as the poorer has."""
    met = Counter(grams)
    repeats = ((gram, number) for gram, count in met.items() if count > 1 for number in range(1, count))
    return frozenset((*met, *repeats))


@cache
def _bleu_tokenizer() -> Any:
    from sacrebleu.tokenizers import tokenizer_13a

    untyped: Any = tokenizer_13a
    return untyped.Tokenizer13a()


_PACKAGES = ("nltk", "nltk.stem")
_MODULE = "nltk.stem.porter"


@cache
def porter_stemmer() -> Any:
    """The stemmer, with a method ``stem(word)``."""
    return _porter().PorterStemmer()


def _porter() -> ModuleType:
    """The stemmer's module, its packages standing empty while it is imported, and forgotten after that.

    So ``import nltk`` means the whole of it for whoever says it later. Where it was said before, nothing is saved.
    """
    found = None if "nltk" in sys.modules else find_spec("nltk")
    if found is None or not found.submodule_search_locations:
        return import_module(_MODULE)
    folder = found.submodule_search_locations[0]
    for name in _PACKAGES:
        package = ModuleType(name)
        package.__path__ = ["/".join([folder, *name.split(".")[1:]])]
        sys.modules[name] = package
    try:
        return import_module(_MODULE)
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "nltk"]:
            del sys.modules[name]
