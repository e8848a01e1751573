"""What can go wrong in transformers, by names that a user can act on."""

from __future__ import annotations

import s3harness

SMALLER = "try another -o device_map, -o dtype=bfloat16, more GPUs, or a smaller model"
SHORTER = "try --sampling max_pixels=N or fps=N for less of the clip, a smaller -o batch_size, or more GPUs"


class OutOfMemory(s3harness.S3HarnessError):
    """The device has not the memory for the weights, or for one request."""


class ContextOverflow(s3harness.S3HarnessError):
    """The clip and its question are longer than what the model may read at once."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, or this machine, had not the memory for what was asked of it."""
    name, said = type(error).__name__, str(error)
    return (
        name in ("OutOfMemoryError", "MemoryError")
        or "CUDA out of memory" in said
        or "DefaultCPUAllocator: not enough memory" in said
        or "DefaultCPUAllocator: can't allocate memory" in said
    )


def of_loading(error: Exception, weights: str, is_local: bool) -> Exception:
    """What to raise for weights that cannot be loaded."""
    what = "the weights" if is_local else weights
    if is_out_of_memory(error):
        return OutOfMemory(f"{what} do not fit into memory: {_first_line(error)}; {SMALLER}")
    said = str(error)
    if "trust_remote_code" in said:
        return s3harness.UsageError(
            f"{what} bring code of their own, which is not run unless you say -o trust_remote_code=true"
        )
    if isinstance(error, ImportError):
        return s3harness.UsageError(f"{what} cannot be loaded: {_first_line(error)}")
    if not is_local and isinstance(error, OSError):
        return s3harness.S3HarnessError(
            f"{what} are not on this machine and cannot be had from the hub: {_first_line(error)}; "
            "download them where there is a network, and name their directory by --weights DIR"
        )
    return s3harness.S3HarnessError(f"{what} cannot be loaded: {type(error).__name__}: {_first_line(error)}")


def of_answering(error: Exception) -> Exception:
    """What to raise for one request that could not be answered."""
    if is_out_of_memory(error):
        return OutOfMemory(f"one request does not fit into memory: {_first_line(error)}; {SHORTER}")
    return error


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
