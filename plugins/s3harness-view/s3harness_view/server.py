"""The web server: bound to the loopback interface, its address printed, its sending logged."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import s3harness

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from s3harness_view.gate import LogSend

LOOPBACK = "127.0.0.1"


def bind(port: int) -> socket.socket:
    """Bind a socket on the loopback interface; port 0 takes a free one. Raises :class:`UsageError`."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise s3harness.UsageError(f"port {port} cannot be used: {error}; choose another --port, or none") from error
    return listener


def audit_folder() -> Path:
    """Make and return the private folder of this process's audit log."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    # A folder for each process: the lines of a log are chained, and two writers would break the chain.
    folder = s3harness.default_cache_dir() / "view" / f"{stamp}-{os.getpid()}"
    folder.mkdir(parents=True, mode=0o700)
    return folder


@asynccontextmanager
async def serving(
    app: ASGIApp, listener: socket.socket, log_send: LogSend, announce: Callable[[str], None]
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve an application while the block runs; ``announce`` gets the address once requests are taken."""
    import uvicorn

    from s3harness_view.gate import Gate

    gate = Gate(app, listener.getsockname()[1], log_send)
    config = uvicorn.Config(
        gate, log_level="error", access_log=False, server_header=False, lifespan="off", ws="none", http="h11"
    )
    # A browser that sends an answer on a connection just closed sees an error; readers look longer than uvicorn's 5 s.
    config.timeout_keep_alive = 600
    # A browser that holds a video's connection open must not keep the process from ending.
    config.timeout_graceful_shutdown = 1
    server = uvicorn.Server(config)
    # _serve and not serve (uvicorn 0.54): the latter takes over the signals of the process, which end a run in order.
    task = asyncio.create_task(server._serve([listener]))
    try:
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        announce(gate.address)
        yield task
    finally:
        server.should_exit = True
        await asyncio.wait([task], timeout=3)


def run(app: ASGIApp, listener: socket.socket, log_send: LogSend, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM."""

    async def main() -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            # By the loop, between two callbacks: an exception raised inside one would leave the server half closed.
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        async with serving(app, listener, log_send, announce) as task:
            await asyncio.wait([task, asyncio.create_task(stopped.wait())], return_when=asyncio.FIRST_COMPLETED)

    asyncio.run(main())
