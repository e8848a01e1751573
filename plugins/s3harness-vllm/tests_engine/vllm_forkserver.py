"""Engines that start in a second: their processes are forked from one that has vLLM imported."""

from __future__ import annotations

import multiprocessing

PRELOADED = ["vllm.v1.engine.core", "vllm.v1.worker.cpu_worker", "transformers.modeling_utils", "peft"]


def fork_engines() -> None:
    """Have the engines of this process be forked from a server with the imports, which cost ten seconds each.

    vLLM 0.32 has a setting for it, which its platform for CPUs overrides.
    """
    from vllm.v1.engine import utils

    multiprocessing.set_forkserver_preload(PRELOADED)
    utils.get_mp_context = lambda: multiprocessing.get_context("forkserver")
