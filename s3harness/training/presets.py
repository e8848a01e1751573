"""Rewards by name: presets, single metrics, form and length, and mixtures of them with weights.

``strict`` are the tasks' primary metrics, among them the Seizure-RQI of a report. ``paper`` are the measures that the
published training is described with: accuracy of signs, sides and diagnoses, BLEU and ROUGE-L of texts, nearness in
time, longest common subsequence; here they are normalised, have floors and must pass the gate. ``authors`` are the
formulas of its released code (:mod:`s3harness.training.paper_rewards`), which do not pass.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from s3harness.errors import UsageError
from s3harness.specs.tasks import MetricSpec
from s3harness.training.paper_rewards import authors_rewards
from s3harness.training.rewards import MetricReward, Reward, metric_reward, metric_rewards, strict_rewards
from s3harness.training.shaping import FormatReward, LengthReward, OverlapReward, answers_in_spans, longest_answers
from s3harness.training.training_set import TrainingSet

PAPER: Mapping[str, Mapping[str, float]] = {
    "feature": {"feature_balanced_accuracy": 1.0},
    "rationale": {"bleu": 0.5, "rouge_l": 0.5},
    "laterality": {"laterality_balanced_accuracy": 1.0},
    "boundary": {"boundary_mae": 1.0},
    "sequence": {"lcs_f": 1.0},
    "report": {"bleu": 0.5, "rouge_l": 0.5},
    "diagnosis": {"diagnosis_balanced_accuracy": 1.0},
}
"""Kind of item → metric → weight. Of one answer accuracy and balanced accuracy are the same: 1 if it is right."""


def rewards_named(weights: Mapping[str, float], training_set: TrainingSet) -> list[Reward]:
    """Return the rewards of a mixture, name → weight, for the tasks that have samples, without floors.

    A name is one of :data:`PRESETS` or a metric (:func:`~s3harness.training.rewards.metric_rewards`). The weight of a
    preset multiplies those of its rewards. Raises :class:`UsageError` for an unknown name, a weight that is not above
    0, and a reward that is named twice.
    """
    rewards: list[Reward] = []
    for name, weight in weights.items():
        if not (math.isfinite(weight) and weight > 0):
            raise UsageError(f"the weight of {name} must be above 0, not {weight:g}")
        if name not in PRESETS:
            rewards += metric_rewards(training_set.specs, {name: weight})
            continue
        # A preset names no task, so a task without samples is no error in it.
        preset = [reward for reward in PRESETS[name](training_set) if training_set.of_task(reward.task)]
        if not preset:
            raise UsageError(f"no task here has rewards of {name}; leave it out")
        rewards += [replace(cast("Any", reward), weight=reward.weight * weight) for reward in preset]
    twice = [name for name, count in Counter(reward.name for reward in rewards).items() if count > 1]
    if twice:
        raise UsageError(f"the reward {twice[0]} is named twice; give it one weight")
    return rewards


def paper_rewards(training_set: TrainingSet) -> list[MetricReward]:
    """Return the paper's measures as rewards, by the kind of item of each task."""
    return [
        metric_reward(training_set.specs, spec, MetricSpec(metric, metric, {}, True), weight=weight)
        for spec in training_set.specs.values()
        for metric, weight in PAPER.get(spec.item, {}).items()
    ]


def _format(training_set: TrainingSet) -> list[FormatReward]:
    # A task that uses another's answers has none of its own.
    return [FormatReward(spec=spec) for spec in training_set.specs.values() if not spec.uses]


def _length(training_set: TrainingSet) -> list[LengthReward]:
    return [
        LengthReward(spec=spec, limits=longest_answers(training_set.of_task(spec.name)))
        for spec in training_set.specs.values()
        if not spec.uses
    ]


def _overlap(training_set: TrainingSet) -> list[OverlapReward]:
    return [
        OverlapReward(spec=spec)
        for spec in training_set.specs.values()
        if not spec.uses and answers_in_spans(training_set.of_task(spec.name), spec.name)
    ]


PRESETS: Mapping[str, Callable[[TrainingSet], Sequence[Reward]]] = {
    "strict": lambda training_set: strict_rewards(training_set.specs),
    "paper": paper_rewards,
    "authors": lambda training_set: authors_rewards(training_set.specs),
    "format": _format,
    "length": _length,
    "overlap": _overlap,
}
"""Name → the rewards of a training set."""
