"""Probes of a model that was trained by rewards: answers to changed clips must earn less.

A model that has learnt to please the reward without looking earns as much from grey frames, from mirrored ones where
the answer is a side, from frames in another order where it is a time or an order, and from the clip of another patient.
The probes are of held-out patients, with the rewards of the training.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from s3harness.metrics.base import Array, Bounds, safe_ratio
from s3harness.specs.tasks import TaskSpec
from s3harness.stats import interval_of_rows
from s3harness.training.rewards import Reward
from s3harness.training.sample import Sample
from s3harness.types import Interval

BLANK, MIRRORED, SHUFFLED, SWAPPED = "blank", "mirrored", "shuffled", "swapped"
VIEWS: Mapping[str, str] = {
    BLANK: "grey frames and silence",
    MIRRORED: "mirrored frames, where the answer is a side",
    SHUFFLED: "frames in another order, where the answer is a time or an order",
    SWAPPED: "the clip of another patient",
}
"""View of a clip → its description."""
IN_TIME = ("boundary", "sequence")
"""Kinds of items whose answer depends on the order of the frames."""

_SIDE = re.compile(r"\b(left|right)\b")

AnswersOf = Callable[[Sequence[Sample], str], Mapping[str, str]]
"""Returns request id → answer of the trained model to samples under a view; the view "" is the clip as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RewardProbe:
    """Mean reward of the same samples as they are and under a view, and the loss between them with its 95 % interval.

    ``loses`` is true if the interval is above 0, and false if it is not, or nothing is lost. ``low`` and ``high`` are
    ``None`` with too few patients, and then so is ``loses``.
    """

    view: str
    samples: int
    patients: int
    reward: float
    changed_reward: float
    loss: float
    low: float | None
    high: float | None
    loses: bool | None


def probe_rewards(
    rewards: Sequence[Reward],
    specs: Mapping[str, TaskSpec],
    samples: Sequence[Sample],
    answers_of: AnswersOf,
    report_status: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Return the probe of every view that applies to some of the samples, as JSON-able data, and report each in a line.

    ``samples`` are of held-out patients and hold the truth about their clips.
    """
    before = _amounts(rewards, samples, answers_of(samples, ""))
    probes = []
    for view, description in VIEWS.items():
        changed = {n: s for n, sample in enumerate(samples) if (s := _changed(view, sample, samples, specs))}
        # A view that the trainer cannot show, a swap, is one of samples with other clips.
        texts = answers_of(list(changed.values()), "" if view == SWAPPED else view) if changed else {}
        # Scored by their own truth: with another clip, times would count from another moment.
        after = dict(zip(changed, _amounts(rewards, [samples[n] for n in changed], texts), strict=True))
        pairs = [(n, x, y) for n, y in after.items() if (x := before[n]) is not None and y is not None]
        if pairs:
            probe = _probe(view, [samples[n] for n, _, _ in pairs], [(x, y) for _, x, y in pairs])
            report_status(_line(probe, description))
            probes.append(asdict(probe))
    return probes


def _changed(view: str, sample: Sample, samples: Sequence[Sample], specs: Mapping[str, TaskSpec]) -> Sample | None:
    """Return the sample to ask under a view; ``None`` if its reward may stay as it is."""
    if view == MIRRORED and not _SIDE.search(sample.target):
        return None
    if view == SHUFFLED and specs[sample.request.task].item not in IN_TIME:
        return None
    if view != SWAPPED:
        return sample
    others = [s for s in samples if s.request.subject == sample.request.subject and _patient(s) != _patient(sample)]
    # One with another answer, if there is one: to the same clip the old answer would be as good.
    others.sort(key=lambda other: (other.target == sample.target, other.id))
    return replace(sample, request=replace(sample.request, clip=others[0].request.clip)) if others else None


def _amounts(rewards: Sequence[Reward], samples: Sequence[Sample], texts: Mapping[str, str]) -> list[float | None]:
    """Return the weighted sum of rewards of each sample; an answer that did not end earns what an empty one does."""
    amounts: list[float | None] = []
    for sample in samples:
        text = texts.get(sample.request.id, "")
        paid = [(reward.weight, reward.score(text, sample.truth)) for reward in rewards]
        scored = [weight * amount for weight, amount in paid if amount is not None]
        amounts.append(sum(scored) if scored else None)
    return amounts


def _probe(view: str, samples: Sequence[Sample], amounts: Sequence[tuple[float, float]]) -> RewardProbe:
    before, after = np.array(amounts).T
    rows = np.stack([before - after, np.ones(len(before))], axis=1)
    patients = [_patient(sample) for sample in samples]
    interval = interval_of_rows(_MeanLoss(float(before.max())), rows, patients).interval
    return RewardProbe(
        view=view,
        samples=len(samples),
        patients=len(set(patients)),
        reward=float(before.mean()),
        changed_reward=float(after.mean()),
        loss=float(rows[:, 0].mean()),
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        loses=_loses(float(rows[:, 0].mean()), interval),
    )


@dataclass(frozen=True, slots=True)
class _MeanLoss:
    """The mean of rows (loss, 1), which is no larger than the ``largest`` reward."""

    largest: float

    @property
    def bounds(self) -> Bounds:
        return -self.largest, self.largest

    def value(self, totals: Array) -> Array:
        return safe_ratio(totals[..., 0], totals[..., 1])

    def support(self, sums: Array) -> Mapping[str, Array]:
        return {"": sums[:, 1]}


def _loses(loss: float, interval: Interval | None) -> bool | None:
    # Where nobody loses anything there is no variation between patients, and so no interval, but a verdict.
    if loss <= 0:
        return False
    return interval.low > 0 if interval else None


def _patient(sample: Sample) -> int:
    return sample.references[0].cluster


def _line(probe: RewardProbe, description: str) -> str:
    verdicts = {True: "loses", False: "DOES NOT LOSE the reward", None: "too few patients for a verdict"}
    interval = f" ({probe.low:.3f} to {probe.high:.3f})" if probe.low is not None and probe.high is not None else ""
    return (
        f"probe: reward {probe.reward:.3f}, {probe.changed_reward:.3f} with {description}; "
        f"lost {probe.loss:.3f}{interval}: {verdicts[probe.loses]}"
    )
