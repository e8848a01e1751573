"""``--executor ray``: a pool of workers in Ray actors, whose answers come back to the one journal of the run.

A worker gets another video whenever it has room for one, so that a slow worker delays no other. Requests that a lost
worker had not answered go to others; a video with which :data:`MAX_LOSSES` workers were lost fails, by name.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ray.exceptions import NodeDiedError, ObjectLostError, OutOfMemoryError, RayActorError, RayTaskError

import s3harness
from s3harness_ray.actor import create_actor, kill, put_worker_spec, stream
from s3harness_ray.cluster import WorkerResources, connected
from s3harness_ray.options import RayOptions

LOST_ACTOR_ERRORS = (RayActorError, NodeDiedError, ObjectLostError, OutOfMemoryError)
"""Exceptions of Ray for an actor that is gone: its process, its machine, or its memory."""

MAX_LOSSES = 3
"""Workers that may be lost with a video before the video is taken to be the cause."""

PendingPlans = dict[str, s3harness.VideoPlan]
"""Video id → plan, for the plans that a worker has and has not finished."""

CLOSE_TIMEOUT_S = 10.0
"""Seconds that an engine may take to close before its process is killed."""


async def ray(execution: s3harness.Execution, plans: Iterable[s3harness.VideoPlan]) -> None:
    """Carry out plans by workers in Ray actors.

    Raises :class:`s3harness.S3HarnessError` if the journal cannot be written, an engine cannot be loaded, or too many
    workers are lost.
    """
    options = RayOptions.of(execution.options)
    with connected(options, execution.worker_spec.allow_remote) as resources:
        media = execution.worker_spec.media
        # Workers on one machine would otherwise each start as many decoders as the machine has cores.
        media = replace(media, workers=media.workers or min(resources.decoders, media.n_workers()))
        execution = replace(execution, worker_spec=replace(execution.worker_spec, media=media))
        await _WorkerPool(execution, plans, resources, options.restarts).run()


class _WorkerPool:
    """The workers of a run, and the plans that none of them has yet."""

    def __init__(
        self,
        execution: s3harness.Execution,
        plans: Iterable[s3harness.VideoPlan],
        resources: WorkerResources,
        restarts: int,
    ) -> None:
        self._execution, self._resources, self._restarts = execution, resources, restarts
        self._worker_spec = put_worker_spec(execution.worker_spec)
        self._plans = iter(plans)
        self._returned: deque[s3harness.VideoPlan] = deque()
        self._losses: Counter[str] = Counter()
        self._n_pending = 0
        self._n_places = resources.workers
        self._lock, self._changed = asyncio.Lock(), asyncio.Event()
        self._check_lock, self._is_checked = asyncio.Lock(), False

    async def run(self) -> None:
        """Carry out all plans."""
        async with asyncio.TaskGroup() as group:
            for number in range(1, self._resources.workers + 1):
                group.create_task(self._run_place(f"worker {number} of {self._resources.workers}"))

    async def _run_place(self, name: str) -> None:
        """Run a worker, and another one in its place whenever it is lost, until no plan is left."""
        is_lost = True
        while is_lost:
            is_lost = False
            actor, pending = create_actor(self._worker_spec, self._resources), PendingPlans()
            try:
                await self._load(actor, name)
                await self._feed(actor, pending)
            except* LOST_ACTOR_ERRORS:
                self._return_plans(pending)
                is_lost = self._count_loss(name)
            except* RayTaskError as group:
                raise _worker_error(name, group) from None
            finally:
                await self._close(actor)

    async def _load(self, actor: Any, name: str) -> None:
        async for phase in stream(actor.load):
            self._execution.progress.set_phase(f"{name}: {phase}")
        # One engine is checked for all, which are of one identity; the others wait, or they would begin to answer.
        async with self._check_lock:
            if not self._is_checked:
                self._execution.check_context(await actor.context_length.remote())
                self._execution.accept_media_check(await actor.check_media.remote(self._execution.media_check))
                self._is_checked = True

    async def _feed(self, actor: Any, pending: PendingPlans) -> None:
        """Give a worker one plan after the other, whenever it has room."""
        async with asyncio.TaskGroup() as group:
            await actor.wait_for_room.remote()
            while (plan := await self._next_plan()) is not None:
                # Here and not in the task, which may be cancelled before it begins and would never return the plan.
                pending[plan.video.id] = plan
                group.create_task(self._carry_out(actor, plan, pending))
                await actor.wait_for_room.remote()

    async def _carry_out(self, actor: Any, plan: s3harness.VideoPlan, pending: PendingPlans) -> None:
        """Have a worker carry out a plan, and write its answers to the journal."""
        requests = {request.id: request for step in plan.steps for request in step.requests}
        async for request, response, media in stream(actor.carry_out, plan):
            self._execution.write(requests[request] if isinstance(request, str) else request, response, media)
        del pending[plan.video.id]
        self._n_pending -= 1
        self._changed.set()

    async def _next_plan(self) -> s3harness.VideoPlan | None:
        """The next plan, or ``None`` if none is left; waits while others have plans that may be returned.

        It can be cancelled wherever it waits, and no plan is lost by that.
        """
        # One at a time: the iterator of plans may not be advanced by two tasks, and waiting is fair.
        async with self._lock:
            for plan in self._plans:
                remaining = self._execution.left(plan)
                if remaining.steps:
                    self._n_pending += 1
                    return remaining
                # A resumed run skips thousands of plans here, and answers have to be written meanwhile.
                await asyncio.sleep(0)
            while not self._returned and self._n_pending:
                self._changed.clear()
                await self._changed.wait()
            self._n_pending += bool(self._returned)
            return self._returned.popleft() if self._returned else None

    def _return_plans(self, pending: PendingPlans) -> None:
        """Return the unanswered requests of a lost worker, or fail those of a video that cost too many workers."""
        for video_id, plan in pending.items():
            remaining = self._execution.left(plan)
            self._losses[video_id] += 1
            self._n_pending -= 1
            if self._losses[video_id] >= MAX_LOSSES:
                self._fail(remaining)
            elif remaining.steps:
                self._returned.append(remaining)
        self._changed.set()

    def _fail(self, remaining: s3harness.VideoPlan) -> None:
        error = f"video {remaining.video.id}: {MAX_LOSSES} workers were lost while they had it"
        for request in (request for step in remaining.steps for request in step.requests):
            self._execution.write(request, s3harness.Response(request.id, status="failed", error=error), "")

    def _count_loss(self, name: str) -> bool:
        """Count a lost worker; return True if it is to be replaced.

        Raises :class:`s3harness.S3HarnessError` if it was the last one and is not replaced.
        """
        self._restarts -= 1
        self._execution.progress.messages.append(f"{name} was lost; what it had not answered went to others")
        if self._restarts >= 0:
            return True
        self._n_places -= 1
        if self._n_places == 0:
            raise s3harness.S3HarnessError("all workers were lost; all answers are journalled; continue with --resume")
        return False

    async def _close(self, actor: Any) -> None:
        """Close an engine in order, take over its notes, and end its process."""
        # An actor that is lost or was never loaded cannot close, which is no other error.
        with suppress(Exception):
            notes = await asyncio.wait_for(actor.close.remote(), CLOSE_TIMEOUT_S)
            self._execution.progress.messages += notes
        kill(actor)


def _worker_error(name: str, group: BaseExceptionGroup[Any]) -> Exception:
    """The error of a worker, as a worker in this process would have raised it."""
    # Ray wraps it in a RayTaskError, and task groups on both sides in groups.
    error: Any = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    cause = error.cause
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    if isinstance(cause, s3harness.S3HarnessError):
        return cause
    return s3harness.S3HarnessError(f"{name}: {type(cause).__name__}: {cause}")
