"""Progress of long work: a bar on a terminal, plain lines elsewhere; always on standard error."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
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

from s3harness.report.plain_text import harmless
from s3harness.run.executor import Progress

PLAIN_EVERY_S = 10.0
"""Seconds between two lines where standard error is not a terminal."""
SHOWN = 3
"""Number of different errors listed at the end, and of videos named with each."""

_COLUMNS = (
    BarColumn(),
    MofNCompleteColumn(),
    TaskProgressColumn(show_speed=True),
    TimeElapsedColumn(),
    TimeRemainingColumn(),
)


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Show a run's progress as it changes, and print errors and messages of plugins at the end."""
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
        # Also after an error or Ctrl-C, so that the user sees how much is done.
        if progress.done:
            click.echo(_line(progress, started), err=True)
        for cause in _causes(progress.causes):
            click.echo(cause, err=True)
        # Workers repeat a message; once is enough.
        for message in dict.fromkeys(progress.messages):
            click.echo(f"plugin: {harmless(message)}", err=True)


@contextmanager
def progress_bar(things: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress over some ``things`` on standard error; yield a function to call with (done, total)."""
    console = Console(stderr=True)
    if console.is_terminal:
        with Bar(TextColumn(things), *_COLUMNS, console=console, transient=True) as bar:
            task = bar.add_task(things, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    else:
        yield _CountedLines(things)


@contextmanager
def _bar(console: Console, progress: Progress) -> Iterator[None]:
    columns = TextColumn("{task.description}"), *_COLUMNS, TextColumn("{task.fields[failed]} failed")
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("sending requests", total=None, failed=0)

        def changed(now: Progress) -> None:
            phase = now.phase or "sending requests"
            bar.update(task, description=phase, completed=now.done, total=now.total, failed=now.failed)

        progress.changed = changed
        yield


@dataclass
class _PlainLines:
    """Prints a line at each phase, and every few seconds within one."""

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


@dataclass
class _CountedLines:
    """Prints a line every few seconds, and one for the last thing."""

    things: str
    started: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done == total or now - self.last >= PLAIN_EVERY_S:
            self.last = now
            click.echo(f"{done} of {total} {self.things}, {_pace(done, total, self.started)}", err=True)


def _causes(causes: Counter[tuple[str, str]]) -> Iterator[str]:
    """Yield the most frequent errors of failed requests, each with its number and its videos."""
    counts, videos = Counter[str](), defaultdict[str, list[str]](list)
    for (message, video), count in causes.items():
        # One error of many videos is one line: its videos are named beside it.
        error = message.removeprefix(f"video {video}: ")
        counts[error] += count
        videos[error].append(video)
    for error, count in counts.most_common(SHOWN):
        yield f"failed: {count} of {_some(sorted(videos[error]))}: {harmless(error)}"
    if len(counts) > SHOWN:
        yield f"failed: {counts.total() - sum(n for _, n in counts.most_common(SHOWN))} for other reasons"


def _some(videos: Sequence[str]) -> str:
    more = len(videos) - SHOWN
    return ", ".join(videos[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _line(progress: Progress, started: float) -> str:
    pace = _pace(progress.done, progress.total, started)
    return f"{progress.done} of {progress.total} requests, {progress.failed} failed, {pace}"


def _pace(done: int, total: int, started: float) -> str:
    """Return the rate per second, or per minute if slow, and the seconds that the remaining ones will take."""
    # 1e-9: the first thing may be done within the resolution of the clock.
    rate = done / max(time.monotonic() - started, 1e-9)
    left = (total - done) / rate if rate else 0.0
    pace = f"{rate:.1f}/s" if rate >= 1 or not rate else f"{60 * rate:.1f}/min"
    return f"{pace}, {left:.0f} s left" if left > 0 else pace
