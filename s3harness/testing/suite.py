"""Adversarial suite for all metrics of a profile, compared with their documented defects.

``s3harness plugins check`` runs the same suite for the metric of a third party.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from s3harness.specs.loading import load_task
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import MetricSpec, resolve
from s3harness.testing.known_defects import PAPER_SCENARIOS, KnownDefect, known_defect_of
from s3harness.testing.metrics import check_metric


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """Result of the suite for one metric: promise → the answerers who show it broken, and its documented defect."""

    task: str
    kind: str
    metric: MetricSpec
    broken: Mapping[str, Sequence[str]]
    known_defect: KnownDefect

    @property
    def beaten_by(self) -> frozenset[str]:
        """Degenerate answerers who score as well as an honest one."""
        return frozenset(self.broken.get("honest wins", ()))

    @property
    def is_known(self) -> bool:
        """Return True if exactly the documented promises are broken, at least by the documented answerers."""
        # A subset of the answerers suffices: of many that tie with an honest one, only some are documented.
        return frozenset(self.broken) == self.known_defect.breaks and self.known_defect.beaten_by <= self.beaten_by


def suite(profile: str, tasks: Sequence[str]) -> Iterator[SuiteResult]:
    """Run the adversarial suite on every metric of the tasks (full names), as a profile scores them."""
    for task, kind, metric in metrics_of(profile, tasks):
        yield outcome_of(profile, task, kind, metric)


def metrics_of(profile: str, tasks: Sequence[str]) -> Iterator[tuple[str, str, MetricSpec]]:
    """Yield (task, kind of items, metric) for every metric of the tasks in a profile."""
    for task in tasks:
        # Under any model card: metrics depend on the profile, not on the model.
        spec = resolve(load_task(task).data, protocol="strict", profile=profile, model=ModelCard("any"))
        yield from ((task, spec.item, metric) for metric in spec.metrics)


def outcome_of(profile: str, task: str, kind: str, metric: MetricSpec) -> SuiteResult:
    """Run the adversarial suite on one metric."""
    broken: defaultdict[str, list[str]] = defaultdict(list)
    for violation in check_metric(metric.name, kind, **metric.params):
        broken[violation.promise].append(violation.answerer)
    return SuiteResult(task, kind, metric, dict(broken), known_defect_of(profile, kind, metric))


def new_defects(profile: str, outcomes: Sequence[SuiteResult], wrong: Sequence[str]) -> list[str]:
    """List the metrics and pairs of reports that fail without a documented defect, or with one that no longer shows.

    No primary metric may break a promise, documented or not, but for those of the paper profile: they are as published.
    """
    # Only the published formula has rankings that must stay wrong.
    expected = PAPER_SCENARIOS if profile == "paper" else {}
    ranking = [result for result in outcomes if result.metric.primary and result.broken and profile != "paper"]
    broken = [
        f"{result.task}: {result.metric.label}" for result in outcomes if not result.is_known or result in ranking
    ]
    return broken + [name for name in wrong if name not in expected]
