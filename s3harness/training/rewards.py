"""Rewards: any strict metric, as a number from 0 to 1 for one answer.

A metric scores sets of items; a reward scores one. It is the metric's own value on that item, rescaled so that no
answer at all is 0 and the truth is 1:

    raw = (value(answer) − value(no answer)) / (value(truth) − value(no answer)), clipped to 0–1

For an error in seconds that is 1 − error/worst, for a share or points the share of the truth's value. A score that
compares classes is undefined on one item, so the item is scored beside a correctly answered *witness* of every other
class; a right answer is then 1, a wrong one less, whatever its class.

The floor is the mean raw reward of the best blind answerer, per subject and measured on the training items; it is
subtracted:

    reward = (raw − floor) / (1 − floor), clipped to 0–1

so that the middle of a window or the usual list of signs is worth little. An unreadable answer gets 0. ``None`` is the
reward of an answer that a metric does not score. Reports are always read by rules, never by a language model: the
judge of an evaluation must not be one that the model was trained against.
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
from s3harness.training.shaping import short_name
from s3harness.types import Answer, Prediction, Reference

NOTHING_TO_LEARN = 0.999
"""Floor from which on a subject has no reward: blind answers are always right."""
UNAGGREGATED = ("sequence", "report")
"""Kinds whose answers are scored without aggregation, which would remove repetitions."""


class RewardError(S3HarnessError):
    """A reward is not a finite number; names the reward, the metric and the item."""


class Reward(Protocol):
    """Score of one answer to one sample."""

    @property
    def name(self) -> str:
        """Name of the reward in tables and logs."""

    @property
    def task(self) -> str:
        """Full name of the task whose samples the reward scores."""

    @property
    def weight(self) -> float:
        """Factor of the reward in the sum of all rewards."""

    def score(self, text: str, sample_truth: SampleTruth) -> float | None:
        """Return the reward of an answer; ``None`` for an answer that is not scored."""

    def format_answer(self, text: str) -> str:
        """Return an answer in the form that the reward expects."""


@dataclass(frozen=True, kw_only=True)
class MetricReward:
    """A metric of a task as a reward; ``reader`` is the spec by which answers are parsed, for Task 2 that of Task 1."""

    spec: TaskSpec
    reader: TaskSpec
    metric: MetricSpec
    weight: float = 1.0
    floors: Mapping[str, float] = field(default_factory=dict)
    _values: dict[Hashable, float] = field(default_factory=dict, repr=False, compare=False)
    _scales: dict[str, tuple[float, float]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def task(self) -> str:
        """Full name of the task."""
        return self.spec.name

    @property
    def name(self) -> str:
        """Name of task and metric as an identifier, e.g. ``task1_feature_balanced_accuracy``."""
        # An identifier, because trainers take a reward's name from its function.
        return f"{short_name(self.task)}_{self.metric.name}"

    def score(self, text: str, sample_truth: SampleTruth) -> float | None:
        """Return the reward, 0–1; ``None`` if the metric does not apply, or the floor leaves nothing to learn."""
        floor = self.floors.get(sample_truth.subject, 0.0)
        raw = self.raw(text, sample_truth)
        if raw is None or floor >= NOTHING_TO_LEARN:
            return None
        return _clipped((raw - floor) / (1.0 - floor))

    def raw(self, text: str, sample_truth: SampleTruth) -> float | None:
        """Return the reward before the floor is subtracted, 0–1."""
        reference = sample_truth.reference(self.task)
        if reference is None or self.metric.params.get("subject", "") not in ("", reference.subject):
            return None
        nothing, truth = self._scale(reference)
        # The metric cannot tell an answer to this item from none, so its scale has no length.
        if math.isclose(nothing, truth, abs_tol=1e-12):
            return None
        prediction = self._prediction(text, sample_truth, reference)
        if prediction.value is None:
            return 0.0
        value = self._value(reference, prediction)
        if not math.isfinite(value):
            raise RewardError(f"{self._place(reference)} is {value} for the answer {text[:80]!r}; fix the metric")
        return _clipped((value - nothing) / (truth - nothing))

    def format_answer(self, text: str) -> str:
        """Return the answer as it is."""
        return text

    def _prediction(self, text: str, sample_truth: SampleTruth, reference: Reference) -> Prediction:
        reading = parse(text, self.reader.for_subject(reference.subject), reference.subject)
        if reading.status == "unparsable":
            return Prediction(reference.item, None, "unparsable", reading.note)
        if self.spec.item in UNAGGREGATED:
            return Prediction(reference.item, reading.value)
        request = reference.requests[0]
        # Aggregated as in an evaluation, of one clip: a timestamp within the clip becomes one in the video.
        answer = Answer(request, reading.value, status=reading.status, note=reading.note, clip=sample_truth.clip)
        return predict([reference], {request: answer}, self.spec)[0]

    def _scale(self, reference: Reference) -> tuple[float, float]:
        """Return the metric's values without an answer and for the truth."""
        # Cached, as every answer to a sample needs them and a report takes long to parse.
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
        """Return the metric's value of one item."""
        # Open answers hardly ever repeat, and truths of lists are not hashable: only closed ones are cached.
        if self.spec.item not in CLOSED:
            return self._compute_value(reference, prediction)
        key = reference.subject, reference.truth, prediction.value
        if key not in self._values:
            self._values[key] = self._compute_value(reference, prediction)
        return self._values[key]

    def _compute_value(self, reference: Reference, prediction: Prediction) -> float:
        witnesses = _witnesses(self.spec.item, reference)
        beside = [Pair(r, p) for r, p in zip(witnesses, oracle(witnesses), strict=True)]
        metric: Metric = build_metric(self.task, self.metric)
        return float(metric.value(metric.statistics([*beside, Pair(reference, prediction)]).sum(axis=0)))

    def _place(self, reference: Reference) -> str:
        return f"the reward {self.name} (metric {self.metric.name}) of {reference.item}"


def metric_rewards(specs: Mapping[str, TaskSpec], wanted: Mapping[str, float]) -> list[MetricReward]:
    """Return rewards by name with their weights: a metric that a task's spec lists, or ``TASK:METRIC`` for any other.

    Raises :class:`UsageError` for a metric that no task lists and for weights that are not above 0.
    """
    rewards: list[MetricReward] = []
    for name, weight in wanted.items():
        if not (math.isfinite(weight) and weight > 0):
            raise UsageError(f"the weight of {name} must be above 0, not {weight:g}")
        metrics = _metrics_named(specs, name)
        if not metrics:
            names = sorted({metric.name for spec in specs.values() for metric in spec.metrics})
            raise UsageError(f"no task here has a metric {name!r}{suggest(name, names)}; say TASK:METRIC for any other")
        rewards += [metric_reward(specs, spec, metric, weight=weight) for spec, metric in metrics]
    return rewards


def strict_rewards(specs: Mapping[str, TaskSpec]) -> list[MetricReward]:
    """Return the primary metric of every task, each with weight 1.

    If that cannot score one answer alone (``is_relative``), it is the task's first metric that can.
    """
    return [metric_reward(specs, spec, _of_one_answer(spec)) for spec in specs.values()]


def reward_function(reward: Reward) -> Callable[..., list[float | None]]:
    """Return a reward as trainers call it: ``f(completions, **columns) -> list[float | None]``.

    A completion is a text or a list of messages, of which the last counts; the column ``sample`` holds the
    :class:`~s3harness.training.sample.SampleTruth` of each completion as JSON. The reward is ``None`` for a sample of
    another task. Raises :class:`RewardError` for a reward that is not a finite number.
    """

    def function(completions: Sequence[object], **columns: Any) -> list[float | None]:
        if "sample" not in columns or len(columns["sample"]) != len(completions):
            raise UsageError(f"the reward {reward.name} needs a column 'sample' with one entry for each completion")
        return [
            _checked(reward, text_of(completion), SampleTruth.from_text(sample))
            for completion, sample in zip(completions, columns["sample"], strict=True)
        ]

    # TRL logs a reward under the name of its function.
    function.__name__ = reward.name
    return function


def text_of(completion: object) -> str:
    """Return the text of a completion: itself, or that of the last message."""
    if isinstance(completion, str):
        return completion
    messages = cast("Sequence[Mapping[str, Any]]", completion)
    content = messages[-1]["content"] if messages else ""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content)


def metric_reward(
    specs: Mapping[str, TaskSpec],
    spec: TaskSpec,
    metric: MetricSpec,
    *,
    weight: float = 1.0,
    floors: Mapping[str, float] | None = None,
) -> MetricReward:
    """Return a metric of a task as a reward; ``floors`` are by subject, none by default."""
    # A task that uses another's answers has no answer format of its own.
    reader = specs[spec.uses or spec.name]
    return MetricReward(spec=spec, reader=reader, metric=metric, weight=weight, floors=floors or {})


def _of_one_answer(spec: TaskSpec) -> MetricSpec:
    """Return the primary metric, or the first other one if that compares answers to several items."""
    ordered = sorted(spec.metrics, key=lambda metric: not metric.primary)
    alone = (metric for metric in ordered if not getattr(build_metric(spec.name, metric), "is_relative", False))
    return next(alone, ordered[0])


def _metrics_named(specs: Mapping[str, TaskSpec], name: str) -> list[tuple[TaskSpec, MetricSpec]]:
    task, colon, metric = name.rpartition(":")
    if colon:
        from s3harness.specs.loading import full_name

        spec = specs.get(full_name(task))
        return [(spec, MetricSpec(metric, metric, {}, True))] if spec else []
    first = [next((m for m in spec.metrics if m.name == name), None) for spec in specs.values()]
    return [(spec, m) for spec, m in zip(specs.values(), first, strict=True) if m]


def _witnesses(kind: str, reference: Reference) -> list[Reference]:
    """Return an item of every class but the reference's own, for scores that compare classes."""
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


def _checked(reward: Reward, text: str, sample_truth: SampleTruth) -> float | None:
    # The reward may be a plugin's. TRL takes NaN for no reward, so that a broken one would go unnoticed.
    value = reward.score(text, sample_truth)
    if value is not None and not math.isfinite(value):
        raise RewardError(f"the reward {reward.name} is {value} for the answer {text[:80]!r}; fix the reward")
    return value


def _clipped(value: float) -> float:
    return min(1.0, max(0.0, value))
