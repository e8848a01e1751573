"""vLLM's own HTTP server of an engine that runs already."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

NAME = "tiny"
OPTIONS = ("--trust-request-mm-kwargs", "--enable-prompt-tokens-details")


@asynccontextmanager
async def serving(engine: Any, weights: Path, adapters: Mapping[str, Path]) -> AsyncIterator[str]:
    """Serve an engine by the code with which ``vllm serve`` does, and yield the address."""
    from vllm.entrypoints.launchers.api_server.app_state import init_app_state
    from vllm.entrypoints.launchers.app import build_app
    from vllm.entrypoints.launchers.cli_args import make_arg_parser
    from vllm.entrypoints.launchers.launcher import serve_http
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()[:2]
        words = ["--model", str(weights), "--served-model-name", NAME, *OPTIONS]
        if adapters:
            words += ["--enable-lora", "--lora-modules", *(f"{name}={path}" for name, path in adapters.items())]
        args = make_arg_parser(FlexibleArgumentParser()).parse_args(words)
        tasks = await engine.get_supported_tasks()
        app = build_app(args, tasks, engine.model_config)
        await init_app_state(engine, app.state, args, tasks)
        server = asyncio.create_task(serve_http(app, listener, host=host, port=port, access_log=False, log_config=None))
        try:
            yield f"http://{host}:{port}/v1"
        finally:
            app.state.server.should_exit = True
            await (await server)
