"""What libraries report of their own accord is off before any of them, and any plugin, is imported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SAYING = """
import os, s3harness
print(os.environ.get("HF_HUB_DISABLE_TELEMETRY"), os.environ.get("VLLM_NO_USAGE_STATS"), os.environ.get("DO_NOT_TRACK"),
      os.environ.get("RAY_USAGE_STATS_ENABLED"))
"""


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    """One in which a plugin says what it is imported with, and in which somebody has switched telemetry on."""
    info = tmp_path / "saying-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: saying\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[s3harness]\nsaying = saying\n")
    (tmp_path / "saying.py").write_text(SAYING)
    kept = {k: v for k, v in os.environ.items() if k not in ("DO_NOT_TRACK", "VLLM_NO_USAGE_STATS")}
    return kept | {"PYTHONPATH": str(tmp_path), "HF_HUB_DISABLE_TELEMETRY": "0", "RAY_USAGE_STATS_ENABLED": "1"}


def run(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=600, check=True
    )


def test_it_is_off_when_plugins_are_imported(environment):
    done = run("from s3harness.plugins.manager import manager; manager()", environment)
    assert done.stderr.strip() == "1 1 1 0"


def test_the_hub_s_library_agrees(environment):
    """By its own constant, in the process that ran the command line."""
    code = (
        "from s3harness.plugins.manager import manager; manager(); from huggingface_hub import constants; "
        "print(constants.HF_HUB_DISABLE_TELEMETRY)"
    )
    assert run(code, environment).stdout.strip() == "True"


def test_workers_of_other_processes_switch_it_off_too(environment):
    """A worker is made from a recipe, without the plugin manager."""
    code = """
import os
from s3harness.backends.floors_and_oracle import FloorsBackend
from s3harness.media.options import MediaOptions
from s3harness.run.worker_spec import WorkerSpec
from s3harness.specs.models import ModelCard
WorkerSpec(
    name="floors",
    backend=FloorsBackend,
    model=ModelCard("floors"),
    options={},
    cache_dir=None,
    cache_bytes=None,
    media=MediaOptions(),
).worker()
print(os.environ["HF_HUB_DISABLE_TELEMETRY"], os.environ["RAY_USAGE_STATS_ENABLED"])
"""
    assert run(code, environment).stdout.strip() == "1 0"
