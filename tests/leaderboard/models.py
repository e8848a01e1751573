"""Submissions as models make them: every answer has its tokens, and models that differ answer differently.

The answers are those of the kinematics baseline on the tiny data set. Another model is given, of a share of the
questions, the answer to the same question about another video.
"""

from __future__ import annotations

import json
import random
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from calling import call
from tampering import edit

from s3harness.leaderboard.pack import About, pack
from s3harness.scoring.score_run import score_run

Change = Callable[[dict[str, Any]], None]
SERVED = "a-server"
"""The name of a backend that is not installed here, as a submitter's may be."""


def submit_model(
    run: Path, out: Path, name: str, *, differs: float = 0.0, seed: int = 1, change: Change | None = None
) -> Path:
    """Pack the answers of a run as those of a served model; ``differs`` is the share of answers that are exchanged.

    ``change`` is made to every line of the journal before it is scored.
    """
    copy = Path(shutil.copytree(run, out.parent / f".run-{out.name}"))
    draw, lines = random.Random(seed), _lines(copy / "responses.jsonl")
    texts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for line in lines:
        texts[line["task"], line["subject"]].append(line["text"])
    for line in lines:
        line |= {"prompt_tokens": 100, "completion_tokens": 10}
        if draw.random() < differs:
            line["text"] = draw.choice(texts[line["task"], line["subject"]])
        if change:
            change(line)
    (copy / "responses.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    counts = {"prompt": 100 * len(lines), "completion": sum(line["completion_tokens"] or 0 for line in lines)}
    edit(copy / "manifest.json", lambda manifest: manifest.update(tokens=counts))
    edit(copy / "manifest.json", lambda manifest: manifest["run"].update(backend=SERVED))
    edit(copy / "manifest.json", lambda manifest: manifest["run"]["model"].update(name=name))
    score_run(copy, resamples=2000)
    pack(copy, out, About(submitter="A lab", with_truth=True))
    shutil.rmtree(copy)
    return out


def ask(backend: str, data: Path, out: Path, *more: object) -> Path:
    """Run a backend over a data set."""
    result = call("run", "--backend", backend, "--data", data, "--out", out, *more)
    assert result.exit_code == 0, result.output
    return out


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
