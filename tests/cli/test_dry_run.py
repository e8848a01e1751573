"""``run --dry-run`` counts what a run would ask, and touches neither an engine nor a video."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

WATCHED = """
import os, sys
opened = []
def hook(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".mp4"):
        opened.append(arguments[0])
sys.addaudithook(hook)
sys.argv = ["s3harness", *sys.argv[1:]]
from s3harness.backends.base import Backend
def refuse(*_):
    raise SystemExit("an engine was loaded")
if {refusing}:
    Backend.__aenter__ = refuse
from s3harness.cli import main
try:
    main()
except SystemExit as ended:
    print(len(opened), "av" in sys.modules, ended.code, file=sys.stderr)
"""


OBSERVER = """
import dataclasses, json, os
import s3harness

@s3harness.hookimpl
def s3harness_response(request, response):
    with open(os.environ["ASKED"], "a") as file:
        print(json.dumps(dataclasses.asdict(request)), file=file)
"""


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of the started processes, which keep their bytecode."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("bytecode"))}


@pytest.fixture
def observed(tmp_path: Path, variables: dict[str, str]) -> dict[str, str]:
    """The variables of a process in which a plugin writes down each request that was really asked."""
    (tmp_path / "observer.py").write_text(OBSERVER)
    info = tmp_path / "observer-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: observer\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[s3harness]\nobserver = observer\n")
    return {**variables, "PYTHONPATH": str(tmp_path), "ASKED": str(tmp_path / "asked.jsonl")}


def _run(variables: dict[str, str], data: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "s3harness", "run", "--backend", "floors", "--data", str(data), "--json"]
    result = subprocess.run([*command, *arguments], env=variables, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize(("tasks", "protocol"), [("1,2,3,4,5,6,7", "strict"), ("1,4,7", "paper")])
def test_the_counts_are_those_of_the_run(dataset, tmp_path, observed, tasks, protocol):
    asked = ("--tasks", tasks, "--protocol", protocol, "--limit", "2", "--out", str(tmp_path / "run"))
    planned = json.loads(_run(observed, dataset, *asked, "--dry-run"))
    assert not (tmp_path / "run").exists()
    _run(observed, dataset, *asked)
    requests = _lines(tmp_path / "asked.jsonl")
    clips = {json.dumps({**request["clip"], "index": 0}): request["clip"] for request in requests}
    assert planned["requests"] == len(requests) == len(_lines(tmp_path / "run" / "responses.jsonl")) > 0
    assert planned["clips"] == len(clips)
    assert planned["frames"] == sum(len(clip["timestamps"]) for clip in clips.values())
    assert planned["videos"] == len({clip["video_id"] for clip in clips.values()}) == 2
    assert planned["video_seconds"] == pytest.approx(72, abs=1)
    assert planned["items"] == Counter(item["task"] for item in _lines(tmp_path / "run" / "items.jsonl"))
    assert planned["prompt_tokens"] == sum(len(request["prompt"]) for request in requests) // 4
    assert planned["media_tokens"] > planned["media_tokens_cached"] > 0


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _watched(variables: dict[str, str], data: Path, out: Path, *arguments: str) -> tuple[int, bool, str]:
    script = WATCHED.format(refusing="--dry-run" in arguments)
    command = [sys.executable, "-c", script, "run", "--backend", "kinematics", "--data", str(data), "--out", str(out)]
    result = subprocess.run(
        [*command, "--tasks", "7", *arguments], env=variables, capture_output=True, text=True, timeout=600, check=False
    )
    opened, decoder, code = result.stderr.splitlines()[-1].split(" ", 2)
    return int(opened), decoder == "True", code


def test_no_engine_is_loaded_and_no_video_is_opened(variables, dataset, tmp_path):
    assert _watched(variables, dataset, tmp_path / "run", "--dry-run") == (0, False, "0")
    assert not (tmp_path / "run").exists()


def test_a_real_run_would_have_been_seen_to_open_its_videos(variables, dataset, tmp_path):
    opened, decoder, code = _watched(variables, dataset, tmp_path / "run", "--cache", str(tmp_path / "cache"))
    assert (opened, decoder, code) == (6, True, "0")
