"""Start and stop of vLLM's engine, together with all of its processes, whenever a run is stopped."""

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
from s3harness_vllm.arguments import EngineSetup
from s3harness_vllm.engine_log import EngineLog
from s3harness_vllm.placement import describe_placement, placement
from s3harness_vllm.reasoning import parser_arguments

if TYPE_CHECKING:
    from vllm.v1.engine.async_llm import AsyncLLM

POLL_S = 0.1


async def start_engine(setup: EngineSetup, log: EngineLog) -> AsyncLLM:
    """Start an engine and report its phases as they begin. A start that is cancelled leaves no process behind."""
    others = {process.pid for process in multiprocessing.active_children()}
    is_cancelled = threading.Event()
    start = asyncio.create_task(asyncio.to_thread(_load_engine, setup, log, is_cancelled))
    try:
        # Shielded, because a thread cannot be cancelled: it has to end before its processes are all known.
        return await asyncio.shield(start)
    except asyncio.CancelledError:
        is_cancelled.set()
        log.begin("stopping")
        # Again and again: the thread may start another process after the first were killed.
        while not (await asyncio.wait([start], timeout=POLL_S))[0]:
            _kill(process for process in multiprocessing.active_children() if process.pid not in others)
        # The engine may have come up at the same moment.
        if not start.cancelled() and start.exception() is None:
            await stop_engine(start.result())
        raise


async def stop_engine(engine: AsyncLLM) -> None:
    """Shut an engine and its processes down."""
    await asyncio.to_thread(engine.shutdown)
    # vLLM 0.32 shuts an engine down once more when it is collected, which fails while the interpreter exits.
    engine.shutdown = _do_nothing


def _load_engine(setup: EngineSetup, log: EngineLog, is_cancelled: threading.Event) -> AsyncLLM:
    log.begin("loading vLLM")
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.platforms import current_platform
    from vllm.v1.engine.async_llm import AsyncLLM

    gpus = 0 if current_platform.is_cpu() else current_platform.device_count()
    arguments = {**setup.engine, **placement(setup.engine, setup.hinted_gpus, gpus)}
    arguments |= parser_arguments(arguments)
    log.begin("starting the engine")
    if gpus > 1:
        log.report(describe_placement(arguments, gpus))
    with _blocked_interrupts():
        # The import above takes half a minute, in which the run may have been stopped: then no process is started.
        if is_cancelled.is_set():
            raise s3harness.S3HarnessError("the run was stopped")
        return AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments))


@contextmanager
def _blocked_interrupts() -> Iterator[None]:
    """Block SIGINT in processes that are started meanwhile; they inherit the signal mask."""
    # A terminal sends Ctrl-C to the whole process group. The engine has to outlive it, until the run has journalled
    # the answers that are ready and shuts the engine down.
    # Python's resource tracker, started on demand, would unblock SIGINT in this thread: so it is started before.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _kill(processes: Iterator[BaseProcess]) -> None:
    """Kill processes of an engine that is loading."""
    # Not terminated: while it loads, vLLM's handler of SIGTERM only sets a flag.
    for process in processes:
        process.kill()


def _do_nothing(*_: Any, **__: Any) -> None:
    """Stand in for ``shutdown`` of an engine that was shut down."""
