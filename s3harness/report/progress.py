"""Progress of long work: a bar on a terminal, plain lines elsewhere; always on standard error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from s3harness.report.plain import harmless
from s3harness.run.execute import Progress

PLAIN_EVERY_S = 10.0


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """A run's progress, shown as it changes; messages of plugins are printed at the end."""
    console = Console(stderr=True)
    progress = Progress()
    started = time.monotonic()
    try:
        if console.is_terminal:
            with _bar(console, progress):
                yield progress
        else:
            progress.changed = _PlainLines(started)
            yield progress
    finally:
        if progress.done:
            click.echo(_line(progress, started), err=True)
        for message in dict.fromkeys(progress.messages):
            click.echo(f"plugin: {harmless(message)}", err=True)


@contextmanager
def _bar(console: Console, progress: Progress) -> Iterator[None]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(show_speed=True),
        TextColumn("{task.fields[failed]} failed"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("asking", total=None, failed=0)

        def changed(now: Progress) -> None:
            doing = now.phase or "asking"
            bar.update(task, description=doing, completed=now.done, total=now.total, failed=now.failed)

        progress.changed = changed
        yield


@dataclass
class _PlainLines:
    started: float
    last: float = field(default_factory=time.monotonic)
    phase: str = ""

    def __call__(self, progress: Progress) -> None:
        if progress.phase and progress.phase != self.phase:
            click.echo(f"{progress.phase} ({time.monotonic() - self.started:.0f} s)", err=True)
        self.phase = progress.phase
        if progress.done and time.monotonic() - self.last >= PLAIN_EVERY_S:
            self.last = time.monotonic()
            click.echo(_line(progress, self.started), err=True)


def _line(progress: Progress, started: float) -> str:
    seconds = max(time.monotonic() - started, 1e-9)
    rate = progress.done / seconds
    left = (progress.total - progress.done) / rate if rate else 0.0
    remaining = f", {left:.0f} s left" if left > 0 else ""
    return f"{progress.done} of {progress.total} requests, {progress.failed} failed, {rate:.1f}/s{remaining}"
