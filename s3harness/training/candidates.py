"""Worthless answers, by which the gate tests rewards: blind ones, and the truth with additions or omissions.

A candidate is one text for each sample of a task, and none for a sample where it would be the plain truth. *Blind*
candidates use nothing of an item but the distribution of answers to its subject.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from s3harness.backends.answer_text import write_answer
from s3harness.metrics.floors import floors_for
from s3harness.specs.features import vocabulary
from s3harness.specs.wording import report_of
from s3harness.training.sample import Sample
from s3harness.types import Reference

COPIES = 10
"""Repetitions in candidates that repeat an answer."""
FEWEST_SIGNS = 2
"""Signs of a list from which the first alone is not the whole truth."""
WORDS = "Nothing can be said."
"""Justification and report of candidates that have none."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answerer: its text for each of the samples, ``None`` for those that it does not answer."""

    name: str
    texts: tuple[str | None, ...]
    is_blind: bool = True


def candidates(kind: str, task: str, samples: Sequence[Sample], *, seed: int = 0) -> list[Candidate]:
    """Return every candidate for a task's samples; ``seed`` determines the random ones."""
    references = [_reference(sample, task) for sample in samples]
    # Fitted on the very samples they answer: the worst case, as a model can learn their distribution by heart.
    floors = floors_for(kind, references, seed=seed, training=references)
    answerers = [
        Candidate(name, tuple(_format_value(s, p.value) for s, p in zip(samples, predictions, strict=True)))
        for name, predictions in floors.items()
    ]
    blind = {"silence": lambda _: "", **_BLIND.get(kind, dict)()}
    answerers += [Candidate(name, tuple(_text_by(answer, s) for s in samples)) for name, answer in blind.items()]
    answerers += [
        Candidate(name, tuple(spoil(s, r.truth) for s, r in zip(samples, references, strict=True)), is_blind=False)
        for name, spoil in _SPOILT.get(kind, {}).items()
    ]
    return answerers


def _text_by(answer: Answerer, sample: Sample) -> str:
    value = answer(sample)
    # Texts are final, such as the empty one of "silence"; other values have to be formatted.
    return value if isinstance(value, str) else _format_value(sample, value)


def _format_value(sample: Sample, value: object) -> str:
    """Return a value in the answer format of the request."""
    if isinstance(value, Mapping):
        return write_answer(sample.request, value["present"], str(value["text"]) or WORDS)
    # Times are of the video, and the request expects them from the start of its clip.
    if isinstance(value, float):
        value -= sample.request.clip.start_s
    return write_answer(sample.request, value, WORDS)


def _reference(sample: Sample, task: str) -> Reference:
    """Return the reference of a task, without the report in its prompt."""
    # An answerer that reads the expert's report would not be blind.
    return replace(next(reference for reference in sample.references if reference.task == task), report="")


Answerer = Callable[[Sample], object]


def _blind_lists() -> Mapping[str, Answerer]:
    names = list(vocabulary().names)
    return {
        "every sign there is": lambda _: names,
        f"every sign {COPIES} times": lambda _: names * COPIES,
        # Random per sample, and reproducible: its seed is the sample's id.
        "five signs by lot": lambda sample: Random(sample.id).sample(names, 5),
    }


def _blind_reports() -> Mapping[str, Answerer]:
    everything = report_of(vocabulary().names, {}, Random(0))
    return {
        "every sign there is": lambda _: everything,
        f"every sign {COPIES} times": lambda _: " ".join([everything] * COPIES),
        "junk": lambda _: " ".join(["junk"] * 400),
    }


def _first_sign(sample: Sample, truth: Any) -> str | None:
    # Of a single sign it would be the truth.
    return write_answer(sample.request, [truth[0][0]]) if len(truth) >= FEWEST_SIGNS else None


def _truth_then_all(sample: Sample, truth: Any) -> str:
    signs = [name for name, _ in truth]
    return write_answer(sample.request, [*signs, *(name for name in vocabulary().names if name not in signs)])


def _signs_again(sample: Sample, truth: Any) -> str | None:
    return write_answer(sample.request, [name for name, _ in truth] * COPIES) if truth else None


def _text_again(sample: Sample, truth: Any) -> str:
    return " ".join([truth["text"]] * COPIES)


_BLIND: Mapping[str, Callable[[], Mapping[str, Answerer]]] = {"sequence": _blind_lists, "report": _blind_reports}
_SPOILT: Mapping[str, Mapping[str, Callable[[Sample, Any], str | None]]] = {
    "sequence": {
        "first of several signs": _first_sign,
        "the truth, then all signs": _truth_then_all,
        f"the truth {COPIES} times": _signs_again,
    },
    "report": {f"the truth {COPIES} times": _text_again},
}
