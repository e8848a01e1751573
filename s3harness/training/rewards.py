"""Rewards: any strict metric, as a number from 0 to 1 for one answer, and the authors' formulas beside them.

A metric scores sets of items; a reward scores one. It is the metric's own value on that item, placed between what no
answer at all scores and what the truth scores:

    raw = (value(answer) − value(no answer)) / (value(truth) − value(no answer)), clipped to 0–1

For an error in seconds that is 1 − error/worst, for a share or points the share of what the truth gets. A score that
compares classes is undefined on one item, so the item has a rightly answered *witness* of every other class beside it;
a right answer is then 1, a wrong one less, whatever its class.

Then the best of the blind answerers' mean raw reward, per subject and measured on the training items, is taken off:

    reward = (raw − floor) / (1 − floor), clipped to 0–1

so that the middle of a window or the usual list of signs is worth little. An unreadable answer gets 0. ``None`` is the
reward of an answer that a metric does not score. Reports are always read by the rules, never by a language model:
whoever judges an evaluation must not have been trained against.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast

from s3harness.errors import S3HarnessError, UsageError, suggest
from s3harness.metrics.base import Metric, Pair
from s3harness.metrics.floors import oracle
from s3harness.scoring.answers import parse
from s3harness.scoring.predictions import predict
from s3harness.scoring.score_task import build_metric
from s3harness.specs.features import vocabulary
from s3harness.specs.tasks import MetricSpec, TaskSpec
from s3harness.training.balance import CLOSED
from s3harness.training.sample import SampleTruth
from s3harness.types import Answer, Prediction, Reference

SCHEMA = "s3harness/rewards/v1"
NOTHING_TO_LEARN = 0.999
"""A floor above which a subject has no reward: answering blindly is right every time."""
AS_SAID = ("sequence", "report")
"""Kinds whose answers are scored as they were said: an aggregator would take repetitions out."""


class RewardError(S3HarnessError):
    """A reward is no finite number; names the reward, the metric and the item."""


class Reward(Protocol):
    """What scores one answer to one question."""

    @property
    def name(self) -> str:
        """What it is called in tables, and by trainers."""

    @property
    def task(self) -> str:
        """The task whose samples it scores."""

    @property
    def weight(self) -> float:
        """What a trainer multiplies it by."""

    def score(self, text: str, question: SampleTruth) -> float | None:
        """The reward of an answer; ``None`` for what it does not score."""

    def written(self, text: str) -> str:
        """An answer as the reward expects it to be written."""


@dataclass(frozen=True)
class MetricReward:
    """A metric of a task as a reward; ``reader`` is the spec that reads the answers, another's for Task 2."""

    spec: TaskSpec
    reader: TaskSpec
    metric: MetricSpec
    weight: float = 1.0
    floors: Mapping[str, float] = field(default_factory=dict)
    _values: dict[Hashable, float] = field(default_factory=dict, repr=False, compare=False)
    _scales: dict[str, tuple[float, float]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def task(self) -> str:
        """The task's full name."""
        return self.spec.name

    @property
    def name(self) -> str:
        """task_metric, as an identifier."""
        return f"{self.task.rpartition('/')[2].split('_')[0]}_{self.metric.name}"

    def score(self, text: str, question: SampleTruth) -> float | None:
        """The reward, 0–1; ``None`` where the metric or the floor leave nothing to tell."""
        floor = self.floors.get(question.subject, 0.0)
        raw = self.raw(text, question)
        if raw is None or floor >= NOTHING_TO_LEARN:
            return None
        return _clipped((raw - floor) / (1.0 - floor))

    def raw(self, text: str, question: SampleTruth) -> float | None:
        """The reward before the floor is taken off, 0–1."""
        reference = question.reference(self.task)
        if reference is None or self.metric.params.get("subject", "") not in ("", reference.subject):
            return None
        nothing, truth = self._scale(reference)
        if math.isclose(nothing, truth, abs_tol=1e-12):
            return None
        prediction = self._prediction(text, question, reference)
        if prediction.value is None:
            return 0.0
        value = self._value(reference, prediction)
        if not math.isfinite(value):
            raise RewardError(f"{self._place(reference)} is {value} for the answer {text[:80]!r}; fix the metric")
        return _clipped((value - nothing) / (truth - nothing))

    def written(self, text: str) -> str:
        """As it is."""
        return text

    def _prediction(self, text: str, question: SampleTruth, reference: Reference) -> Prediction:
        reading = parse(text, self.reader.for_subject(reference.subject), reference.subject)
        if reading.status == "unparsable":
            return Prediction(reference.item, None, "unparsable", reading.note)
        if self.spec.item in AS_SAID:
            return Prediction(reference.item, reading.value)
        request = reference.requests[0]
        answer = Answer(request, reading.value, status=reading.status, note=reading.note, clip=question.clip)
        return predict([reference], {request: answer}, self.spec)[0]

    def _scale(self, reference: Reference) -> tuple[float, float]:
        """What no answer and what the truth score; kept, because reading a report takes a while."""
        key = json.dumps([reference.truth, reference.subject, reference.window], sort_keys=True)
        if key not in self._scales:
            missing = self._value(reference, Prediction(reference.item, None, "missing"))
            truth = self._value(reference, oracle([reference])[0])
            if not (math.isfinite(missing) and math.isfinite(truth)):
                raise RewardError(
                    f"{self._place(reference)} is undefined on one item ({truth} for the truth, {missing} without an "
                    "answer), so it cannot be a reward; choose another metric of the task"
                )
            self._scales[key] = missing, truth
        return self._scales[key]

    def _value(self, reference: Reference, prediction: Prediction) -> float:
        """The metric's value; that of closed answers is kept, for there are few and they come again and again."""
        if self.spec.item not in CLOSED:
            return self._computed(reference, prediction)
        key = reference.subject, reference.truth, prediction.value
        if key not in self._values:
            self._values[key] = self._computed(reference, prediction)
        return self._values[key]

    def _computed(self, reference: Reference, prediction: Prediction) -> float:
        witnesses = _witnesses(self.spec.item, reference)
        beside = [Pair(r, p) for r, p in zip(witnesses, oracle(witnesses), strict=True)]
        metric: Metric = build_metric(self.task, self.metric)
        return float(metric.value(metric.statistics([*beside, Pair(reference, prediction)]).sum(axis=0)))

    def _place(self, reference: Reference) -> str:
        return f"the reward {self.name} (metric {self.metric.name}) of {reference.item}"


def metric_rewards(specs: Mapping[str, TaskSpec], wanted: Mapping[str, float]) -> list[MetricReward]:
    """The rewards named, with their weights: a metric that a task's spec lists, or ``TASK:METRIC`` for any other.

    Raises :class:`UsageError` for a metric that no task lists and for weights that are not above 0.
    """
    rewards: list[MetricReward] = []
    for name, weight in wanted.items():
        if not (math.isfinite(weight) and weight > 0):
            raise UsageError(f"the weight of {name} must be above 0, not {weight:g}")
        found = _named(specs, name)
        if not found:
            known = sorted({metric.name for spec in specs.values() for metric in spec.metrics})
            raise UsageError(f"no task here has a metric {name!r}{suggest(name, known)}; say TASK:METRIC for any other")
        rewards += [MetricReward(spec, specs[spec.uses or spec.name], metric, weight) for spec, metric in found]
    return rewards


def strict_rewards(specs: Mapping[str, TaskSpec]) -> list[MetricReward]:
    """The primary metric of every task, each with weight 1.

    Where that says nothing of one answer alone (``is_relative``), it is the task's first metric that does.
    """
    return [MetricReward(spec, specs[spec.uses or spec.name], _of_one_answer(spec)) for spec in specs.values()]


def reward_function(reward: Reward) -> Callable[..., list[float | None]]:
    """A reward as trainers call it: ``f(completions, **columns) -> list[float | None]``.

    A completion is a text or a list of messages, of which the last counts; the column ``sample`` holds each one's
    :class:`~s3harness.training.sample.SampleTruth` as JSON. ``None`` skips a sample of another task. Raises
    :class:`RewardError` where a reward is no finite number.
    """

    def function(completions: Sequence[object], **columns: Any) -> list[float | None]:
        if "sample" not in columns or len(columns["sample"]) != len(completions):
            raise UsageError(f"the reward {reward.name} needs a column 'sample' with one entry for each completion")
        return [
            _checked(reward, text_of(completion), SampleTruth.from_text(sample))
            for completion, sample in zip(completions, columns["sample"], strict=True)
        ]

    function.__name__ = reward.name
    return function


def text_of(completion: object) -> str:
    """The text of a completion: itself, or that of the last message."""
    if isinstance(completion, str):
        return completion
    messages = cast("Sequence[Mapping[str, Any]]", completion)
    content = messages[-1]["content"] if messages else ""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content)


def rewards_as_json(rewards: Sequence[MetricReward]) -> dict[str, Any]:
    """All that makes these rewards again: specs, metrics, weights and floors."""
    specs = {spec.name: dict(spec.data) for reward in rewards for spec in (reward.spec, reward.reader)}
    rows = [
        {
            "task": reward.task,
            "metric": reward.metric.name,
            "params": dict(reward.metric.params),
            "weight": reward.weight,
            "floors": dict(reward.floors),
        }
        for reward in rewards
    ]
    return {"schema": SCHEMA, "specs": specs, "rewards": rows}


def rewards_from_json(data: Mapping[str, Any]) -> list[MetricReward]:
    """The rewards of :func:`rewards_as_json`; :class:`UsageError` if the data are none."""
    try:
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema {data['schema']!r} is not {SCHEMA!r}")
        specs = {name: TaskSpec(spec) for name, spec in data["specs"].items()}
        return [_reward(specs, row) for row in data["rewards"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"no rewards can be read, use a file that train export wrote: {error!r}") from error


def _reward(specs: Mapping[str, TaskSpec], row: Mapping[str, Any]) -> MetricReward:
    spec = specs[row["task"]]
    metric = MetricSpec(row["metric"], row["metric"], row["params"], True)
    return MetricReward(spec, specs[spec.uses or spec.name], metric, float(row["weight"]), row["floors"])


def _of_one_answer(spec: TaskSpec) -> MetricSpec:
    """The primary metric, or the first other that scores one answer alone if the primary one compares answers."""
    ordered = sorted(spec.metrics, key=lambda metric: not metric.primary)
    alone = (metric for metric in ordered if not getattr(build_metric(spec.name, metric), "is_relative", False))
    return next(alone, ordered[0])


def _named(specs: Mapping[str, TaskSpec], name: str) -> list[tuple[TaskSpec, MetricSpec]]:
    task, colon, metric = name.rpartition(":")
    if colon:
        from s3harness.specs.loading import full_name

        spec = specs.get(full_name(task))
        return [(spec, MetricSpec(metric, metric, {}, True))] if spec else []
    first = [next((m for m in spec.metrics if m.name == name), None) for spec in specs.values()]
    return [(spec, m) for spec, m in zip(specs.values(), first, strict=True) if m]


def _witnesses(kind: str, reference: Reference) -> list[Reference]:
    """An item of every class but the reference's own, for scores that compare classes."""
    truth: Any = reference.truth
    if kind == "rationale":
        other = "no" if truth["present"] == "yes" else "yes"
        return [replace(reference, item="witness", truth={"present": other, "text": truth["text"]})]
    classes: Mapping[str, Sequence[str]] = {
        "feature": ("yes", "no"),
        "diagnosis": ("ES", "NES"),
        "laterality": vocabulary().body_parts if reference.subject == "onset_body_part" else ("left", "right"),
    }
    return [replace(reference, item=f"witness {c}", truth=c) for c in classes.get(kind, ()) if c != truth]


def _checked(reward: Reward, text: str, question: SampleTruth) -> float | None:
    value = reward.score(text, question)
    if value is not None and not math.isfinite(value):
        raise RewardError(f"the reward {reward.name} is {value} for the answer {text[:80]!r}; fix the reward")
    return value


def _clipped(value: float) -> float:
    return min(1.0, max(0.0, value))
