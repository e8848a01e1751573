"""``s3harness plugins new``: what it writes installs, passes its check, and runs, as it is written; of every kind."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from s3harness.plugins.registry import KINDS
from s3harness.scaffold.new import TEMPLATES, write_plugin
from s3harness.testing.golden import golden

NAME = "own.p2"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, Path]:
    """A plugin of each kind."""
    folder = tmp_path_factory.mktemp("new")
    return {kind: write_plugin(f"{NAME}-{kind.replace('_', '-')}", kind, folder) for kind in KINDS}


@pytest.fixture
def installed(site, written):
    """All of them, installed: the package beside its metadata, as pip leaves them."""
    for folder in written.values():
        _install(site, folder)
    return site


def _install(site, folder: Path) -> None:
    about = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    module = about["name"].replace("-", "_").replace(".", "_")
    info = site.folder / f"{module}-{about['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n")
    points = about["entry-points"]["s3harness"]
    (info / "entry_points.txt").write_text("[s3harness]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()))
    for target in points.values():
        shutil.copytree(folder / target, site.folder / target)


def test_there_is_a_template_of_every_kind():
    assert set(TEMPLATES) == set(KINDS)


def test_each_is_a_small_package_that_names_itself(written):
    for kind, folder in written.items():
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert {path.name for path in files} >= {"pyproject.toml", "README.md", "__init__.py", f"{kind}.py"}
        assert len([path for path in files if path.name.startswith("test_")]) == 1
        text = "".join(path.read_text() for path in files)
        assert "newcomer" not in text.lower(), kind
        assert "{{ kind }}" not in text
        assert sum(path.read_text().count("\n") for path in files) < 180


def test_they_are_clean(written):
    folders = list(map(str, written.values()))
    for command in (
        ["check", "--ignore", "D103,S101", "--config", str(ROOT / "pyproject.toml")],
        ["format", "--check"],
    ):
        ended = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *folders], capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout


def test_all_are_registered_under_the_name_that_was_asked_for(installed):
    listed = {(row["kind"], row["name"]): row for row in installed.listed("plugins", "list")}
    for kind in KINDS:
        name = f"{NAME}-{kind.replace('_', '-')}"
        assert listed[kind, name]["state"] == "registered"
        assert listed[kind, name]["package"] == f"s3harness-{name.replace('.', '-')}"
        assert listed[kind, name]["version"] == "0.1.0"


@pytest.mark.parametrize("kind", KINDS)
def test_each_keeps_its_promises_as_it_is_written(installed, kind):
    found = installed.verdict(kind, f"{NAME}-{kind.replace('_', '-')}", 60)
    assert found.findings == ()


def test_their_own_tests_pass(installed, written):
    """In a process of their own, as their author would run them."""
    tests = [str(written[kind] / "tests") for kind in ("dataset", "trainer", "parser", "rqi_penalty", "model")]
    environment = {**os.environ, **installed.variables, "PYTHONPATH": str(installed.folder)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", *tests]
    ended = subprocess.run(
        command, env=environment, cwd=written["parser"], capture_output=True, text=True, timeout=600, check=False
    )
    assert ended.returncode == 0, ended.stdout
    assert "passed" in ended.stdout
    assert "skipped" not in ended.stdout


def test_a_new_backend_runs_and_a_new_executor_has_it_run(installed, tmp_path):
    """The answers are those of the local executor, all of them can be read, and the scores are there."""
    command = ["run", "--backend", f"{NAME}-backend", "--data", str(golden().data)]
    scores = []
    for name, more in (("local", []), ("own", ["--executor", f"{NAME}-executor"])):
        ended = installed.run(*command, "--out", str(tmp_path / name), *more)
        assert ended.returncode == 0, ended.stderr
        scores.append(json.loads((tmp_path / name / "scores.json").read_text())["scores"])
    assert scores[0] == scores[1]
    assert {score["coverage"] for score in scores[0]} == {1.0}
    counted = installed.run(f"{NAME}-command", str(tmp_path / "local"), "--json")
    assert set(json.loads(counted.stdout)) == {"ok"}


def test_the_backend_that_the_guide_writes_by_hand_keeps_its_promises(site):
    text = (ROOT / "docs" / "how-to" / "plugin.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    site.install("my-plugin", f"{shown}\n\ndef my_model(prompt, *clip):\n    return 'yes'\n")
    assert site.verdict("backend", "echo", 60).findings == ()


def test_a_new_importer_makes_a_data_set_that_is_right(installed, tmp_path):
    (tmp_path / "mine.csv").write_text("patient,diagnosis,duration_s,report\nAda Lovelace,ES,61.5,The head turns.\n")
    ended = installed.run(
        "data", "import", f"{NAME}-dataset", str(tmp_path / "mine.csv"), "--out", str(tmp_path / "data")
    )
    assert ended.returncode == 0, ended.stderr
    assert installed.run("data", "validate", str(tmp_path / "data")).returncode == 0
    assert "Lovelace" not in (tmp_path / "data" / "videos.csv").read_text()
    assert f"{NAME}-dataset" in installed.run("data", "import", "--help").stdout


def test_a_new_penalty_changes_a_score_where_it_is_named_and_is_named_with_it(installed, tmp_path):
    (tmp_path / "expert.txt").write_text("The head turns to the left.")
    (tmp_path / "report.txt").write_text("The head turns to the left. As an AI I cannot say more.")
    command = [
        "rqi",
        "score",
        "--report",
        str(tmp_path / "report.txt"),
        "--expert",
        str(tmp_path / "expert.txt"),
        "--json",
    ]
    plain = json.loads(installed.run(*command).stdout)
    named = json.loads(installed.run(*command, "--preset", f"strict+{NAME}-rqi-penalty").stdout)
    assert named["rqi"] == pytest.approx(0.9**2 * plain["rqi"])
    assert (plain["preset"], named["preset"]) == ("strict-2", f"strict-2+{NAME}-rqi-penalty")


def test_new_tasks_and_models_are_shown(installed):
    shown = installed.run(
        "tasks", "show", f"{NAME.replace('-', '_').replace('.', '_')}_task_specs/task1_sides", "--prompt"
    )
    assert "{{ subject }}" in shown.stdout
    assert json.loads(installed.run("models", "show", f"{NAME}-model", "--json").stdout)["name"] == f"{NAME}-model"


@pytest.mark.parametrize(
    "name", ["", "s3harness-", "Two", "two words", "../up", "7b", "a--b", "x" * 41, "class", "a/b"]
)
def test_what_cannot_be_a_name_is_a_wrong_call(site, tmp_path, name):
    ended = site.run("plugins", "new", name, "--kind", "parser", "--out", str(tmp_path / "new"))
    assert ended.returncode == 2
    assert not (tmp_path / "new").exists()


def test_a_name_that_is_taken_and_a_folder_that_is_there_are_wrong_calls(site, tmp_path):
    taken = site.run("plugins", "new", "floors", "--kind", "backend", "--out", str(tmp_path))
    assert taken.returncode == 2
    assert "in package 's3harness'" in taken.stderr
    for code in (0, 2):
        ended = site.run("plugins", "new", "s3harness-mine", "--kind", "metric", "--out", str(tmp_path))
        assert ended.returncode == code
    assert [path.name for path in tmp_path.glob("s3harness-*")] == ["s3harness-mine"]
