"""Every command that the documentation shows is run, or, where it needs what is not here, read by the command line."""

from __future__ import annotations

import io
import re
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from doc_blocks import PAGES, PLUGIN_PAGES, ROOT, Command, check_names, commands, mentioned, read_command

from s3harness.cli import main
from s3harness.plugins.manager import manager

SHOWING = [page for page in PAGES if commands(page)]
RUNNING = [page for page in SHOWING if any(not command.needs for command in commands(page))]


def call(*words: str) -> tuple[int, str]:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out), pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(ended.value.code or 0), out.getvalue()


@pytest.fixture(scope="session")
def at_hand(tmp_path_factory) -> Path:
    """What pages take to be there: ``demo-data`` and ``demo-run``, smaller than the demo's, and ``recordings``."""
    folder = tmp_path_factory.mktemp("at-hand")
    data = str(folder / "demo-data")
    size = ["--videos", "10", "--seconds", "8", "--resolution", "96x54", "--fps", "4", "--seed", "3"]
    run = ["--backend", "kinematics", "--data", data, "--out", str(folder / "demo-run")]
    for words in (["data", "synth", "--out", data, *size], ["run", *run, "--cache", str(folder / "cache")]):
        code, said = call(*words)
        assert code == 0, said
    (folder / "recordings").mkdir()
    for video, name in (("v0001", "first"), ("v0002", "second")):
        shutil.copy(folder / "demo-data" / "videos" / f"{video}.mp4", folder / "recordings" / f"{name}.mp4")
    return folder


@pytest.fixture
def place(at_hand, tmp_path, monkeypatch) -> Path:
    """A directory with all that, to work in."""
    for name in ("demo-data", "demo-run", "recordings"):
        shutil.copytree(at_hand / name, tmp_path / name)
    monkeypatch.setenv("S3HARNESS_CACHE", str(tmp_path / "cache"))
    shutil.copytree(at_hand / "cache", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: Command, place: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """What becomes of a command: ours are called, ``cat`` puts there what it shows, and there is no other."""
    program, *words = command.words
    if program == "cat":
        (place / words[0]).write_text(command.shown, encoding="utf-8")
        return 0, ""
    assert program == "s3harness", f"{command.line}: say what the block needs, then it is not run"
    with monkeypatch.context() as patch:
        for name, value in command.variables.items():
            patch.setenv(name, value)
        manager.cache_clear()
        done = call(*words)
    manager.cache_clear()
    return done


def brought_by(plugin: Path) -> set[str]:
    """The commands that a plugin brings, which is not installed with the core."""
    sources = (path.read_text(encoding="utf-8") for path in plugin.glob("s3harness_*/__init__.py"))
    return {name for source in sources for name in re.findall(r'registry\.command\(\s*"([\w-]+)"', source)}


@pytest.mark.parametrize("page", RUNNING, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_work_one_after_the_other(page, place, monkeypatch):
    for command in commands(page):
        if not command.needs:
            code, said = run(command, place, monkeypatch)
            assert code == command.code, f"{page.name}: {command.line}\n{said}"


@pytest.mark.parametrize("page", SHOWING, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_that_need_more_are_ones_that_there_are(page):
    for command in commands(page):
        if command.needs and command.words[:1] == ["s3harness"]:
            read_command(command.words[1:])


@pytest.mark.parametrize("page", [*PAGES, *PLUGIN_PAGES], ids=lambda page: str(page.relative_to(ROOT)))
def test_what_is_mentioned_exists(page):
    for line in mentioned(page):
        words = Command(line, "", "", 0).words[1:]
        if words[0] not in brought_by(page.parent):
            check_names(words)


def test_a_command_that_is_not_is_found():
    with pytest.raises(AssertionError, match="no command"):
        check_names(["rum"])
    with pytest.raises(AssertionError, match="--colour"):
        check_names(["run", "--colour", "red"])


def test_the_tutorial_is_run_whole():
    """Nothing of it needs more than the core, but installing, and the engine that it ends with."""
    tutorial = commands(ROOT / "docs" / "tutorial.md")
    assert {command.needs for command in tutorial} == {"", "install", "vllm"}
    assert sum(not command.needs for command in tutorial) > 12


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 100
