"""The rewards of the published GRPO training, for comparison: formulas as in the authors' released code.

0.2 for an answer with the four tags ``<think></think><answer></answer>``, and by task, of the text in ``<answer>``:

- features and their rationales: for the right answer 0.5 + ½·(sentence BLEU/100 + ROUGE-L F) of the justification
- sides and body part, diagnosis from the video: 1 for exactly the right word
- boundaries: 1 − min(1, |Δ|/60), Δ in seconds
- order of signs: 5 · LCS / length of the answer
- report: ½·(BLEU/100 + ROUGE-L F)
- diagnosis with the report: 0.5 for the right answer (theirs adds ½·(BLEU + ROUGE-L) of a description that no
  annotation gives)

What cannot be read gets nothing for the task. They are not normalised: a list of signs earns up to 5.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from s3harness.files import parse_json
from s3harness.metrics.text import bleu_of, bleu_statistics, rouge_l_f
from s3harness.parsers.timestamp import timestamp
from s3harness.specs.tasks import TaskSpec
from s3harness.training.sample import SampleTruth
from s3harness.types import Reference

FORMAT = 0.2
ORDER = 5.0
FURTHEST_S = 60.0

_TAGS = ("<think>", "</think>", "<answer>", "</answer>")
_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)


@dataclass(frozen=True)
class AuthorsReward:
    """The authors' reward of one task; see the module."""

    task: str
    kind: str
    weight: float = 1.0

    @property
    def name(self) -> str:
        """authors_task."""
        return f"authors_{self.task.rpartition('/')[2].split('_')[0]}"

    def score(self, text: str, question: SampleTruth) -> float | None:
        """The reward, 0 to 1.7 (5.2 for lists)."""
        reference = question.reference(self.task)
        if reference is None:
            return None
        found = _ANSWER.search(text)
        answer = (found[1] if found else text).strip()
        try:
            earned = _FORMULAS[self.kind](answer, reference, question)
        except (ValueError, KeyError, TypeError, ZeroDivisionError):
            earned = 0.0
        return FORMAT * all(tag in text for tag in _TAGS) + earned

    def written(self, text: str) -> str:
        """The answer in its tags."""
        return f"<think></think><answer>{text}</answer>"


def authors_rewards(specs: Mapping[str, TaskSpec]) -> list[AuthorsReward]:
    """One for every task; rationales are part of that of the features."""
    return [AuthorsReward(spec.name, spec.item) for spec in specs.values() if spec.item in _FORMULAS]


def _feature(answer: str, reference: Reference, question: SampleTruth) -> float:
    said = parse_json(answer)
    if said["answer"] != reference.truth:
        return 0.0
    reasons: list[Any] = [r.truth for r in question.references if isinstance(r.truth, Mapping) and "present" in r.truth]
    return 0.5 + sum(_likeness(str(said["justification"]), reason["text"]) for reason in reasons)


def _exactly(answer: str, reference: Reference, question: SampleTruth) -> float:
    return float(answer == reference.truth)


def _time(answer: str, reference: Reference, question: SampleTruth) -> float:
    said: Any = timestamp(answer).value
    true: Any = reference.truth
    return 1.0 - min(1.0, abs(float(said) + question.clip.start_s - float(true)) / FURTHEST_S)


def _order(answer: str, reference: Reference, question: SampleTruth) -> float:
    from rapidfuzz.distance import LCSseq

    said = [word.strip() for word in answer.split(",") if word.strip() and word.strip() != "none"]
    truth: Any = reference.truth
    return ORDER * LCSseq.similarity(said, [name for name, _ in truth]) / len(said)


def _report(answer: str, reference: Reference, question: SampleTruth) -> float:
    truth: Any = reference.truth
    return _likeness(answer, truth["text"])


def _diagnosis(answer: str, reference: Reference, question: SampleTruth) -> float:
    said = parse_json(answer)["answer"] if answer.startswith("{") else answer
    return float(said == reference.truth) * (1.0 if reference.subject == "video" else 0.5)


def _likeness(said: str, truth: str) -> float:
    """½·(sentence BLEU/100 + ROUGE-L F), 0–1."""
    bleu = float(bleu_of(np.array(bleu_statistics(said, truth), dtype=np.float64))) / 100
    return (bleu + rouge_l_f(said, truth)) / 2


_FORMULAS: Mapping[str, Callable[[str, Reference, SampleTruth], float]] = {
    "feature": _feature,
    "laterality": _exactly,
    "boundary": _time,
    "sequence": _order,
    "report": _report,
    "diagnosis": _diagnosis,
}
