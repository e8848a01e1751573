"""Errors of vLLM, named and explained so that a user can act on them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import s3harness


class EngineDied(s3harness.S3HarnessError):
    """vLLM's own process ended; the engine answers no more requests."""


class EngineNotStarted(s3harness.S3HarnessError):
    """vLLM did not start."""


MORE_ROOM = "-o 'mm_processor_kwargs={size: {shortest_edge: 4096, longest_edge: N}}' (pixels of all frames)"
SHORTER = "raise -o max_model_len=N, or show less of it (--sampling fps=N, --sampling max_pixels=N)"

REMEDIES = (
    (
        re.compile(r"KV cache|No available memory for the cache", re.IGNORECASE),
        "try a smaller -o max_model_len=N, more GPUs (-o tensor_parallel_size=N), -o kv_cache_dtype=fp8, "
        "or a larger -o gpu_memory_utilization=X",
    ),
    (
        re.compile(r"memory utilization|Free memory on device|external process", re.IGNORECASE),
        "end what else is on the device, or try a smaller -o gpu_memory_utilization=X",
    ),
)
"""Remedies for a lack of memory, by a pattern of the message."""

LESS_MEMORY = (
    "try more GPUs (-o tensor_parallel_size=N), -o quantization=fp8, less at once (-o max_num_batched_tokens=N, "
    "-o max_num_seqs=N), or a smaller -o gpu_memory_utilization=X, which leaves more beside the cache"
)
"""The remedy where no pattern of :data:`REMEDIES` matches."""

# vLLM 0.32 has no exception classes for most failures, and those of its processes arrive as logged text alone: so
# failures are told apart by the words of vLLM, of torch and of the kernel. tests_engine/test_vllm_errors.py has them.
_MEMORY = re.compile(
    r"out of memory|OutOfMemoryError|No available memory for the cache|Free memory on device|MemoryError"
    r"|larger than the available KV cache memory|can be stored in KV cache|not enough memory|DefaultCPUAllocator"
    r"|Available memory on node|Cannot allocate memory|Failed core proc\(s\): \{[^}]*: -9\b",
    re.IGNORECASE,
)
_KILLED = re.compile(r"Failed core proc\(s\): \{[^}]*: -9\b")
_LENGTH = re.compile(r"maximum (context|model) length|longer than the maximum|exceeds the max", re.IGNORECASE)
_ENCODER_CACHE = re.compile(r"exceeds the pre-allocated encoder cache", re.IGNORECASE)
_MEDIA_EVICTED = re.compile(r"Cache miss for \w+ at index", re.IGNORECASE)
_ADVICE = re.compile(
    r"Please | Try |Decrease GPU memory|On the CPU backend|To resolve:|Including non-PyTorch memory|If reserved but"
)
_VALIDATION = re.compile(r"validation errors? for|ValueError|ValidationError|Unsupported|not supported", re.IGNORECASE)


def request_error(error: Exception, logged: Sequence[str] = ()) -> Exception:
    """Error to raise in place of an error of one request; ``logged`` are the errors that vLLM's processes logged."""
    message = _message(error)
    # By class name: an import of vLLM's exceptions would take half a minute where no engine is wanted.
    if type(error).__name__ == "EngineDeadError":
        return _death_error(logged)
    if type(error).__name__ in ("RetryableRequestError", "QueueOverflowError", "MaxQueuedTokensError"):
        return s3harness.RetryableError(message)
    if _ENCODER_CACHE.search(message):
        return s3harness.ContextOverflow(f"{_without_advice(message)}; make room for it by {MORE_ROOM}")
    if _LENGTH.search(message):
        return s3harness.ContextOverflow(f"{_without_advice(message)}; {SHORTER}")
    if _MEMORY.search(message):
        return s3harness.OutOfMemory(_memory_message(message))
    return s3harness.S3HarnessError(f"vLLM: {message}") if type(error).__name__ == "EngineGenerateError" else error


def start_error(error: Exception, logged: Sequence[str]) -> Exception:
    """Error to raise for an engine that does not start; ``logged`` are the errors that vLLM's processes logged."""
    # The reason is in the log: the exception in this process only says that another process failed.
    reason = next((line for line in map(_last_line, logged) if _MEMORY.search(line)), "")
    if reason or _MEMORY.search(_message(error)):
        return s3harness.OutOfMemory(f"vLLM does not fit: {_memory_message(reason or _message(error))}")
    # The first error that was logged is the cause, later ones follow from it.
    message = _last_line(logged[0]) if logged else _message(error)
    kind = s3harness.UsageError if _VALIDATION.search(f"{type(error).__name__} {message}") else EngineNotStarted
    return kind(f"vLLM did not start: {message}")


def is_media_evicted(error: BaseException) -> bool:
    """True if the engine no longer has the media that a request referred to by id."""
    return bool(_MEDIA_EVICTED.search(_message(error)))


def _death_error(logged: Sequence[str]) -> Exception:
    memory_errors = [line for line in map(_last_line, logged) if _MEMORY.search(line)]
    # The last one: errors that were logged long before did not end the engine.
    reason = (memory_errors or [_last_line(line) for line in logged] or ["its log has no reason"])[-1]
    if memory_errors:
        return s3harness.OutOfMemory(f"vLLM ended: {_memory_message(reason)}; then continue with --resume")
    return EngineDied(f"vLLM ended: {reason}; continue with --resume")


def _memory_message(message: str) -> str:
    """The amounts of memory, required and available, as vLLM or torch states them, and the options that help."""
    # -9 is SIGKILL, by which Linux ends a process that takes the last of the machine's memory.
    if _KILLED.search(message):
        return f"the system killed its process, most likely because the memory of this machine ran out; {LESS_MEMORY}"
    remedy = next((remedy for pattern, remedy in REMEDIES if pattern.search(message)), LESS_MEMORY)
    return f"{_without_advice(message)}; {remedy}"


def _message(error: BaseException) -> str:
    """The message of an error, or of its cause where it has none of its own; at last the name of its class."""
    cause: BaseException | None = error
    while cause is not None:
        if str(cause).strip():
            return str(cause).strip()
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else text


def _without_advice(text: str) -> str:
    """The description of a failure, without the advice on vLLM's own flags and on torch's allocator."""
    # That advice names flags of ``vllm serve``, which are written otherwise here.
    return _ADVICE.split(text, maxsplit=1)[0].strip().rstrip(".;")
