"""Monitoring of a model in training, which stops it when its answers collapse.

A model that learns from rewards can settle on one answer that pays well enough, and give it to every question; its
reward may even rise. So the last answers to each task are summarised, and training stops if they have collapsed: all to
one answer, or those to every question of a task to an answer of their own ("left" to all sides, "head" to all onsets).

:data:`FILE` is the log of a training, a JSON object for each line: ``step``, and any of ``loss``, ``gradient``,
``reward``, ``kl`` and ``entropy`` (nats a token), ``learning_rate``, ``length`` (tokens of an answer), ``no_spread``
(share of the groups of answers whose rewards are all the same), ``tasks`` (task → :class:`AnswerStats`), ``held_out``
(task → primary score), ``collapse`` and ``probes`` (:mod:`s3harness.training.reward_probes`).
"""

from __future__ import annotations

import json
import math
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from s3harness.errors import S3HarnessError
from s3harness.files import parse_json
from s3harness.scoring.answers import parse
from s3harness.specs.tasks import TaskSpec
from s3harness.training.balance import CLOSED
from s3harness.training.rewards import text_of
from s3harness.training.sample import SampleTruth

FILE = "training_log.jsonl"
GRAM = 4
"""Number of words in a row that count as repeated if they occur again in the same answer."""

CLOSED_KEYS = ("answer", "present")
"""Keys of structured answers whose value is the class."""

SAME = 1e-6
"""Difference of rewards below which they are the same."""

WARNED_AT = (1, 10, 100, 1000)
"""Numbers of steps in a row without any spread of rewards after which the user is warned."""


class Collapse(S3HarnessError):
    """Training was stopped because the answers collapsed; names the task, the statistic and the remedy."""


REMEDY = "lower the learning rate, raise beta, or begin with a model that knows the task (train sft)"


@dataclass(frozen=True, kw_only=True, slots=True)
class CollapseLimits:
    """Limits of a collapse, applied to the last ``window`` answers to a task once there are that many.

    ``commonest``: largest share of the most common answer to closed questions; it does not apply if the most common
    true answer has a larger share than ``alike``. ``coverage``: least share of readable answers. ``repetition``:
    largest mean share of repeated runs of words. ``cut``: largest share of truncated answers. ``kl``: largest
    divergence from the model before training, in nats per token. ``commonest`` and ``alike`` also apply to each closed
    question (a subject of a task) once there are ``question_window`` answers to it: a task whose questions are all
    constant has collapsed.
    """

    window: int = 128
    question_window: int = 32
    commonest: float = 0.95
    alike: float = 0.85
    coverage: float = 0.5
    repetition: float = 0.5
    cut: float = 0.9
    kl: float = 5.0


@dataclass(frozen=True, slots=True)
class TrainingAnswer:
    """One answer of the model in training: its text, the rewards by name, and ``False`` if it was truncated."""

    task: str
    truth: SampleTruth
    text: str
    rewards: Mapping[str, float]
    ended: bool = True

    @classmethod
    def of(
        cls, task: str, sample: str, completion: object, rewards: Mapping[str, float], *, ended: bool
    ) -> TrainingAnswer:
        """Return an answer from the columns of a trainer; ``sample`` is the one from which rewards are computed."""
        return cls(task, SampleTruth.from_text(sample), text_of(completion), rewards, ended)


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerStats:
    """Summary of the last answers to a task; shares are 0–1, ``length`` is the mean in characters.

    ``commonest`` and ``commonest_true`` are the shares of the most common answer and of the most common truth,
    ``cut`` is the share of truncated answers, ``reward`` the mean of their summed rewards. ``constant`` are the closed
    questions of the task that get one answer, though their true answers differ.
    """

    answers: int
    reward: float | None
    commonest: float
    commonest_true: float
    coverage: float
    length: float
    repetition: float
    cut: float
    constant: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _WindowEntry:
    """One answer, reduced to the numbers of which :class:`AnswerStats` are means."""

    value: str | None
    truth: str
    length: int
    repetition: float
    ended: bool
    reward: float | None


# Bounded by CollapseLimits.window: a model that has improved must not be stopped for its early answers.
_Window = deque[_WindowEntry]


@dataclass
class Monitor:
    """Summarises the answers of each step, logs the summaries to :data:`FILE`, and raises :class:`Collapse`.

    Of several processes that train together one ``writes``; the others raise alone. ``warn`` takes one line for the
    user; unless the monitor ``stops`` a training, a collapse is such a line, the first time.
    """

    specs: Mapping[str, TaskSpec]
    directory: Path
    limits: CollapseLimits = field(default_factory=CollapseLimits)
    writes: bool = True
    stops: bool = True
    warn: Callable[[str], None] = field(default=lambda line: None, repr=False)
    _windows: dict[str, _Window] = field(default_factory=dict, repr=False)
    _questions: dict[str, dict[str, _Window]] = field(default_factory=dict, repr=False)
    _steps_without_spread: int = field(default=0, repr=False)
    _has_collapsed: bool = field(default=False, repr=False)

    def observe(
        self, step: int, answers: Sequence[TrainingAnswer], *, kl: float | None = None, group: int = 0
    ) -> Mapping[str, AnswerStats]:
        """Add the answers of a step and return the statistics of each of its tasks; raises :class:`Collapse`.

        ``kl`` is the divergence from the model before training, in nats per token. Each ``group`` answers in a row are
        to one sample (0: unknown).
        """
        for answer in answers:
            self._append(answer)
        stats_by_task = {
            task: _stats(self._windows[task], self._constant(task)) for task in dict.fromkeys(a.task for a in answers)
        }
        no_spread = share_without_spread(answers, group) if group > 1 else None
        # Logged first: the step that stops a training is the one to look at.
        tasks = {task: asdict(stats) for task, stats in stats_by_task.items()}
        self.note(step, kl=kl, no_spread=no_spread, tasks=tasks)
        self._warn_without_spread(step, no_spread, group)
        try:
            for task, stats in stats_by_task.items():
                self._refuse_collapsed(task, stats)
            self._refuse_diverged(step, kl)
        except Collapse as collapse:
            if self.stops:
                raise
            self._warn_of_collapse(step, collapse)
        return stats_by_task

    def note(self, step: int, **facts: object) -> None:
        """Append a line of facts about a step to the log; those that are ``None`` are left out."""
        if not self.writes:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"step": step, **{k: v for k, v in facts.items() if v is not None}}, sort_keys=True)
        # Opened anew for each line, so that an interrupted training loses none.
        with (self.directory / FILE).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def notes(self, name: str) -> list[tuple[int, Any]]:
        """Return the steps whose lines in the log have a fact of this name, with the fact."""
        return [(line["step"], line[name]) for line in read_log(self.directory) if name in line]

    def forget_after(self, step: int) -> None:
        """Remove the lines of later steps from the log, as training resumes from this one."""
        path = self.directory / FILE
        if self.writes and path.exists():
            try:
                # A line without its end was being written when the machine went down.
                lines = path.read_text(encoding="utf-8").split("\n")[:-1]
                earlier = [line for line in lines if parse_json(line)["step"] <= step]
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise S3HarnessError(f"{path}: not a log of training steps ({error!r}); move it away") from error
            path.write_text("".join(f"{line}\n" for line in earlier), encoding="utf-8")

    def _append(self, answer: TrainingAnswer) -> None:
        spec = self.specs[answer.task]
        entry = _window_entry(answer, spec)
        self._windows.setdefault(answer.task, deque(maxlen=self.limits.window)).append(entry)
        if spec.item in CLOSED:
            questions = self._questions.setdefault(answer.task, {})
            questions.setdefault(answer.truth.subject, deque(maxlen=self.limits.question_window)).append(entry)

    def _constant(self, task: str) -> tuple[str, ...]:
        """Return the questions that get one answer, though their true answers differ."""
        return tuple(
            subject for subject, window in sorted(self._full(task).items()) if _is_constant(window, self.limits)
        )

    def _full(self, task: str) -> Mapping[str, _Window]:
        """Return the questions of a task with answers enough to be judged."""
        return {s: w for s, w in self._questions.get(task, {}).items() if len(w) == self.limits.question_window}

    def _warn_without_spread(self, step: int, no_spread: float | None, group: int) -> None:
        self._steps_without_spread = self._steps_without_spread + 1 if no_spread == 1.0 else 0
        if self._steps_without_spread in WARNED_AT:
            self.warn(
                f"step {step}: in none of the groups of {group} answers do the rewards differ, so there is nothing to "
                "learn from and the gradient is zero; sample more answers or at a higher temperature, begin with a "
                "model that is right now and then (train sft), or add a graded reward (--rewards strict,format=0.2)"
            )

    def _warn_of_collapse(self, step: int, collapse: Collapse) -> None:
        # Once: it is said of every later step as well.
        if not self._has_collapsed:
            self._has_collapsed = True
            self.note(step, collapse=str(collapse))
            self.warn(f"step {step}: {collapse}; training goes on (--accept-collapse)")

    def _refuse_diverged(self, step: int, kl: float | None) -> None:
        # Not "kl > limit", which is false for NaN.
        if kl is not None and not kl <= self.limits.kl:
            raise Collapse(
                f"step {step}: collapsed: the model has diverged by {kl:.3g} nats a token from where it began, more "
                f"than {self.limits.kl:g}; lower the learning rate, or raise beta"
            )

    def _refuse_collapsed(self, task: str, stats: AnswerStats) -> None:
        # Not of a few questions of many: some signs cannot be told apart for a long time.
        judged = self._full(task)
        if len(judged) > 1 and len(judged) == len(stats.constant) and 2 * len(judged) >= len(self._questions[task]):
            raise Collapse(
                f"{task}: collapsed: each question gets one answer to all clips ({', '.join(stats.constant)}), though "
                f"the true answers differ; {REMEDY}, or balance the answers (--balance repeat)"
            )
        if stats.answers < self.limits.window:
            return
        problem = _collapse_message(stats, self.limits, closed=self.specs[task].item in CLOSED)
        if problem:
            raise Collapse(f"{task}: collapsed: of the last {stats.answers} answers {problem}")


def _collapse_message(stats: AnswerStats, limits: CollapseLimits, *, closed: bool) -> str:
    """Return the problem and its remedy; empty if there is no collapse."""
    if stats.coverage < limits.coverage:
        return f"only {stats.coverage:.0%} can be read; {REMEDY}"
    # One answer to everything is right where nearly all truths are the same.
    if closed and stats.commonest >= limits.commonest and stats.commonest_true <= limits.alike:
        return f"{stats.commonest:.0%} are the same, and {stats.commonest_true:.0%} of the true ones; {REMEDY}"
    if stats.repetition > limits.repetition:
        return f"{stats.repetition:.0%} of the words only repeat others; {REMEDY}"
    if stats.cut >= limits.cut:
        return f"{stats.cut:.0%} did not end; allow longer ones (max_answer_tokens), or {REMEDY}"
    return ""


def read_log(directory: Path) -> list[dict[str, Any]]:
    """Return the lines of the log of a training, empty if there is none; :class:`S3HarnessError` if it is no log."""
    path = directory / FILE
    if not path.exists():
        return []
    try:
        # A line without its end is being written.
        lines = [parse_json(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
        if not all(isinstance(line, dict) and isinstance(line["step"], int) for line in lines):
            raise ValueError("a line has no step")
    except (OSError, ValueError, KeyError) as error:
        raise S3HarnessError(f"{path}: not a log of training steps ({error!r})") from error
    return lines


def repetition(text: str) -> float:
    """Return the share of the runs of :data:`GRAM` words in a text that occurred before, 0–1; 0 for a short text."""
    words = text.split()
    runs = [tuple(words[i : i + GRAM]) for i in range(len(words) - GRAM + 1)]
    return 1.0 - len(set(runs)) / len(runs) if runs else 0.0


def share_without_spread(answers: Sequence[TrainingAnswer], group: int) -> float | None:
    """Return the share of the groups of answers in which all have the same sum of rewards; ``None`` without answers.

    An advantage in GRPO is relative to the group, so that of such a group is zero.
    """
    sums = [sum(answer.rewards.values()) for answer in answers]
    groups = [sums[start : start + group] for start in range(0, len(sums), group)]
    return mean(max(of_group) - min(of_group) < SAME for of_group in groups) if groups else None


def _is_constant(window: _Window, limits: CollapseLimits) -> bool:
    commonest, true = _commonest([entry.value for entry in window]), _commonest([entry.truth for entry in window])
    return commonest >= limits.commonest and true <= limits.alike


def _window_entry(answer: TrainingAnswer, spec: TaskSpec) -> _WindowEntry:
    reading = parse(answer.text, spec.for_subject(answer.truth.subject), answer.truth.subject)
    reference = answer.truth.reference(answer.task)
    value = None if reading.status == "unparsable" else _closed_part(reading.value)
    # TRL turns the None of a reward of another task into NaN, which a trainer may pass on.
    rewards = [reward for reward in answer.rewards.values() if math.isfinite(reward)]
    return _WindowEntry(
        value=value,
        truth=_closed_part(reference.truth) if reference else "",
        length=len(answer.text),
        repetition=repetition(answer.text),
        ended=answer.ended,
        reward=sum(rewards) if rewards else None,
    )


def _closed_part(value: object) -> str:
    """Return the class in an answer or a truth; the whole of it if it has none."""
    # Justifications differ from answer to answer even if all have the same class.
    closed = [value[key] for key in CLOSED_KEYS if key in value] if isinstance(value, Mapping) else [value]
    return str(closed[0] if closed else value)


def _stats(window: _Window, constant: tuple[str, ...]) -> AnswerStats:
    rewards = [entry.reward for entry in window if entry.reward is not None]
    return AnswerStats(
        answers=len(window),
        reward=mean(rewards) if rewards else None,
        commonest=_commonest([entry.value for entry in window]),
        commonest_true=_commonest([entry.truth for entry in window]),
        coverage=mean(entry.value is not None for entry in window),
        length=mean(entry.length for entry in window),
        repetition=mean(entry.repetition for entry in window),
        cut=mean(not entry.ended for entry in window),
        constant=constant,
    )


def _commonest(values: Sequence[str | None]) -> float:
    """Return the share of the most common value, 0–1."""
    return max(Counter(values).values()) / len(values)
