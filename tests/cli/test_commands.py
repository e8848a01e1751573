"""The command line: exit codes, JSON, help, and answers to what is misspelled."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from s3harness.cli import cli, main
from s3harness.plugins.builtins import COMMANDS


def _call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def run(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run in which nothing failed."""
    out = tmp_path_factory.mktemp("runs") / "run"
    assert _call("run", "--backend", "floors", "--data", str(dataset), "--out", str(out), "--tasks", "3,7") == 0
    shutil.copytree(out, f"{out}-again")
    return out


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None, name
            yield (*path, name)
            if isinstance(command, click.Group):
                yield from _commands(command, (*path, name))


ALL = list(_commands(cli))


@pytest.mark.parametrize("path", ALL, ids=map(" ".join, ALL))
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_a_help(path, flag, capsys):
    assert _call(*path, flag) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: s3harness {' '.join(path)}")
    assert len(shown.split("\n\n")[1].split()) > 1


def test_the_help_tells_of_every_command(capsys):
    assert _call("--help") == 0
    shown = capsys.readouterr().out
    listed = shown.partition("Commands:")[2].split()
    assert [name for name in COMMANDS if name not in listed] == []
    assert "not a medical device" in " ".join(shown.split())


def test_the_line_that_the_help_has_of_a_command_names_its_subcommands():
    with click.Context(cli) as context:
        for name, (_, summary) in COMMANDS.items():
            command = cli.get_command(context, name)
            if isinstance(command, click.Group) and ":" in summary:
                own = click.Group.list_commands(command, context)  # less those that plugins add
                assert [sub for sub in own if sub not in summary] == [], name


def test_the_version(capsys):
    assert _call("--version") == 0
    assert capsys.readouterr().out.startswith("s3harness, version ")


# what is called, with {data}, {run} and {new} in place of directories; the exit code, and what must be said
CALLS = [
    ("tasks list", 0, "s3/task4_temporal_boundaries"),
    ("tasks show 4", 0, "onset_window"),
    ("tasks show task4 --protocol paper --model internvl3.5-8b", 0, "frames: 60"),
    ("tasks show s3/task2_rationales --prompt", 0, "scores the answers of s3/task1_features"),
    ("tasks show 1 --prompt", 0, "verbal_responsiveness"),
    ("models list", 0, "not released"),
    ("models show lingshu-32b", 0, "lingshu-medical-mllm/Lingshu-32B"),
    ("plugins list", 0, "registered"),
    ("plugins list --kind plugin", 0, ""),
    ("data info {data}", 0, "patients"),
    ("data validate {data}", 0, "6 videos, 0 problems"),
    ("score {run}", 0, "not a medical device"),
    ("cache info", 0, "MB"),
    ("run --backend floors --data {data} --dry-run", 0, "requests"),
    ("run --backend floors --data {data} --out {run} --tasks 3,7 --resume", 0, "run directory"),
    ("run --backend recorded -o path={run}/empty.csv --data {data} --out {new} --tasks 7", 1, "requests failed"),
    ("submit pack {run} --data {data} --out {new} --without-truth", 0, "leaderboard verify {new} --data {data}\n"),
    ("submit pack {run} --out {new} --without-truth", 0, "leaderboard verify {new} --data DIR\n"),
    ("submit pack {run} --out {new} --with-truth", 0, "leaderboard verify {new}\n"),
    ("data validate {broken}", 1, "unknown feature"),
    ("", 2, "Usage"),
    ("taks list", 2, "did you mean tasks"),
    ("tasks lst", 2, "list"),
    ("tasks show", 2, "NAME"),
    ("tasks show task9", 2, "known: s3/task1_features"),
    ("tasks show task4_temporal_boundary", 2, "did you mean"),
    ("tasks show 4 --protocol papr", 2, "did you mean paper?"),
    ("tasks show 4 --model qwen2.5-vl-8b", 2, "did you mean qwen2.5-vl-7b"),
    ("tasks validate {new}", 2, "cannot be read"),
    ("models show lingshu", 2, "did you mean lingshu-32b?"),
    ("models show ../models/lingshu-32b", 2, "there is no model"),
    ("plugins list --kind bakend", 2, "backend"),
    ("data info {new}", 2, "no dataset.json"),
    ("data validate {new}", 2, "no dataset.json"),
    ("data info {broken}", 2, "did you mean tonic"),
    ("data split {data} --test 2", 2, "--test"),
    ("data split {data} --folds 40", 2, "3 patients cannot be split into 40 parts"),
    ("data synth --out {new} --resolution big", 2, "WIDTHxHEIGHT"),
    ("run --data {data}", 2, "--backend"),
    ("run --backend floor --data {data}", 2, "did you mean floors?"),
    ("run --backend floors --data {data} --tasks 1,9", 2, "no task named '9'"),
    ("run --backend floors --data {data} --model gpt", 2, "no model named 'gpt'"),
    ("run --backend floors --data {data} --protocol strikt", 2, "did you mean strict?"),
    ("run --backend floors --data {data} --profile papr", 2, "did you mean paper?"),
    ("run --backend floors --data {data} --split tset", 2, "did you mean test?"),
    ("run --backend floors --data {data} --limit 0", 2, "--limit"),
    ("run --backend floors --data {data} -o nonsense --out {new}", 2, "key=value"),
    ("run --backend floors --data {new}", 2, "no dataset.json"),
    ("run --backend floors --data {data} --out {run} --tasks 3,7", 2, "--resume"),
    ("score {new}", 2, "not a run directory"),
    ("score {run} --profile papr", 2, "did you mean paper?"),
    ("compare {run}", 2, "two runs"),
    ("compare {run} {run}", 2, "with itself"),
]


@pytest.fixture
def places(dataset: Path, run: Path, tmp_path: Path) -> dict[str, Path]:
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in ("dataset.json", "videos.csv", "features.csv"):
        (broken / name).write_bytes((dataset / name).read_bytes())
    (broken / "videos").symlink_to(dataset / "videos")
    with (broken / "features.csv").open() as file:
        width = len(next(csv.reader(file)))
    with (broken / "features.csv").open("a") as file:
        file.write(",".join(["v0001", "tonc", "yes", *[""] * (width - 3)]) + "\n")
    (run / "empty.csv").write_text("item,text\n")
    return {"data": dataset, "run": run, "new": tmp_path / "new", "broken": broken}


@pytest.mark.parametrize(("call", "code", "said"), CALLS, ids=[call or "nothing" for call, *_ in CALLS])
def test_the_exit_code_tells_done_from_failed_from_called_wrongly(
    call, code, said, places, capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    assert _call(*call.format(**places).split()) == code
    shown = capsys.readouterr()
    assert said.format(**places) in shown.out + shown.err
    assert "Traceback" not in shown.err
    if code == 2:
        assert shown.out == ""
    assert not (tmp_path / "runs").exists()


PRINTING = [
    "tasks list",
    "tasks show 1",
    "models list",
    "models show qwen2.5-omni-7b",
    "plugins list",
    "plugins list --kind metric",
    "data info {data}",
    "data validate {data}",
    "data validate {broken} --no-media",
    "score {run}",
    "cache info",
    "compare {run} {run}-again",
    "run --backend floors --data {data} --dry-run",
    "run --backend floors --data {data} --out {run} --tasks 3,7 --resume",
]


@pytest.mark.parametrize("call", PRINTING)
def test_what_is_printed_as_json_is_json_and_nothing_else(call, places, capsys):
    _call(*call.format(**places).split(), "--json")
    told = json.loads(capsys.readouterr().out)
    assert told


WRITING = (
    *("data preview", "data synth", "leaderboard build", "plugins new", "report"),
    *("submit export", "submit push", "train export", "train report", "view", "read"),
)
"""What they make is files, not a result to print."""


def test_every_command_that_prints_a_result_can_print_json():
    with_json = set()
    for path in ALL:
        command: click.Command = cli
        for name in path:
            assert isinstance(command, click.Group)
            with click.Context(command) as context:
                found = command.get_command(context, name)
            assert found is not None
            command = found
        if any("--json" in parameter.opts for parameter in command.params):
            with_json.add(" ".join(path))
    assert {" ".join(word for word in call.split() if not word.startswith("{")) for call in PRINTING[:1]} <= with_json
    silent = {"demo", "tasks validate", "cache purge"} | {
        name for name in map(" ".join, ALL) if name.startswith("data import")
    }
    groups = {" ".join(path) for path in ALL if any(other[:-1] == path for other in ALL)}
    assert {" ".join(path) for path in ALL} - with_json - silent - groups <= {*WRITING}


def _process(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "s3harness", *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        **options,
    )


def test_the_module_can_be_run():
    result = _process("tasks", "list", "--json")
    assert result.returncode == 0
    assert len(json.loads(result.stdout)) >= 7


@pytest.mark.parametrize("call", ["plugins list", "--help", "tasks show 1", "models list --json"])
def test_a_reader_that_goes_away_is_no_error_worth_a_traceback(call):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        command = [sys.executable, "-m", "s3harness", *call.split()]
        result = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True, timeout=600, check=False)
    assert result.returncode == 1
    assert result.stderr == ""


def test_a_table_that_goes_to_a_file_has_a_line_for_each_row(capsys):
    assert _call("models", "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 13
    assert all("vllm" in line for line in lines[2:])


def test_a_table_on_a_terminal_is_folded_to_its_width():
    import pty

    terminal, behind = pty.openpty()
    command = [sys.executable, "-m", "s3harness", "tasks", "list"]
    subprocess.run(command, stdout=behind, check=True, env={**os.environ, "COLUMNS": "70"}, timeout=600)
    os.close(behind)
    with os.fdopen(terminal, "rb", buffering=0) as shown:
        lines = _until_closed(shown).splitlines()
    assert len(lines) > 9
    assert max(map(len, lines)) <= 70


def _until_closed(file: object) -> str:
    parts = []
    try:
        while part := file.read(4096):
            parts.append(part)
    except OSError:
        pass
    return b"".join(parts).decode()


def test_nothing_that_steers_a_terminal_is_printed(dataset, tmp_path, capsys):
    for name in ("videos.csv", "features.csv"):
        (tmp_path / name).write_bytes((dataset / name).read_bytes())
    about = {"schema": "s3harness/dataset/v1", "name": "\x1b[2Jred\u202e", "version": "1", "licence": ""}
    (tmp_path / "dataset.json").write_text(json.dumps(about))
    assert _call("data", "info", str(tmp_path)) == 0
    shown = capsys.readouterr().out
    assert "red" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
