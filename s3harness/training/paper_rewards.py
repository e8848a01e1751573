"""The rewards of the published GRPO training, for comparison: formulas as in the authors' released code.

0.2 for an answer with the four tags ``<think></think><answer></answer>``, and by task, of the text in ``<answer>``:

- features and their rationales: for the right answer 0.5 + ½·(sentence BLEU/100 + ROUGE-L F) of the justification
- sides and body part, diagnosis from the video: 1 for exactly the right word
- boundaries: 1 − min(1, |Δ|/60), Δ in seconds
- order of signs: 5 · LCS / length of the answer
- report: ½·(BLEU/100 + ROUGE-L F)
- diagnosis with the report: 0.5 for the right answer (theirs adds ½·(BLEU + ROUGE-L) of a description that no
  annotation gives)

An unreadable answer gets 0 for its task. The rewards are not normalised: a list of signs earns up to 5.2.
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

# The constants are the authors', and stay as published: the gate shows what is wrong with them.
FORMAT = 0.2
ORDER = 5.0
FURTHEST_S = 60.0

_TAGS = ("<think>", "</think>", "<answer>", "</answer>")
_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)


@dataclass(frozen=True)
class AuthorsReward:
    """The authors' reward of one task, by the formulas at the top of this module."""

    task: str
    kind: str
    weight: float = 1.0

    @property
    def name(self) -> str:
        """Name of the task as an identifier, e.g. ``authors_task4``."""
        return f"authors_{self.task.rpartition('/')[2].split('_')[0]}"

    def score(self, text: str, sample_truth: SampleTruth) -> float | None:
        """Return the reward, 0 to 1.7 (5.2 for lists); ``None`` for a sample of another task."""
        reference = sample_truth.reference(self.task)
        if reference is None:
            return None
        match = _ANSWER.search(text)
        # An answer without the tags loses only what the tags earn.
        answer = (match[1] if match else text).strip()
        try:
            content_reward = _FORMULAS[self.kind](answer, reference, sample_truth)
        except (ValueError, KeyError, TypeError, ZeroDivisionError):
            # A model in training gives any text: an answer that is no JSON, lacks a key or lists nothing is worth 0.
            content_reward = 0.0
        return FORMAT * all(tag in text for tag in _TAGS) + content_reward

    def format_answer(self, text: str) -> str:
        """Return the answer in its tags."""
        return f"<think></think><answer>{text}</answer>"


def authors_rewards(specs: Mapping[str, TaskSpec]) -> list[AuthorsReward]:
    """Return one reward for every task; rationales are part of the reward of the features."""
    return [AuthorsReward(spec.name, spec.item) for spec in specs.values() if spec.item in _FORMULAS]


def _feature(answer: str, reference: Reference, sample_truth: SampleTruth) -> float:
    data = parse_json(answer)
    if data["answer"] != reference.truth:
        return 0.0
    # Task 2 scores the same answer, so its truth is among the references of the sample.
    references = sample_truth.references
    reasons: list[Any] = [r.truth for r in references if isinstance(r.truth, Mapping) and "present" in r.truth]
    return 0.5 + sum(_text_similarity(str(data["justification"]), reason["text"]) for reason in reasons)


def _exact_match(answer: str, reference: Reference, sample_truth: SampleTruth) -> float:
    return float(answer == reference.truth)


def _time(answer: str, reference: Reference, sample_truth: SampleTruth) -> float:
    since_start_s: Any = timestamp(answer).value
    true_s: Any = reference.truth
    # Answers count from the start of the clip, annotations from that of the video.
    return 1.0 - min(1.0, abs(float(since_start_s) + sample_truth.clip.start_s - float(true_s)) / FURTHEST_S)


def _order(answer: str, reference: Reference, sample_truth: SampleTruth) -> float:
    from rapidfuzz.distance import LCSseq

    signs = [word.strip() for word in answer.split(",") if word.strip() and word.strip() != "none"]
    truth: Any = reference.truth
    # By the length of the answer, not of the truth: that is the flaw by which one right sign earns all of it.
    return ORDER * LCSseq.similarity(signs, [name for name, _ in truth]) / len(signs)


def _report(answer: str, reference: Reference, sample_truth: SampleTruth) -> float:
    truth: Any = reference.truth
    return _text_similarity(answer, truth["text"])


def _diagnosis(answer: str, reference: Reference, sample_truth: SampleTruth) -> float:
    diagnosis = parse_json(answer)["answer"] if answer.startswith("{") else answer
    return float(diagnosis == reference.truth) * (1.0 if reference.subject == "video" else 0.5)


def _text_similarity(answer_text: str, truth: str) -> float:
    """Return ½·(sentence BLEU/100 + ROUGE-L F), 0–1."""
    bleu = float(bleu_of(np.array(bleu_statistics(answer_text, truth), dtype=np.float64))) / 100
    return (bleu + rouge_l_f(answer_text, truth)) / 2


_FORMULAS: Mapping[str, Callable[[str, Reference, SampleTruth], float]] = {
    "feature": _feature,
    "laterality": _exact_match,
    "boundary": _time,
    "sequence": _order,
    "report": _report,
    "diagnosis": _diagnosis,
}
