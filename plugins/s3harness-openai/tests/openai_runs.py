"""Runs of the command line on a small data set, in this process, and what came of them."""

from __future__ import annotations

import io
import json
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from s3harness.cli import main

CARD = """
schema: s3harness/model/v1
name: some-model
title: Some model
weights: null
family: some
modalities: [video]
"""


@dataclass(frozen=True)
class Run:
    """What came of ``s3harness run``."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def lines(self) -> list[dict[str, Any]]:
        path = self.folder / "responses.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def last(self) -> dict[str, dict[str, Any]]:
        """Request → the line that counts."""
        return {line["id"]: line for line in self.lines}

    def statuses(self) -> dict[str, int]:
        return dict(Counter(line["status"] for line in self.last.values()))

    def manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "manifest.json").read_text())

    def score(self) -> dict[str, Any]:
        """The primary score."""
        rows = json.loads((self.folder / "scores.json").read_text())["scores"]
        return next(row for row in rows if row["primary"])

    def everything(self) -> str:
        """All that is printed and written."""
        files = (path.read_text("utf-8", "replace") for path in self.folder.rglob("*") if path.is_file())
        return "\n".join([self.out, self.err, *files])


def command(*words: object) -> tuple[int, str, str]:
    """The ``s3harness`` command, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(ended.value.code or 0), out.getvalue(), err.getvalue()


class Runner:
    """``s3harness run --backend openai`` on the small data set; keywords are options of the backend."""

    def __init__(self, data: Path, cache: Path, folder: Path) -> None:
        self._data, self._cache, self._folder = data, cache, folder
        self.card = folder / "card.yaml"
        self.card.write_text(CARD)

    def __call__(
        self, url: str, *words: object, tasks: str = "1", out: str = "run", checked: bool = False, **options: object
    ) -> Run:
        options = {**({"base_url": url} if url else {}), **options}
        given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        folder = self._folder / out
        where = ["--data", self._data, "--cache", self._cache, "--out", folder, "--model", self.card, "--tasks", tasks]
        # Servers without a model give the same answers whatever they are sent; the run with ``checked`` minds.
        blind = [] if checked else ["--allow-blind", "a server without a model"]
        return Run(*command("run", "--backend", "openai", *where, *blind, *given, *words), folder)
