"""The reward gate: rewards are tested with worthless answers before training.

Reinforcement learning finds the cheapest way to a reward. If a constant answer earns nearly as much as the truth, the
model learns the constant; so such a reward is refused before any computing is spent on it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean
from typing import Any

from s3harness.metrics.floors import DRAWN
from s3harness.training.candidates import Candidate, candidates
from s3harness.training.rewards import MetricReward, Reward, RewardError
from s3harness.training.sample import Sample, SampleTruth
from s3harness.training.shaping import short_name
from s3harness.training.training_set import TrainingSet

LIMIT = 0.8
"""A reward is refused if it pays a candidate this share of its reward of the truth, or more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """Mean reward of a candidate (``paid``) and of the truth on the same samples; ``share`` is their ratio."""

    reward: str
    task: str
    weight: float
    candidate: str
    paid: float
    truth: float
    samples: int

    @property
    def share(self) -> float:
        """``paid`` / ``truth``; infinite if the truth itself earns nothing."""
        # Infinite, so that a reward that pays the truth nothing is refused.
        return self.paid / self.truth if self.truth > 0 else math.inf

    @property
    def is_refused(self) -> bool:
        """``True`` if the reward must not be used because of this candidate."""
        return self.share >= LIMIT


@dataclass(frozen=True, slots=True)
class GateReport:
    """Payments of every candidate by every reward, the best paid candidate of each reward first."""

    payments: Sequence[Payment]

    @property
    def refused(self) -> list[str]:
        """Names of the rewards that must not be used."""
        return list(dict.fromkeys(payment.reward for payment in self.payments if payment.is_refused))


def fit_floors(rewards: Sequence[Reward], training_set: TrainingSet) -> list[Reward]:
    """Return the rewards, metrics with floors: per subject, the best blind candidate's mean on the training samples."""
    return [
        replace(reward, floors=_floors(reward, _unique_samples(training_set.of_task(reward.task))))
        if isinstance(reward, MetricReward)
        else reward
        for reward in rewards
    ]


def examine(rewards: Sequence[Reward], training_set: TrainingSet) -> GateReport:
    """Score every candidate by every reward on the training samples.

    Rewards that only shape an answer are scored as part of the weighted sum of their task's rewards. Raises
    :class:`RewardError` for a reward that scores none of the samples.
    """
    return GateReport([payment for reward in _examined(rewards) for payment in _payments(reward, training_set)])


def gate_as_json(report: GateReport) -> dict[str, Any]:
    """Return the gate's table as JSON-able data."""
    return {
        "limit": LIMIT,
        "refused": report.refused,
        "payments": [
            {
                "reward": p.reward,
                "task": p.task,
                "weight": p.weight,
                "candidate": p.candidate,
                "paid": p.paid,
                "truth": p.truth,
                # A share of nothing has no value.
                "share": p.share if p.truth > 0 else None,
                "samples": p.samples,
                "refused": p.is_refused,
            }
            for p in report.payments
        ],
    }


@dataclass(frozen=True)
class _Total:
    """The weighted sum of a task's rewards, one of which says nothing of the truth."""

    parts: Sequence[Reward]
    weight: float = 1.0

    @property
    def task(self) -> str:
        return self.parts[0].task

    @property
    def name(self) -> str:
        return f"{short_name(self.task)}_total"

    def score(self, text: str, sample_truth: SampleTruth) -> float | None:
        amounts = [(reward.weight, reward.score(text, sample_truth)) for reward in self.parts]
        scored = [weight * amount for weight, amount in amounts if amount is not None]
        return sum(scored) if scored else None

    def format_answer(self, text: str) -> str:
        return self.parts[0].format_answer(text)


def _examined(rewards: Sequence[Reward]) -> list[Reward]:
    examined: list[Reward] = [reward for reward in rewards if not _is_shaping(reward)]
    for task in dict.fromkeys(reward.task for reward in rewards if _is_shaping(reward)):
        # The others first: what they ask for is the form in which the truth is paid.
        parts = sorted((reward for reward in rewards if reward.task == task), key=_is_shaping)
        examined.append(_Total(parts))
    return examined


def _is_shaping(reward: Reward) -> bool:
    return bool(getattr(reward, "is_shaping", False))


def _payments(reward: Reward, training_set: TrainingSet) -> list[Payment]:
    samples = training_set.of_task(reward.task)
    truth = [reward.score(reward.format_answer(sample.target), sample.truth) for sample in samples]
    # With nothing to compare with it would pass the gate, and training would have no reward.
    if all(amount is None for amount in truth):
        raise RewardError(
            f"the reward {reward.name} scores none of the {len(samples)} training samples of {reward.task}: either "
            "blind answers are always right, or the metric does not apply to them; leave it out, or add patients"
        )
    spec = training_set.specs[reward.task]
    # Candidates often give the same text to a sample, and balanced sets hold many samples several times.
    cache: dict[tuple[str, str], float | None] = {}
    payments = [_payment(reward, c, samples, truth, cache) for c in candidates(spec.item, spec.name, samples)]
    return sorted((payment for payment in payments if payment), key=lambda payment: -payment.share)


def _payment(
    reward: Reward,
    candidate: Candidate,
    samples: Sequence[Sample],
    truth: Sequence[float | None],
    cache: dict[tuple[str, str], float | None],
) -> Payment | None:
    amounts, true_amounts = [], []
    for text, sample, true_amount in zip(candidate.texts, samples, truth, strict=True):
        if text is None or true_amount is None:
            continue
        key = (text, sample.id)
        if key not in cache:
            cache[key] = reward.score(reward.format_answer(text), sample.truth)
        amounts.append(cache[key] or 0.0)
        true_amounts.append(true_amount)
    if not true_amounts:
        return None
    return Payment(
        reward=reward.name,
        task=reward.task,
        weight=reward.weight,
        candidate=candidate.name,
        paid=mean(amounts),
        truth=mean(true_amounts),
        samples=len(true_amounts),
    )


def _floors(reward: MetricReward, samples: Sequence[tuple[Sample, int]]) -> dict[str, float]:
    blind = candidates(reward.spec.item, reward.task, [s for s, _ in samples]) if samples else []
    # Without random answerers, which beat the best constant only by luck.
    constant = [candidate for candidate in blind if candidate.is_blind and candidate.name not in DRAWN]
    means = [_means(reward, candidate, samples) for candidate in constant]
    subjects = sorted({subject for by_subject in means for subject in by_subject})
    # Rounded, so that the floors in exported files are the same on every machine.
    return {subject: round(max(by_subject.get(subject, 0.0) for by_subject in means), 6) for subject in subjects}


def _means(reward: MetricReward, candidate: Candidate, samples: Sequence[tuple[Sample, int]]) -> Mapping[str, float]:
    """Return subject → mean raw reward of a candidate, where samples count as often as they occur."""
    sums: defaultdict[str, float] = defaultdict(float)
    counts: defaultdict[str, int] = defaultdict(int)
    for text, (sample, copies) in zip(candidate.texts, samples, strict=True):
        raw = None if text is None else reward.raw(text, sample.truth)
        if raw is not None:
            sums[sample.request.subject] += copies * raw
            counts[sample.request.subject] += copies
    return {subject: sums[subject] / counts[subject] for subject in sums}


def _unique_samples(samples: Sequence[Sample]) -> list[tuple[Sample, int]]:
    """Return each sample once, with its number of copies."""
    # A balanced set repeats its rarer samples, and each need be scored but once.
    by_id: dict[str, tuple[Sample, int]] = {}
    for sample in samples:
        by_id[sample.id] = (sample, by_id.get(sample.id, (sample, 0))[1] + 1)
    return list(by_id.values())
