"""Task specs found by name or path, read and checked."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from s3harness.errors import SpecError, UsageError, suggest
from s3harness.specs.catalogue import catalogue
from s3harness.specs.document import Document, exceeds_limits, read_document, schema_problems, validate


def task_names() -> list[str]:
    """Full names of the benchmark's own tasks, in order: those that a run asks unless others are named."""
    return list(catalogue().own)


def known_tasks() -> list[str]:
    """Full names of all known tasks: the benchmark's own, then those of plugins."""
    return list(catalogue().documents)


def load_task(name: str) -> Document:
    """Load a task by full name, short name (``task4``, ``4``) or path to a YAML file, and check it."""
    # By its ending, so that a file called task4.yaml is never confused with the task of that name.
    if name.endswith((".yaml", ".yml")):
        return read_task(Path(name))
    return _checked(catalogue().documents[full_name(name)].path)


def read_task(path: Path) -> Document:
    """Read and check one spec; :class:`SpecError` names file, line, field and what would be right."""
    # Imported late: listing and naming tasks needs no checks.
    from s3harness.specs.checks import check_task

    document = read_document(path)
    validate(document, "task")
    check_task(document)
    return document


def problems_of(path: Path) -> list[SpecError]:
    """Return all problems of a spec, each with file, line, field and what would be right.

    Raises :class:`SpecError` for a file that cannot be read.
    """
    from s3harness.specs.checks import task_problems

    document = read_document(path)
    problems = schema_problems(document, "task")
    # Every entry is tried under each protocol, profile and subject, which is cheap only within the schema's limits.
    if exceeds_limits(document, "task"):
        return problems
    # A spec with schema errors may break the checks in any way; the schema errors are then all that is reported.
    try:
        problems += task_problems(document)
    except Exception:
        if not problems:
            raise
    # The schema and the checks may find the same mistake.
    return list({str(problem): problem for problem in problems}.values())


def full_name(name: str) -> str:
    """``4``, ``task4`` or ``task4_temporal_boundaries`` → ``s3/task4_temporal_boundaries``.

    A short name stands for the benchmark's own task if there is one.
    """
    wanted = f"task{name}" if name.isdigit() else name
    # Own tasks first: a plugin's task must not make a short name ambiguous.
    matches = [k for k in task_names() if _matches(wanted, k)] or [k for k in known_tasks() if _matches(wanted, k)]
    if len(matches) != 1:
        hint = f"; it could be {' or '.join(matches)}" if matches else suggest(name, known_tasks())
        problems = "".join(f"\n  {problem}" for problem in catalogue().problems)
        raise UsageError(f"there is no task named {name!r}{hint}{problems}")
    return matches[0]


@lru_cache
def _checked(path: Path) -> Document:
    return read_task(path)


def _matches(wanted: str, known: str) -> bool:
    short = known.rpartition("/")[2]
    # With the underscore, so that task1 does not stand for task10.
    return wanted in (known, short) or short.startswith(f"{wanted}_")
