"""Runs the command line in processes of its own, which can be stopped and killed, and reads what they leave behind.

The processes are forked from a server that has imported everything heavy once, so that one starts in milliseconds.
"""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import os
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from s3harness.cli import main

PATIENCE_S = 600.0
"""Long enough for a busy machine: a run that ends takes a few seconds of CPU, one that hangs never ends."""
HEAVY = [
    "s3harness.cli.run",
    "s3harness.evaluation",
    "s3harness.run.executor",
    "s3harness.run.plan",
    "s3harness.scoring.score_run",
    "s3harness.backends.floors_and_oracle",
    "s3harness.media.decode",
    "s3harness.report.progress",
    "s3harness.report.table",
    "s3harness.metrics.rqi",
    "s3harness.metrics.text",
    "s3harness.metrics.order",
    "s3harness.metrics.laterality",
    "s3harness.metrics.boundaries",
    "s3harness.metrics.diagnosis",
    "s3harness.metrics.features",
    "jinja2.sandbox",
    "jsonschema",
    "yaml",
    "rouge_score.tokenizers",
    "sacrebleu.metrics.bleu",
    "scipy.stats",
]

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(HEAVY)


SLOW = """
    import asyncio

    import s3harness
    from s3harness.backends.floors_and_oracle import OracleBackend


    class SlowBackend(OracleBackend):
        limits = s3harness.backends.base.Limits(in_flight=2)

        def __init__(self, model, options, media):
            super().__init__(model, {}, media)
            self.pause_s = float(options["pause_s"])

        async def generate(self, request):
            await asyncio.sleep(self.pause_s)
            return await super().generate(request)


    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.backend("slow", "slow:SlowBackend")
"""
"""A plugin with an oracle that takes its time."""


@dataclass(frozen=True)
class Finished:
    """What came of a process: its exit code (negative: the signal that ended it) and what it printed."""

    code: int
    out: str
    err: str

    def json(self):
        return json.loads(self.out)


@dataclass(frozen=True)
class Place:
    """Where a process runs: its working directory, where its plugins are, and what its environment has besides."""

    directory: str
    plugins: str
    variables: dict[str, str]


class Started:
    """A process under way."""

    def __init__(self, process: ForkServerProcess, printed: Path) -> None:
        self.process, self._printed = process, printed
        for end in (".out", ".err"):
            printed.with_suffix(end).touch()  # it may be killed before it opens them

    def wait(self) -> Finished:
        self.process.join(PATIENCE_S)
        if self.process.exitcode is None:
            self.process.kill()
            raise AssertionError(f"still running after {PATIENCE_S:g} s")
        texts = (self._printed.with_suffix(end).read_text() for end in (".out", ".err"))
        return Finished(self.process.exitcode, *texts)

    def wait_until(self, is_time: Callable[[], bool]) -> None:
        """Wait until it is time; fails if the process ends before."""
        while not is_time():
            assert self.process.is_alive(), f"ended before its time: {self.wait()}"
            time.sleep(0.001)

    def kill_when(self, is_time: Callable[[], bool]) -> Finished:
        """SIGKILL as soon as it is time, unless it ends before."""
        while self.process.is_alive() and not is_time():
            time.sleep(0.001)
        self.process.kill()
        return self.wait()

    def signal(self, number: int) -> Finished:
        os.kill(self.process.pid, number)
        return self.wait()


@dataclass(frozen=True)
class Here:
    """The ``s3harness`` command in this process."""

    folder: Path

    def __call__(self, *arguments: object) -> Finished:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return Finished(int(ended.value.code or 0), out.getvalue(), err.getvalue())


@dataclass
class Harness:
    """The ``s3harness`` command: printed output goes to ``folder``, plugins come from there too."""

    folder: Path
    count: int = 0
    variables: dict[str, str] = field(default_factory=dict)

    def set(self, **variables: object) -> None:
        """Set variables of the environment of the processes to come."""
        self.variables |= {name: str(value) for name, value in variables.items()}

    def start(self, *arguments: object, first: Callable[[], None] | None = None) -> Started:
        """Start the command; ``first``, a function of a module, is called in the new process before."""
        self.count += 1
        printed = self.folder / f"printed-{self.count}"
        words = [str(argument) for argument in arguments]
        place = Place(str(Path.cwd()), str(self.folder / "plugins"), self.variables)
        process = _SERVER.Process(target=_command, args=(words, printed, place, first))
        process.start()
        return Started(process, printed)

    def __call__(self, *arguments: object, first: Callable[[], None] | None = None) -> Finished:
        """Run the command to its end."""
        return self.start(*arguments, first=first).wait()

    def plugin(self, name: str, source: str) -> None:
        """Install a plugin: one module, and the metadata that says that it is one."""
        info = self.folder / "plugins" / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[s3harness]\n{name} = {name}\n")
        (info.parent / f"{name}.py").write_text(textwrap.dedent(source))


def run_words(data: Path, out: Path, cache: Path, *more: object, backend: str = "floors") -> list[object]:
    """The words of ``s3harness run`` on a data set."""
    return ["run", "--backend", backend, "--data", data, "--out", out, "--cache", cache, *more]


def journal(out: Path) -> list[dict[str, object]]:
    """The lines of a run's journal."""
    return [json.loads(line) for line in (out / "responses.jsonl").read_text(encoding="utf-8").splitlines()]


def whole_lines(out: Path) -> list[dict[str, object]]:
    """The lines of a journal that may be torn or not be there yet."""
    path = out / "responses.jsonl"
    data = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]


def answers(out: Path) -> dict[str, dict[str, object]]:
    """Request → its one line of the journal, without how long it took; fails if a request has several."""
    lines = journal(out)
    found = {line["id"]: {k: v for k, v in line.items() if k != "latency_s"} for line in lines}
    assert len(found) == len(lines), "a request is answered more than once"
    return found


def scores(out: Path) -> dict[tuple[str, str], dict[str, object]]:
    """(task, metric) → its row of scores.json."""
    rows = json.loads((out / "scores.json").read_text(encoding="utf-8"))["scores"]
    return {(row["task"].split("/")[1].split("_")[0], row["metric"]): row for row in rows}


def primary(out: Path) -> dict[str, dict[str, object]]:
    """Task → the row of its primary metric."""
    return {task: row for (task, _), row in scores(out).items() if row["primary"]}


def assert_same_run(out: Path, undisturbed: Path) -> None:
    """The same files and bytes, but for times, the order of answers, the salt of fingerprints and the audit log.

    Times are those of the manifest too: how long the last session took, and since when an identity answers.
    """
    assert _files(out) == _files(undisturbed)
    for name in sorted(_files(out) - {"responses.jsonl", "manifest.json", "private.json", "audit.jsonl"}):
        assert (out / name).read_bytes() == (undisturbed / name).read_bytes(), name
    assert answers(out) == answers(undisturbed)
    assert _manifest(out) == _manifest(undisturbed)


@contextmanager
def changed_table(data: Path, name: str) -> Iterator[list[dict[str, str]]]:
    """The rows of a table, written back with what was changed."""
    with (data / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    yield rows
    with (data / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _files(out: Path) -> set[str]:
    return {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}


def _manifest(out: Path) -> dict[str, object]:
    data = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    timeless = {key: value for key, value in data.items() if key not in ("seconds", "session", "environment")}
    identities = [{k: v for k, v in entry.items() if k != "since"} for entry in data["identities"]]
    return timeless | {"identities": identities}


def _command(words: Sequence[str], printed: Path, place: Place, first: Callable[[], None] | None) -> None:
    for number, end in ((1, ".out"), (2, ".err")):
        os.dup2(os.open(printed.with_suffix(end), os.O_WRONLY | os.O_CREAT, 0o600), number)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background ignores it
    os.chdir(place.directory)
    os.environ.update(place.variables)
    sys.path.insert(0, place.plugins)
    if first is not None:
        first()
    main(list(words))
