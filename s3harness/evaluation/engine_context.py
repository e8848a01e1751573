"""Room in the context of the engine that was loaded or found, whose length may be another than the card's."""

from __future__ import annotations

from dataclasses import dataclass

from s3harness.run.context import ContextCheck, check_context
from s3harness.run.executor import Progress
from s3harness.run.plan import Plan


@dataclass
class EngineContext:
    """The check of a plan's requests against the context, by the card's length first and then by the engine's own."""

    plan: Plan
    latest: ContextCheck | None
    progress: Progress

    def check(self, limit: int | None) -> None:
        """Compare the plan with the engine's context of ``limit`` tokens, ``None`` where the engine tells of none.

        Requests that are too long are warned of; raises :class:`UsageError` where none of a task can fit.
        """
        if limit is None or (self.latest is not None and self.latest.limit == limit):
            return
        self.latest = check_context(self.plan, limit)
        self.latest.refuse_hopeless()
        for task, warning in self.latest.warnings().items():
            self.progress.set_phase(f"warning: {task}: {warning}")

    def facts(self) -> dict[str, object]:
        """Return what the manifest records (:meth:`ContextCheck.facts`)."""
        return self.latest.facts() if self.latest else {}
