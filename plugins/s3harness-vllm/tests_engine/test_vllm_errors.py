"""Errors of vLLM and torch for a lack of memory or room, and the errors that a user gets in their place."""

from __future__ import annotations

import pytest
from s3harness_vllm import errors

import s3harness

CACHE = (
    "EngineCore failed to start. ValueError: To serve at least one request with the model's max seq len (65536), "
    "(16.0 GiB KV cache is needed, which is larger than the available KV cache memory (3.52 GiB). Based on the "
    "available memory, the estimated maximum model length is 14416. Try increasing `gpu_memory_utilization` (which "
    "also controls CPU memory on the CPU backend) or decreasing `max_model_len` when initializing the engine."
)
DEVICE = (
    "ValueError: Free memory on device cuda:0 (12.31/79.1 GiB) on startup is less than desired GPU memory utilization "
    "(0.92, 72.77 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes."
)
NODE = (
    "ValueError: Available memory on node 0 (3.1/23.5 GiB) on startup is less than desired CPU memory utilization "
    "(0.92, 21.6 GiB). On the CPU backend, the `--gpu-memory-utilization` flag controls the fraction of CPU memory."
)
CUDA = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.10 GiB "
    "of which 1.20 GiB is free. Including non-PyTorch memory, this process has 77.90 GiB memory in use."
)
HOST = (
    "RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 96636764160 bytes."
)


@pytest.mark.parametrize(
    ("logged", "amounts", "options"),
    [
        (CACHE, ["16.0 GiB", "3.52 GiB", "14416"], ["-o max_model_len=N", "-o kv_cache_dtype=fp8"]),
        (DEVICE, ["12.31/79.1 GiB", "72.77 GiB"], ["a smaller -o gpu_memory_utilization=X"]),
        (NODE, ["3.1/23.5 GiB", "21.6 GiB"], ["a smaller -o gpu_memory_utilization=X"]),
        (CUDA, ["20.00 GiB", "79.10 GiB", "1.20 GiB is free"], ["-o tensor_parallel_size=N", "-o quantization=fp8"]),
        (HOST, ["96636764160 bytes"], ["-o max_num_seqs=N"]),
    ],
)
def test_a_start_without_enough_memory_names_the_amounts_and_the_options_that_help(logged, amounts, options):
    uninformative = RuntimeError("Engine core initialization failed. See root cause above. Failed core proc(s): {}")
    error = errors.start_error(uninformative, ["WARNING before it", logged])
    assert isinstance(error, s3harness.OutOfMemory)
    assert all(part in str(error) for part in [*amounts, *options]), str(error)
    assert "--gpu-memory-utilization" not in str(error)
    assert "non-PyTorch" not in str(error)


def test_a_process_that_the_system_killed_is_taken_to_have_run_out_of_memory():
    message = "Engine core initialization failed. See root cause above. Failed core proc(s): {'EngineCore': -9}"
    error = errors.start_error(RuntimeError(message), [])
    assert isinstance(error, s3harness.OutOfMemory)
    assert "killed" in str(error)
    ended = message.replace("-9", "1")
    assert isinstance(errors.start_error(RuntimeError(ended), []), errors.EngineNotStarted)


class EngineDeadError(Exception):
    """Named as vLLM's."""


def test_an_engine_that_ends_for_want_of_memory_says_how_much_and_that_the_run_can_go_on():
    error = errors.request_error(EngineDeadError("EngineCore encountered an issue"), [CUDA, "EngineCore ended"])
    assert isinstance(error, s3harness.OutOfMemory)
    assert "20.00 GiB" in str(error)
    assert "--resume" in str(error)
    assert isinstance(errors.request_error(EngineDeadError(""), ["ZeroDivisionError"]), errors.EngineDied)


def test_a_clip_for_which_the_engine_has_no_room_names_the_option_that_makes_it():
    message = (
        "The decoder prompt contains a(n) video item with 34560 embedding tokens, which exceeds the pre-allocated "
    )
    error = errors.request_error(ValueError(message + "encoder cache size 12288. Please reduce the input size"))
    assert isinstance(error, s3harness.ContextOverflow)
    assert "34560" in str(error)
    assert "mm_processor_kwargs" in str(error)
