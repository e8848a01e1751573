"""Executes a plan: every response is journalled the moment it comes, by one writer.

An executor is a function ``(execution: Execution, plans: Iterable[VideoPlan]) -> Coroutine``. It has workers send the
requests that are not answered yet (:meth:`Execution.todo`): this process's own worker, or others made from
``execution.worker_spec``. It hands their responses to :meth:`Execution.write`. Only a journal that cannot be written
ends the run.
"""

from __future__ import annotations

import asyncio
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from s3harness.backends.base import Backend
from s3harness.errors import UsageError
from s3harness.guard.redaction import Redactor
from s3harness.plugins.manager import manager
from s3harness.run.media_check import MediaCheck, MediaCheckResult, require_media
from s3harness.run.plan import ClipRequests, VideoPlan
from s3harness.run.worker import Worker
from s3harness.run.worker_spec import WorkerSpec
from s3harness.rundir.identities import REPLY_FIELDS, Identities, MixtureError
from s3harness.rundir.journal import Journal
from s3harness.types import Request, Response


@dataclass(kw_only=True)
class Progress:
    """Counts of a run so far; ``changed`` is called after each journalled response and each new ``phase``.

    ``phase`` says what the engine is doing before it answers; ``messages`` are shown at the end of the run. ``causes``
    counts failed requests by error and video.
    """

    total: int = 0
    done: int = 0
    failed: int = 0
    causes: Counter[tuple[str, str]] = field(default_factory=Counter)
    phase: str = ""
    messages: list[str] = field(default_factory=list)
    changed: Callable[[Progress], None] = lambda _: None

    def counts(self) -> dict[str, int]:
        """Return the numbers of answered and of failed requests."""
        return {"answered": self.done - self.failed, "failed": self.failed}

    def set_phase(self, phase: str) -> None:
        """Show what the engine is doing."""
        self.phase = phase
        self.changed(self)


@dataclass(kw_only=True)
class Execution:
    """The parts of a run that an executor uses.

    ``worker`` is this process's own, its engine not loaded; an executor that makes others from ``worker_spec`` may read
    the attributes of its backend (``limits``, ``uses_media``) and leave it alone otherwise. ``options`` are for the
    executor. ``identities`` are those of the engines that have answered so far. ``media_check`` is to be passed to
    :meth:`Worker.check_media` of one worker before the first request, and its result to :meth:`accept_media_check`.
    ``check_context`` is called before that with the ``context_length`` of a loaded backend.
    """

    worker_spec: WorkerSpec
    worker: Worker
    journal: Journal
    redact: Redactor
    progress: Progress
    options: Mapping[str, object] = field(default_factory=dict)
    identities: Identities = field(default_factory=Identities)
    media_check: MediaCheck | None = None
    note_media_check: Callable[[MediaCheckResult], None] = lambda result: None
    check_context: Callable[[int | None], None] = lambda limit: None

    def __post_init__(self) -> None:
        self.worker.backend.report_status = self.progress.set_phase
        self.worker.backend.add_note = self.progress.messages.append

    @property
    def recipe(self) -> WorkerSpec:
        """The old name of ``worker_spec``, kept for one release."""
        message = "Execution.recipe is now worker_spec; the old name goes with the next release"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return self.worker_spec

    async def todo(self, plans: Iterable[VideoPlan]) -> AsyncIterator[VideoPlan]:
        """Yield the plans with the requests that are not answered yet, without the videos that are done."""
        for plan in plans:
            # Without a pause, a run that passes over thousands of finished videos could not be stopped.
            await asyncio.sleep(0)
            left = self.left(plan)
            if left.steps:
                yield left

    def left(self, plan: VideoPlan) -> VideoPlan:
        """Return the plan of a video without the requests that are answered."""
        todo = ((step.clip, [r for r in step.requests if not self.journal.is_answered(r.id)]) for step in plan.steps)
        steps = tuple(ClipRequests(clip, tuple(requests)) for clip, requests in todo if requests)
        turns = {r.id: turns for step in steps for r in step.requests if (turns := self.journal.turns(r.id))}
        return replace(plan, steps=steps, turns=turns)

    def write(self, request: Request, response: Response, media: str) -> None:
        """Journal a response, and count it. ``media`` is the key of the clip's media, empty if there are none.

        Raises :class:`S3HarnessError` if the journal cannot be written, and :class:`UsageError` where the engine is
        another than the one that gave the answers so far. A reply that says that another model gave it is a failure.
        """
        response, by = self._identified(response)
        # A library's error may hold a path or an address; the journal is handed on with the run.
        response = replace(response, error=self.redact(response.error))
        self.journal.write(request, response, media, by)
        self.progress.phase = ""
        # The turns of a conversation lead to one answer, which counts; their failures are that answer's.
        self.progress.done += not request.parent
        if response.status == "failed" and not request.parent:
            self.progress.failed += 1
            self.progress.causes[response.error, request.clip.video_id] += 1
        self.progress.messages += manager().response(request, response)
        self.progress.changed(self.progress)

    def accept_media_check(self, result: MediaCheckResult | None) -> None:
        """Record the result of a check, unless it is ``None``; raise :class:`UsageError` for a blind or deaf model."""
        if self.media_check is None or result is None:
            return
        require_media(self.media_check, result)
        self.note_media_check(result)

    def _identified(self, response: Response) -> tuple[Response, int | None]:
        """Return the response, and the number of the identity that gave it: ``None`` if it failed or was composed."""
        # A composed answer is of the engines that replied to its turns, whose lines say so.
        if response.status == "failed" or response.conversation is not None:
            return response, None
        try:
            return response, self.identities.number_of(response.identity or {})
        except MixtureError as error:
            # Another engine ends the run. A server that routes one request to another model fails that one alone.
            if not error.differs.keys() <= set(REPLY_FIELDS):
                raise
            failed = Response(
                response.request_id,
                status="failed",
                error=f"the reply is of another model: {error.description}",
                attempts=response.attempts,
                latency_s=response.latency_s,
            )
            return failed, None


def started_facts(backend: Backend, model: str, executor: str, allow_remote: Sequence[str]) -> dict[str, object]:
    """Return the facts that the audit log's line of a start holds."""
    facts: dict[str, object] = {"backend": type(backend).__name__, "model": model, "executor": executor}
    return facts | {"hosts": list(backend.hosts), "remote": backend.remote, "allow_remote": list(allow_remote)}


async def local(execution: Execution, plans: Iterable[VideoPlan]) -> None:
    """Execute the plans in this process.

    Raises :class:`~s3harness.errors.S3HarnessError` if the journal cannot be written or the engine not be loaded.
    """
    if execution.options:
        raise UsageError(f"the local executor takes no -x option, but got {', '.join(execution.options)}")
    async with execution.worker as worker, asyncio.TaskGroup() as group:
        # Before the first request, so that an engine of another version costs nothing.
        execution.identities.check(worker.identity)
        execution.check_context(worker.backend.context_length)
        execution.accept_media_check(await worker.check_media(execution.media_check))
        async for plan in execution.todo(plans):
            admission = await worker.admit(plan)
            group.create_task(worker.carry_out(plan, admission, execution.write))
