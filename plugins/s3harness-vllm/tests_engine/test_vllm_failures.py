"""What vLLM and torch say when there is no room, and what a user is told of it."""

from __future__ import annotations

import pytest
from s3harness_vllm import failures

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
    ("logged", "wanted", "options"),
    [
        (CACHE, ["16.0 GiB", "3.52 GiB", "14416"], ["-o max_model_len=N", "-o kv_cache_dtype=fp8"]),
        (DEVICE, ["12.31/79.1 GiB", "72.77 GiB"], ["a smaller -o gpu_memory_utilization=X"]),
        (NODE, ["3.1/23.5 GiB", "21.6 GiB"], ["a smaller -o gpu_memory_utilization=X"]),
        (CUDA, ["20.00 GiB", "79.10 GiB", "1.20 GiB is free"], ["-o tensor_parallel_size=N", "-o quantization=fp8"]),
        (HOST, ["96636764160 bytes"], ["-o max_num_seqs=N"]),
    ],
)
def test_a_start_without_enough_memory_tells_how_much_was_wanted_and_which_options_help(logged, wanted, options):
    unsaid = RuntimeError("Engine core initialization failed. See root cause above. Failed core proc(s): {}")
    found = failures.of_start(unsaid, ["WARNING before it", logged])
    assert isinstance(found, failures.OutOfMemory)
    assert all(part in str(found) for part in [*wanted, *options]), str(found)
    assert "--gpu-memory-utilization" not in str(found)
    assert "non-PyTorch" not in str(found)


def test_a_process_that_the_system_killed_is_taken_to_have_run_out_of_memory():
    said = "Engine core initialization failed. See root cause above. Failed core proc(s): {'EngineCore': -9}"
    found = failures.of_start(RuntimeError(said), [])
    assert isinstance(found, failures.OutOfMemory)
    assert "killed" in str(found)
    ended = said.replace("-9", "1")
    assert isinstance(failures.of_start(RuntimeError(ended), []), failures.EngineNotStarted)


class EngineDeadError(Exception):
    """Named as vLLM's."""


def test_an_engine_that_ends_for_want_of_memory_says_how_much_and_that_the_run_can_go_on():
    found = failures.of_request(EngineDeadError("EngineCore encountered an issue"), [CUDA, "EngineCore ended"])
    assert isinstance(found, failures.OutOfMemory)
    assert "20.00 GiB" in str(found)
    assert "--resume" in str(found)
    assert isinstance(failures.of_request(EngineDeadError(""), ["ZeroDivisionError"]), failures.EngineDied)


def test_a_clip_for_which_the_engine_has_no_room_names_the_option_that_makes_it():
    said = "The decoder prompt contains a(n) video item with 34560 embedding tokens, which exceeds the pre-allocated "
    found = failures.of_request(ValueError(said + "encoder cache size 12288. Please reduce the input size"))
    assert isinstance(found, failures.ContextOverflow)
    assert "34560" in str(found)
    assert "mm_processor_kwargs" in str(found)
