"""The adversarial suite on all metrics of a profile, beside what is known of them.

Of a third party's metric ``s3harness plugins check`` tells the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from s3harness.specs.loading import load_task
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import MetricSpec, resolve
from s3harness.testing.known_defects import PAPER_SCENARIOS, Known, known_of
from s3harness.testing.metrics import check_metric


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a metric of a task breaks: promise → the answerers by whom it shows, and what is known of it."""

    task: str
    kind: str
    metric: MetricSpec
    broken: Mapping[str, Sequence[str]]
    known: Known

    @property
    def beaten_by(self) -> frozenset[str]:
        """The degenerate answerers who score as well as an honest one."""
        return frozenset(self.broken.get("honest wins", ()))

    @property
    def is_known(self) -> bool:
        """Whether the broken promises are those known to be, and the answerers known to do well do so."""
        return frozenset(self.broken) == self.known.breaks and self.known.beaten_by <= self.beaten_by


def suite(profile: str, tasks: Sequence[str]) -> Iterator[Outcome]:
    """Every metric of the tasks, by full name, as a profile scores them, held against the adversarial suite."""
    for task, kind, metric in metrics_of(profile, tasks):
        yield outcome_of(profile, task, kind, metric)


def metrics_of(profile: str, tasks: Sequence[str]) -> Iterator[tuple[str, str, MetricSpec]]:
    """(task, kind of items, metric) of every metric of the tasks in a profile."""
    for task in tasks:
        spec = resolve(load_task(task).data, protocol="strict", profile=profile, model=ModelCard("any"))
        yield from ((task, spec.item, metric) for metric in spec.metrics)


def outcome_of(profile: str, task: str, kind: str, metric: MetricSpec) -> Outcome:
    """What one metric breaks."""
    broken: defaultdict[str, list[str]] = defaultdict(list)
    for violation in check_metric(metric.name, kind, **metric.params):
        broken[violation.promise].append(violation.answerer)
    return Outcome(task, kind, metric, dict(broken), known_of(profile, kind, metric))


def unknown(profile: str, outcomes: Sequence[Outcome], wrong: Sequence[str]) -> list[str]:
    """What is broken, or ranked wrongly, and may not be: what is not known, or is known no longer.

    No primary metric may break a promise, known or not, but for those of the paper profile, which are as published.
    """
    expected = PAPER_SCENARIOS if profile == "paper" else {}
    ranking = [one for one in outcomes if one.metric.primary and one.broken and profile != "paper"]
    broken = [f"{one.task}: {one.metric.label}" for one in outcomes if not one.is_known or one in ranking]
    return broken + [name for name in wrong if name not in expected]
