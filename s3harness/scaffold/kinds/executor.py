"""An executor: who carries a plan out, and where. This one has one video done after the other."""

from collections.abc import Iterable

import s3harness


async def newcomer_executor(execution: s3harness.Execution, plans: Iterable[s3harness.VideoPlan]) -> None:
    """One video at a time, nothing decoded ahead: slow, and easy to follow.

    Raises :class:`s3harness.UsageError` for an -x option, and what the worker raises where the engine is not loaded.
    """
    if execution.options:
        raise s3harness.UsageError(f"this executor takes no -x option {', '.join(execution.options)}")
    async with execution.worker as worker:
        async for plan in execution.todo(plans):  # without what is answered already
            await worker.carry_out(plan, await worker.admit(plan), execution.write)
