"""Answers that deserve no reward: what can be said without a look, and the truth spoilt by additions or gaps.

Each candidate is one answer, as a text, to each question of a task; one that is the plain truth there is left out. The
*blind* ones know nothing of an item but how its subject usually ends.
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
FEWEST_SIGNS = 2
WORDS = "Nothing can be said."


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answerer: its text to each of the samples, ``None`` to those that it does not answer."""

    name: str
    texts: tuple[str | None, ...]
    is_blind: bool = True


def candidates(kind: str, task: str, samples: Sequence[Sample], *, seed: int = 0) -> list[Candidate]:
    """Every candidate for a task's samples; ``seed`` fixes those that draw lots."""
    references = [_reference(sample, task) for sample in samples]
    floors = floors_for(kind, references, seed=seed, training=references)
    found = [
        Candidate(name, tuple(_written(s, p.value) for s, p in zip(samples, said, strict=True)))
        for name, said in floors.items()
    ]
    blind = {"silence": lambda _: "", **_BLIND.get(kind, dict)()}
    found += [Candidate(name, tuple(_said(say, sample) for sample in samples)) for name, say in blind.items()]
    found += [
        Candidate(name, tuple(say(s, r.truth) for s, r in zip(samples, references, strict=True)), is_blind=False)
        for name, say in _SPOILT.get(kind, {}).items()
    ]
    return found


def _said(say: Callable[[Sample], object], sample: Sample) -> str:
    said = say(sample)
    return said if isinstance(said, str) else _written(sample, said)


def _written(sample: Sample, value: object) -> str:
    """A value as the request wants it written."""
    if isinstance(value, Mapping):
        return write_answer(sample.request, value["present"], str(value["text"]) or WORDS)
    if isinstance(value, float):
        value -= sample.request.clip.start_s
    return write_answer(sample.request, value, WORDS)


def _reference(sample: Sample, task: str) -> Reference:
    """The reference of a task, without the report that its prompt shows: who reads that is not blind."""
    return replace(next(reference for reference in sample.references if reference.task == task), report="")


Saying = Callable[[Sample], object]


def _blind_lists() -> Mapping[str, Saying]:
    names = list(vocabulary().names)
    return {
        "every sign there is": lambda _: names,
        f"every sign {COPIES} times": lambda _: names * COPIES,
        "five signs by lot": lambda sample: Random(sample.id).sample(names, 5),
    }


def _blind_reports() -> Mapping[str, Saying]:
    everything = report_of(vocabulary().names, {}, Random(0))
    return {
        "every sign there is": lambda _: everything,
        f"every sign {COPIES} times": lambda _: " ".join([everything] * COPIES),
        "junk": lambda _: " ".join(["junk"] * 400),
    }


def _first_sign(sample: Sample, truth: Any) -> str | None:
    return write_answer(sample.request, [truth[0][0]]) if len(truth) >= FEWEST_SIGNS else None


def _truth_then_all(sample: Sample, truth: Any) -> str:
    signs = [name for name, _ in truth]
    return write_answer(sample.request, [*signs, *(name for name in vocabulary().names if name not in signs)])


def _signs_again(sample: Sample, truth: Any) -> str | None:
    return write_answer(sample.request, [name for name, _ in truth] * COPIES) if truth else None


def _text_again(sample: Sample, truth: Any) -> str:
    return " ".join([truth["text"]] * COPIES)


_BLIND: Mapping[str, Callable[[], Mapping[str, Saying]]] = {"sequence": _blind_lists, "report": _blind_reports}
_SPOILT: Mapping[str, Mapping[str, Callable[[Sample, Any], str | None]]] = {
    "sequence": {
        "first of several signs": _first_sign,
        "the truth, then all signs": _truth_then_all,
        f"the truth {COPIES} times": _signs_again,
    },
    "report": {f"the truth {COPIES} times": _text_again},
}
