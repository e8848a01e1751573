"""Paths of the data that come with the package: task specs, protocols, model cards and published tables."""

from __future__ import annotations

from pathlib import Path


def specs_directory() -> Path:
    """Directory of the benchmark's own specs: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "task_specs"
    return inside if inside.is_dir() else package.parent / "task_specs"


def models_directory() -> Path:
    """Directory of the benchmark's own model cards."""
    return specs_directory() / "models"


def own_models() -> list[str]:
    """Names of the benchmark's own model cards, in alphabetical order."""
    return sorted(path.stem for path in models_directory().glob("*.yaml"))


def published_directory() -> Path:
    """Return the folder of the benchmark's published tables: in the package, or in a checkout beside it."""
    package = Path(__file__).resolve().parent
    inside = package / "published"
    return inside if inside.is_dir() else package.parent / "leaderboard" / "published"
