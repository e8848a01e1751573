"""An executor: run the requests of a plan. This one runs one video after the other."""

from collections.abc import Iterable

import s3harness


async def newcomer_executor(execution: s3harness.Execution, plans: Iterable[s3harness.VideoPlan]) -> None:
    """Run one video at a time, without prefetching: slow, and easy to follow.

    Raises :class:`s3harness.UsageError` for an -x option, and the worker's error if the engine cannot be loaded.
    """
    if execution.options:
        raise s3harness.UsageError(f"this executor takes no -x option {', '.join(execution.options)}")
    async with execution.worker as worker:
        async for plan in execution.todo(plans):  # without the videos that a resumed run has answered
            await worker.carry_out(plan, await worker.admit(plan), execution.write)
