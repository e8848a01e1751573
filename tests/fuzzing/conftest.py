"""Targets of the fuzzer in processes with its limits, on inputs of a test's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from fuzz.child import REASON, Child, in_a_child
from fuzz.inputs import Input, corpus_of
from fuzz.targets import Target, targets, warm_up

Tried = tuple[int, str]
"""Exit status of the process, and why it gave up."""


@pytest.fixture
def attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Target, Mapping[str, bytes]], Tried]:
    """Run a target on files within the fuzzer's limits."""
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")

    def attempt(target: Target, files: Mapping[str, bytes]) -> Tried:
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        status = in_a_child(lambda: Child(target, scratch).try_one(Input("x", files)))
        reason = scratch / REASON
        return status, reason.read_text() if reason.exists() else ""

    return attempt


@pytest.fixture(scope="session")
def right() -> Callable[[str], tuple[Target, dict[str, bytes]]]:
    """Return a target and a right input of it; all that it imports is there."""

    def right(name: str) -> tuple[Target, dict[str, bytes]]:
        target, one = targets()[name], next(corpus_of(name))
        warm_up(target, one.put)
        return target, dict(one.files)

    return right
