"""The installed transformers and torch: versions and what is missing, without their import, which takes seconds."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import s3harness

INSTALL = "pip install torch torchvision 's3harness-transformers'"


def require_engine(model: s3harness.ModelCard, minimum: str) -> None:
    """Raise :class:`s3harness.UsageError` unless torch and a new enough transformers are installed."""
    for requirement in missing_requirements():
        raise s3harness.UsageError(f"the transformers backend needs {requirement}")
    installed = installed_version("transformers")
    if _version_numbers(installed) < _version_numbers(minimum):
        raise s3harness.UsageError(
            f"{model.name} needs transformers {minimum}, and {installed} is installed: {INSTALL}"
        )


def missing_requirements() -> list[str]:
    """Libraries that are not installed, with the command that installs them."""
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    return [f"{' and '.join(missing)}: {INSTALL}"] if missing else []


def installed_version(name: str) -> str:
    """The version of a distribution, empty where there is none."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _version_numbers(text: str) -> tuple[int, ...]:
    # A local part such as "+cu128" says how a version was built, and not how new it is.
    parts = text.partition("+")[0].split(".")
    return tuple(int(digits) for part in parts if (digits := "".join(c for c in part if c.isdigit())))[:3]
