"""What can go wrong in vLLM, by names that a user can act on."""

from __future__ import annotations

import re
from collections.abc import Sequence

import s3harness


class ContextOverflow(s3harness.S3HarnessError):
    """The clip and its question are longer than what the model may read at once."""


class OutOfMemory(s3harness.S3HarnessError):
    """The device has not the memory for the weights, or for a request."""


class EngineDied(s3harness.S3HarnessError):
    """vLLM's own process ended; nothing more can be asked of it."""


class EngineNotStarted(s3harness.S3HarnessError):
    """vLLM did not come up."""


LARGER = "-o 'mm_processor_kwargs={size: {shortest_edge: 4096, longest_edge: N}}' (pixels of all frames)"
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
"""What to do about a lack of memory that has a cause of its own."""

SMALLER = (
    "try more GPUs (-o tensor_parallel_size=N), -o quantization=fp8, less at once (-o max_num_batched_tokens=N, "
    "-o max_num_seqs=N), or a smaller -o gpu_memory_utilization=X, which leaves more beside the cache"
)
"""What to do about any other."""

_MEMORY = re.compile(
    r"out of memory|OutOfMemoryError|No available memory for the cache|Free memory on device|MemoryError"
    r"|larger than the available KV cache memory|can be stored in KV cache|not enough memory|DefaultCPUAllocator"
    r"|Available memory on node|Cannot allocate memory|Failed core proc\(s\): \{[^}]*: -9\b",
    re.IGNORECASE,
)
_KILLED = re.compile(r"Failed core proc\(s\): \{[^}]*: -9\b")
_LENGTH = re.compile(r"maximum (context|model) length|longer than the maximum|exceeds the max", re.IGNORECASE)
_ROOM = re.compile(r"exceeds the pre-allocated encoder cache", re.IGNORECASE)
_FORGOTTEN = re.compile(r"Cache miss for \w+ at index", re.IGNORECASE)
_ADVICE = re.compile(
    r"Please | Try |Decrease GPU memory|On the CPU backend|To resolve:|Including non-PyTorch memory|If reserved but"
)
_VALIDATION = re.compile(r"validation errors? for|ValueError|ValidationError|Unsupported|not supported", re.IGNORECASE)


def of_request(error: Exception, logged: Sequence[str] = ()) -> Exception:
    """What to raise for an error of one request; ``logged`` are the errors that vLLM's processes logged."""
    said = _said(error)
    if type(error).__name__ == "EngineDeadError":
        return _of_death(logged)
    if type(error).__name__ in ("RetryableRequestError", "QueueOverflowError", "MaxQueuedTokensError"):
        return s3harness.RetryableError(said)
    if _ROOM.search(said):
        return ContextOverflow(f"{_first_sentences(said)}; make room for it by {LARGER}")
    if _LENGTH.search(said):
        return ContextOverflow(f"{_first_sentences(said)}; {SHORTER}")
    if _MEMORY.search(said):
        return OutOfMemory(_wanted(said))
    return s3harness.S3HarnessError(f"vLLM: {said}") if type(error).__name__ == "EngineGenerateError" else error


def of_start(error: Exception, logged: Sequence[str]) -> Exception:
    """What to raise for an engine that does not start. Its reason is in the log of the process that failed."""
    why = next((line for line in map(_last_line, logged) if _MEMORY.search(line)), "")
    if why or _MEMORY.search(_said(error)):
        return OutOfMemory(f"vLLM does not fit: {_wanted(why or _said(error))}")
    said = _last_line(logged[0]) if logged else _said(error)
    kind = s3harness.UsageError if _VALIDATION.search(f"{type(error).__name__} {said}") else EngineNotStarted
    return kind(f"vLLM did not start: {said}")


def is_forgotten(error: BaseException) -> bool:
    """Whether the engine was asked about media by their id, and has them no more."""
    return bool(_FORGOTTEN.search(_said(error)))


def _of_death(logged: Sequence[str]) -> Exception:
    found = [line for line in map(_last_line, logged) if _MEMORY.search(line)]
    why = (found or [_last_line(line) for line in logged] or ["it does not say why"])[-1]
    if found:
        return OutOfMemory(f"vLLM ended: {_wanted(why)}; then continue with --resume")
    return EngineDied(f"vLLM ended: {why}; continue with --resume")


def _wanted(said: str) -> str:
    """How much memory was wanted and how much there is, as vLLM or torch says it, and which options change that."""
    if _KILLED.search(said):
        return f"the system killed its process, most likely because the memory of this machine ran out; {SMALLER}"
    remedy = next((remedy for cause, remedy in REMEDIES if cause.search(said)), SMALLER)
    return f"{_first_sentences(said)}; {remedy}"


def _said(error: BaseException) -> str:
    """The message of an error, or of what caused it where it has none of its own."""
    found: BaseException | None = error
    while found is not None:
        if str(found).strip():
            return str(found).strip()
        found = found.__cause__ or found.__context__
    return type(error).__name__


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else text


def _first_sentences(text: str) -> str:
    """What happened, without the advice on vLLM's own flags and on torch's allocator."""
    return _ADVICE.split(text, maxsplit=1)[0].strip().rstrip(".;")
