"""``--executor ray``: videos go to workers in Ray actors, their answers come back to the one journal.

Each worker is handed one video more whenever it has use for it, so a slow one holds nobody up. What a lost worker had
not answered goes to others; a video that costs :data:`LOSSES` workers fails, by name.
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
from s3harness_ray.cluster import Shares, connected
from s3harness_ray.engine import end, new_engine, put, told
from s3harness_ray.options import RayOptions

LOST = (RayActorError, NodeDiedError, ObjectLostError, OutOfMemoryError)
"""What Ray says of an actor that is no more."""

LOSSES = 3
"""So many workers may be lost while they have a video before it is taken to be its fault."""

Held = dict[str, s3harness.VideoPlan]
"""By the id of their videos, the plans that a worker has."""

CLOSING_S = 10.0
"""So long engines may take to close when a run is stopped."""


async def ray(execution: s3harness.Execution, plans: Iterable[s3harness.VideoPlan]) -> None:
    """The executor.

    Raises :class:`s3harness.S3HarnessError` if the journal cannot be written, an engine not be loaded, or too many
    workers are lost.
    """
    options = RayOptions.of(execution.options)
    with connected(options, execution.worker_spec.allow_remote) as shares:
        media = execution.worker_spec.media
        media = replace(media, workers=media.workers or min(shares.decoders, media.n_workers()))
        crew = _Crew(
            replace(execution, worker_spec=replace(execution.worker_spec, media=media)), plans, shares, options.restarts
        )
        await crew.work()


class _Crew:
    """The workers of a run, and what is still to be handed out."""

    def __init__(
        self, execution: s3harness.Execution, plans: Iterable[s3harness.VideoPlan], shares: Shares, restarts: int
    ) -> None:
        self._execution, self._shares, self._restarts = execution, shares, restarts
        self._recipe = put(execution.worker_spec)
        self._plans = iter(plans)
        self._returned: deque[s3harness.VideoPlan] = deque()
        self._losses: Counter[str] = Counter()
        self._out = 0
        self._places = shares.workers
        self._turn, self._changed = asyncio.Lock(), asyncio.Event()

    async def work(self) -> None:
        """Have everything done."""
        async with asyncio.TaskGroup() as group:
            for number in range(1, self._shares.workers + 1):
                group.create_task(self._keep(f"worker {number} of {self._shares.workers}"))

    async def _keep(self, name: str) -> None:
        """Keep one place in the crew filled until there is nothing left to do."""
        is_lost = True
        while is_lost:
            is_lost = False
            engine, held = new_engine(self._recipe, self._shares), Held()
            try:
                await self._load(engine, name)
                await self._feed(engine, held)
            except* LOST:
                self._give_back(held)
                is_lost = self._replaces(name)
            except* RayTaskError as group:
                raise _of_the_worker(name, group) from None
            finally:
                await self._end(engine)

    async def _load(self, engine: Any, name: str) -> None:
        async for phase in told(engine.load):
            self._execution.progress.say(f"{name}: {phase}")

    async def _feed(self, engine: Any, held: Held) -> None:
        """Hand a worker one plan after the other, as it has use for them; ``held`` are those not carried out yet.

        A task that is cancelled may never have begun, so it is not the task that says what has to be given back.
        """
        async with asyncio.TaskGroup() as group:
            await engine.room.remote()
            while (plan := await self._next()) is not None:
                held[plan.video.id] = plan
                group.create_task(self._hand(engine, plan, held))
                await engine.room.remote()

    async def _hand(self, engine: Any, plan: s3harness.VideoPlan, held: Held) -> None:
        """Have a worker carry out a plan, and journal what it answers."""
        requests = {request.id: request for step in plan.steps for request in step.requests}
        async for request_id, response, media in told(engine.carry_out, plan):
            self._execution.write(requests[request_id], response, media)
        del held[plan.video.id]
        self._out -= 1
        self._changed.set()

    async def _next(self) -> s3harness.VideoPlan | None:
        """What is to be handed out next. While others have plans that may come back, who has nothing waits.

        It can be cancelled wherever it waits, and no plan is lost by that.
        """
        async with self._turn:
            for plan in self._plans:
                left = self._execution.left(plan)
                if left.steps:
                    self._out += 1
                    return left
                await asyncio.sleep(0)
            while not self._returned and self._out:
                self._changed.clear()
                await self._changed.wait()
            self._out += bool(self._returned)
            return self._returned.popleft() if self._returned else None

    def _give_back(self, held: Held) -> None:
        """What a lost worker had not answered goes to others, unless it was the video's doing."""
        for video_id, plan in held.items():
            left = self._execution.left(plan)
            self._losses[video_id] += 1
            self._out -= 1
            if self._losses[video_id] >= LOSSES:
                self._fail(left)
            elif left.steps:
                self._returned.append(left)
        self._changed.set()

    def _fail(self, left: s3harness.VideoPlan) -> None:
        error = f"video {left.video.id}: {LOSSES} workers were lost while they had it"
        for request in (request for step in left.steps for request in step.requests):
            self._execution.write(request, s3harness.Response(request.id, status="failed", error=error), "")

    def _replaces(self, name: str) -> bool:
        """Note a loss, and whether the place is filled again; :class:`s3harness.S3HarnessError` if nobody is left."""
        self._restarts -= 1
        self._execution.progress.messages.append(f"{name} was lost; what it had not answered went to others")
        if self._restarts >= 0:
            return True
        self._places -= 1
        if self._places == 0:
            raise s3harness.S3HarnessError(
                "all workers were lost; what is answered is journalled; continue with --resume"
            )
        return False

    async def _end(self, engine: Any) -> None:
        """Have an engine close in order, and end its process."""
        with suppress(Exception):
            notes = await asyncio.wait_for(engine.close.remote(), CLOSING_S)
            self._execution.progress.messages += notes
        end(engine)


def _of_the_worker(name: str, group: BaseExceptionGroup[Any]) -> Exception:
    """What went wrong in a worker, as it would be told of the worker of this process."""
    error: Any = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    cause = error.cause
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    if isinstance(cause, s3harness.S3HarnessError):
        return cause
    return s3harness.S3HarnessError(f"{name}: {type(cause).__name__}: {cause}")
