"""The reward gate: before a step is taken, what a reward would pay for answers that deserve nothing.

Reinforcement finds the cheapest way to a reward. One that pays a constant nearly what it pays the truth will be had by
the constant, and nothing is learnt; so it is refused before any computing is spent on it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from s3harness.metrics.floors import DRAWN
from s3harness.training.candidates import Candidate, candidates
from s3harness.training.rewards import MetricReward, Reward, RewardError
from s3harness.training.sample import Sample
from s3harness.training.training_set import TrainingSet

LIMIT = 0.8
"""A reward that pays a candidate this share of what it pays the truth, or more, is refused."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What a candidate is paid on average, beside the truth on the same samples; ``share`` is the one by the other."""

    reward: str
    task: str
    weight: float
    candidate: str
    paid: float
    truth: float
    samples: int

    @property
    def share(self) -> float:
        """Paid / truth; infinite where the truth itself is paid nothing."""
        return self.paid / self.truth if self.truth > 0 else math.inf

    @property
    def is_refused(self) -> bool:
        """Whether the reward may not be used because of this candidate."""
        return self.share >= LIMIT


@dataclass(frozen=True, slots=True)
class GateReport:
    """Every candidate's payment by every reward, the best paid of a reward first."""

    payments: Sequence[Payment]

    @property
    def refused(self) -> list[str]:
        """The names of the rewards that may not be used."""
        return list(dict.fromkeys(payment.reward for payment in self.payments if payment.is_refused))


def fitted(rewards: Sequence[MetricReward], made: TrainingSet) -> list[MetricReward]:
    """The rewards with the floors of the training samples: per subject, the best paid blind candidate's mean."""
    return [replace(reward, floors=_floors(reward, _first_copies(made.of_task(reward.task)))) for reward in rewards]


def examine(rewards: Sequence[Reward], made: TrainingSet) -> GateReport:
    """Score every candidate by every reward on the training samples.

    Raises :class:`RewardError` for a reward without a sample that it scores.
    """
    return GateReport([payment for reward in rewards for payment in _payments(reward, made)])


def _payments(reward: Reward, made: TrainingSet) -> list[Payment]:
    samples = made.of_task(reward.task)
    truth = [reward.score(reward.written(sample.target), sample.question) for sample in samples]
    if all(paid is None for paid in truth):
        raise RewardError(
            f"the reward {reward.name} scores none of the {len(samples)} training samples of {reward.task}: either "
            "blind answers are always right, or the metric does not apply to them; leave it out, or add patients"
        )
    spec = made.specs[reward.task]
    known: dict[tuple[str, str], float | None] = {}
    found = [_payment(reward, c, samples, truth, known) for c in candidates(spec.item, spec.name, samples)]
    return sorted((payment for payment in found if payment), key=lambda payment: -payment.share)


def _payment(
    reward: Reward,
    candidate: Candidate,
    samples: Sequence[Sample],
    truth: Sequence[float | None],
    known: dict[tuple[str, str], float | None],
) -> Payment | None:
    paid, due = [], []
    for text, sample, full in zip(candidate.texts, samples, truth, strict=True):
        if text is None or full is None:
            continue
        key = (text, sample.id)
        if key not in known:
            known[key] = reward.score(reward.written(text), sample.question)
        paid.append(known[key] or 0.0)
        due.append(full)
    if not due:
        return None
    return Payment(reward.name, reward.task, reward.weight, candidate.name, mean(paid), mean(due), len(due))


def _floors(reward: MetricReward, samples: Sequence[tuple[Sample, int]]) -> dict[str, float]:
    blind = candidates(reward.spec.item, reward.task, [s for s, _ in samples]) if samples else []
    sure = [candidate for candidate in blind if candidate.is_blind and candidate.name not in DRAWN]
    means = [_means(reward, candidate, samples) for candidate in sure]
    subjects = sorted({subject for found in means for subject in found})
    return {subject: round(max(found.get(subject, 0.0) for found in means), 6) for subject in subjects}


def _means(reward: MetricReward, candidate: Candidate, samples: Sequence[tuple[Sample, int]]) -> Mapping[str, float]:
    """Subject → mean raw reward of a candidate, every sample counted as often as it is there."""
    sums: defaultdict[str, float] = defaultdict(float)
    counts: defaultdict[str, int] = defaultdict(int)
    for text, (sample, copies) in zip(candidate.texts, samples, strict=True):
        raw = None if text is None else reward.raw(text, sample.question)
        if raw is not None:
            sums[sample.request.subject] += copies * raw
            counts[sample.request.subject] += copies
    return {subject: sums[subject] / counts[subject] for subject in sums}


def _first_copies(samples: Sequence[Sample]) -> list[tuple[Sample, int]]:
    """Each sample once, with how often it is there."""
    found: dict[str, tuple[Sample, int]] = {}
    for sample in samples:
        found[sample.id] = (sample, found.get(sample.id, (sample, 0))[1] + 1)
    return list(found.values())
