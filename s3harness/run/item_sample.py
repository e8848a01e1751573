"""A sample of a plan: some of its items, drawn by a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from s3harness.run.plan import ClipRequests, Plan, VideoPlan


@dataclass(frozen=True)
class SampledPlan(Plan):
    """A plan of some of its items: ``kept`` are the ids of their requests."""

    kept: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[VideoPlan]:
        for plan in super().__iter__():
            steps = [
                ClipRequests(step.clip, tuple(r for r in step.requests if r.id in self.kept)) for step in plan.steps
            ]
            references = tuple(r for r in plan.references if self.kept.issuperset(r.requests))
            yield VideoPlan(plan.video, tuple(step for step in steps if step.requests), references)


@dataclass(frozen=True, slots=True)
class ItemSample:
    """A number of items, and the seed that draws them: equal ones draw the same items of equal plans."""

    items: int
    seed: int

    def of(self, plan: Plan) -> SampledPlan:
        """Return the plan of the items drawn; items that the same answers decide are drawn together, as one."""
        groups = list(dict.fromkeys(reference.requests for video in plan for reference in video.references))
        chosen = random.Random(self.seed).sample(groups, min(self.items, len(groups)))
        kept = frozenset(request for requests in chosen for request in requests)
        return SampledPlan(plan.dataset, plan.model, plan.scored, plan.requested, kept=kept)

    def as_json(self) -> Mapping[str, int]:
        """Return what the manifest holds."""
        return {"items": self.items, "seed": self.seed}
