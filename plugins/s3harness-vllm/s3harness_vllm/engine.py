"""The engine's life: started in a thread, and ended with all of its processes, whenever that is."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

import s3harness
from s3harness_vllm.arguments import Setup, fitting
from s3harness_vllm.starting import EngineLog

if TYPE_CHECKING:
    from vllm.v1.engine.async_llm import AsyncLLM

LOOK_AGAIN_S = 0.1


async def start(chosen: Setup, log: EngineLog) -> AsyncLLM:
    """Start an engine, its phases told as they come. Cancelled meanwhile, it leaves no process behind."""
    others = {process.pid for process in multiprocessing.active_children()}
    stopped = threading.Event()
    starting = asyncio.create_task(asyncio.to_thread(_started, chosen, log, stopped))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        stopped.set()
        log.begin("stopping")
        while not (await asyncio.wait([starting], timeout=LOOK_AGAIN_S))[0]:
            _kill(process for process in multiprocessing.active_children() if process.pid not in others)
        if not starting.cancelled() and starting.exception() is None:
            await stop(starting.result())
        raise


async def stop(engine: AsyncLLM) -> None:
    """End an engine and its processes."""
    await asyncio.to_thread(engine.shutdown)
    # vLLM stops an engine once more when it is collected, which fails where Python is ending.
    engine.shutdown = _nothing


def _started(chosen: Setup, log: EngineLog, stopped: threading.Event) -> AsyncLLM:
    log.begin("loading vLLM")
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.platforms import current_platform
    from vllm.v1.engine.async_llm import AsyncLLM

    arguments = dict(chosen.engine)
    if chosen.hinted_gpus is not None:
        gpus = 1 if current_platform.is_cpu() else current_platform.device_count()
        arguments["tensor_parallel_size"] = fitting(chosen.hinted_gpus, gpus)
    log.begin("starting the engine")
    with _interrupts_kept_out():
        if stopped.is_set():
            raise s3harness.S3HarnessError("the run was stopped")
        return AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments))


@contextmanager
def _interrupts_kept_out() -> Iterator[None]:
    """Processes that are started meanwhile never get a Ctrl-C: the terminal sends it to all of them.

    They end when the run ends them, after it has written down what they had answered.
    """
    resource_tracker.ensure_running()  # it would let interrupts in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _kill(processes: Iterator[BaseProcess]) -> None:
    """Kill processes of an engine that loads: while it does, it only makes a note of a wish to end."""
    for process in processes:
        process.kill()


def _nothing(*_: Any, **__: Any) -> None:
    """What is left to be done for an engine that was stopped."""
