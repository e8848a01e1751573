"""Watching a model learn: what it says, and whether that has become the same to everything.

A model that is rewarded can find an answer that pays well enough and say nothing else; its reward may even rise. So
what it says is looked at, task by task, over the last answers, and training stops where it has collapsed.
"""

from __future__ import annotations

import json
import math
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean

from s3harness.errors import S3HarnessError
from s3harness.files import parse_json
from s3harness.scoring.answers import parse
from s3harness.specs.tasks import TaskSpec
from s3harness.training.balance import CLOSED
from s3harness.training.rewards import text_of
from s3harness.training.sample import SampleTruth

FILE = "monitor.jsonl"
GRAM = 4
"""Words in a row that count as repeated where they come again in the same answer."""

CLOSED_KEYS = ("answer", "present")


class Collapse(S3HarnessError):
    """Training was stopped because of what the model says; names the task, what was seen and what to change."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a model has collapsed, judged by the last ``window`` answers to a task, once there are so many.

    ``commonest``: the share of the most common answer to closed questions, where the most common true answer
    is no commoner than ``alike``. ``coverage``: the share of answers that can be read. ``repetition``: the
    share of a long answer's words that only repeat. ``cut``: the share of answers that do not end. ``kl``: the
    divergence from the model before training, nats a token.
    """

    window: int = 128
    commonest: float = 0.95
    alike: float = 0.85
    coverage: float = 0.5
    repetition: float = 0.5
    cut: float = 0.9
    kl: float = 5.0


@dataclass(frozen=True, slots=True)
class Said:
    """One answer of the model in training; ``paid`` is the rewards by name, ``ended`` whether it came to its end."""

    task: str
    question: SampleTruth
    text: str
    paid: Mapping[str, float]
    ended: bool = True

    @classmethod
    def of(cls, task: str, sample: str, completion: object, paid: Mapping[str, float], *, ended: bool) -> Said:
        """An answer as trainers have it: ``sample`` is the column that rewards are computed from."""
        return cls(task, SampleTruth.from_text(sample), text_of(completion), paid, ended)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last answers to a task are like; shares are 0–1, ``length`` is in characters."""

    answers: int
    reward: float | None
    commonest: float
    commonest_true: float
    coverage: float
    length: float
    repetition: float
    cut: float


@dataclass(frozen=True, slots=True)
class _Kept:
    value: str | None
    truth: str
    length: int
    repetition: float
    ended: bool
    paid: float | None


@dataclass
class Monitor:
    """Takes the answers of each step, writes what they are like to a file, and raises :class:`Collapse`."""

    specs: Mapping[str, TaskSpec]
    directory: Path
    limits: Limits = field(default_factory=Limits)
    _last: dict[str, deque[_Kept]] = field(default_factory=dict, repr=False)

    def observe(self, step: int, said: Sequence[Said], *, kl: float | None = None) -> Mapping[str, Seen]:
        """Look at the answers of a step; returns what the last ones to each of its tasks are like.

        ``kl`` is the divergence from the model before training, in nats a token.
        """
        for answer in said:
            kept = self._last.setdefault(answer.task, deque(maxlen=self.limits.window))
            kept.append(_kept(answer, self.specs[answer.task]))
        found = {task: _seen(self._last[task]) for task in dict.fromkeys(answer.task for answer in said)}
        self.note(step, kl=kl, tasks={task: asdict(seen) for task, seen in found.items()})
        for task, seen in found.items():
            self._refuse_collapsed(task, seen)
        if kl is not None and not kl <= self.limits.kl:
            raise Collapse(
                f"step {step}: collapsed: the model has gone {kl:.3g} nats a token from where it began, more than "
                f"{self.limits.kl:g}; lower the learning rate, or raise beta"
            )
        return found

    def note(self, step: int, **facts: object) -> None:
        """Add a line to the file."""
        self.directory.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"step": step, **{k: v for k, v in facts.items() if v is not None}}, sort_keys=True)
        with (self.directory / FILE).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def forget_after(self, step: int) -> None:
        """Drop the lines after a step: training goes on from there."""
        path = self.directory / FILE
        if path.exists():
            try:
                lines = path.read_text(encoding="utf-8").splitlines()
                kept = [line for line in lines if parse_json(line)["step"] <= step]
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise S3HarnessError(f"{path}: not a log of training steps ({error!r}); move it away") from error
            path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def _refuse_collapsed(self, task: str, seen: Seen) -> None:
        if seen.answers < self.limits.window:
            return
        why = _collapsed(seen, self.limits, closed=self.specs[task].item in CLOSED)
        if why:
            raise Collapse(f"{task}: collapsed: of the last {seen.answers} answers {why}")


def _collapsed(seen: Seen, limits: Limits, *, closed: bool) -> str:
    """What is wrong and what to change; empty if nothing is."""
    lower = "lower the learning rate, raise beta, or begin with a model that knows the task (train sft)"
    if seen.coverage < limits.coverage:
        return f"only {seen.coverage:.0%} can be read; {lower}"
    if closed and seen.commonest >= limits.commonest and seen.commonest_true <= limits.alike:
        return f"{seen.commonest:.0%} are the same, and {seen.commonest_true:.0%} of the true ones; {lower}"
    if seen.repetition > limits.repetition:
        return f"{seen.repetition:.0%} of the words only repeat others; {lower}"
    if seen.cut >= limits.cut:
        return f"{seen.cut:.0%} did not end; allow longer ones (max_answer_tokens), or {lower}"
    return ""


def repetition(text: str) -> float:
    """The share of the runs of :data:`GRAM` words in a text that have been there before, 0–1; 0 for a short text."""
    words = text.split()
    runs = [tuple(words[i : i + GRAM]) for i in range(len(words) - GRAM + 1)]
    return 1.0 - len(set(runs)) / len(runs) if runs else 0.0


def _kept(answer: Said, spec: TaskSpec) -> _Kept:
    reading = parse(answer.text, spec.for_subject(answer.question.subject), answer.question.subject)
    reference = answer.question.reference(answer.task)
    value = None if reading.status == "unparsable" else _told(reading.value)
    paid = [amount for amount in answer.paid.values() if math.isfinite(amount)]
    return _Kept(
        value,
        _told(reference.truth) if reference else "",
        len(answer.text),
        repetition(answer.text),
        answer.ended,
        sum(paid) if paid else None,
    )


def _told(value: object) -> str:
    """The closed part of an answer, or of a truth."""
    closed = [value[key] for key in CLOSED_KEYS if key in value] if isinstance(value, Mapping) else [value]
    return str(closed[0] if closed else value)


def _seen(kept: Sequence[_Kept] | deque[_Kept]) -> Seen:
    paid = [k.paid for k in kept if k.paid is not None]
    return Seen(
        answers=len(kept),
        reward=mean(paid) if paid else None,
        commonest=_commonest([k.value for k in kept]),
        commonest_true=_commonest([k.truth for k in kept]),
        coverage=mean(k.value is not None for k in kept),
        length=mean(k.length for k in kept),
        repetition=mean(k.repetition for k in kept),
        cut=mean(not k.ended for k in kept),
    )


def _commonest(values: Sequence[str | None]) -> float:
    """The share of the most common answer, 0–1, whatever was asked."""
    return max(Counter(values).values()) / len(values)
