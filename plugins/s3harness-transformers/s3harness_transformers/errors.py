"""Errors of transformers and torch, named and explained so that a user can act on them."""

from __future__ import annotations

import s3harness

LESS_MEMORY = "try another -o device_map, -o dtype=bfloat16, more GPUs, or a smaller model"
LESS_INPUT = "try --sampling max_pixels=N or fps=N for less of the clip, a smaller -o batch_size, or more GPUs"


def is_out_of_memory(error: BaseException) -> bool:
    """True if a device, or this machine, ran out of memory."""
    # By name and message: torch need not be imported for it, and its allocator on the CPU raises a plain RuntimeError.
    name, message = type(error).__name__, str(error)
    return (
        name in ("OutOfMemoryError", "MemoryError")
        or "CUDA out of memory" in message
        or "DefaultCPUAllocator: not enough memory" in message
        or "DefaultCPUAllocator: can't allocate memory" in message
    )


def loading_error(error: Exception, weights: str, is_local: bool) -> Exception:
    """Error to raise for weights that cannot be loaded."""
    # A local directory is not named: the journal and the manifest hold no paths.
    subject = "the weights" if is_local else weights
    if is_out_of_memory(error):
        return s3harness.OutOfMemory(f"{subject} do not fit into memory: {_first_line(error)}; {LESS_MEMORY}")
    if "trust_remote_code" in str(error):
        return s3harness.UsageError(
            f"{subject} bring code of their own, which is not run unless you say -o trust_remote_code=true"
        )
    if isinstance(error, ImportError):
        return s3harness.UsageError(f"{subject} cannot be loaded: {_first_line(error)}")
    # transformers raises OSError for whatever it cannot download.
    if not is_local and isinstance(error, OSError):
        return s3harness.S3HarnessError(
            f"{subject} are not on this machine and cannot be downloaded from the hub: {_first_line(error)}; "
            "download them where there is a network, and name their directory by --weights DIR"
        )
    return s3harness.S3HarnessError(f"{subject} cannot be loaded: {type(error).__name__}: {_first_line(error)}")


def generation_error(error: Exception) -> Exception:
    """Error to raise for one request that could not be answered."""
    if is_out_of_memory(error):
        return s3harness.OutOfMemory(f"one request does not fit into memory: {_first_line(error)}; {LESS_INPUT}")
    return error


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
