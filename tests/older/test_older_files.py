"""Runs and submissions of an earlier state of the package are read, scored and resumed as before, byte for byte.

The archive holds a synthetic data set's tables (four cartoons), a run of the ``kinematics`` and one of the ``floors``
backend on it with their scores of both profiles, and a packed submission.
"""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from s3harness.cli import cli
from s3harness.leaderboard.verify import verify
from s3harness.rundir.journal import FILE as JOURNAL

ARCHIVE = Path(__file__).parent / "version_0_1.tar.xz"
VIDEOS = ("--videos", "4", "--seed", "11", "--resolution", "160x90", "--fps", "5", "--seconds", "40")
"""The settings by which the archive's data set was made; the same ones make the same videos."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(ARCHIVE) as files:
        files.extractall(folder, filter="data")
    return folder


def s3harness(*words: object) -> str:
    result = CliRunner().invoke(cli, list(map(str, words)))
    assert result.exit_code == 0, result.output
    return result.output


def contents(folder: Path, *names: str) -> dict[str, bytes]:
    files = [path for name in names for path in sorted(folder.glob(name)) if path.is_file()]
    assert files
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("profile", ["strict", "paper"])
@pytest.mark.parametrize("run", ["run", "floors"])
def test_scoring_an_older_run_again_gives_the_same_bytes(archive, tmp_path, run, profile):
    names = ("scores*.json", "predictions*/*")
    copy = shutil.copytree(archive / run, tmp_path / run)
    for path in [*copy.glob("scores*.json"), *copy.glob("predictions*/*")]:
        path.unlink()
    s3harness("score", copy)
    s3harness("score", copy, "--profile", profile)
    scored = contents(copy, *names)
    assert scored == {name: content for name, content in contents(archive / run, *names).items() if name in scored}
    assert ("scores-paper.json" in scored) == (profile == "paper")


def test_an_older_run_is_resumed_and_nothing_is_asked_again(archive, tmp_path):
    s3harness("data", "synth", "--out", tmp_path / "data", *VIDEOS)
    assert contents(tmp_path / "data", "*.csv", "*.json") == contents(archive / "data", "*.csv", "*.json")
    copy = shutil.copytree(archive / "floors", tmp_path / "floors")
    s3harness("run", "--backend", "floors", "--data", tmp_path / "data", "--out", copy, "--resume")
    names = (JOURNAL, "items.jsonl", "scores.json", "predictions/*", "sent.jsonl")
    assert contents(copy, *names) == contents(archive / "floors", *names)


def test_an_older_submission_is_verified(archive):
    verdict = verify(archive / "run-submission")
    assert verdict.findings == (), verdict
    assert verdict.n_scores > 0
