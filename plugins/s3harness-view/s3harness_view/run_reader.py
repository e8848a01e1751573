"""One run directory as the reading room shows it, read again only when its journal has grown."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import s3harness
from s3harness_view.journal_tail import JournalTail

JOURNAL, ITEMS, SCORES = "responses.jsonl", "items.jsonl", "scores.json"
LEAST_PAUSE_S = 2.0
COST_FACTOR = 20
"""A growing run is scored again after this many times the seconds that the last scoring took: a load of 5 % at most."""


@dataclass(frozen=True, kw_only=True)
class RunContent:
    """All that a run holds: items with predictions and outcomes by task, journal entries by request, what was sent."""

    manifest: Mapping[str, Any]
    tasks: Mapping[str, s3harness.ScoredTask]
    outcomes: Mapping[str, Sequence[s3harness.ItemOutcome]]
    scores: Mapping[str, s3harness.ItemScore | None]
    entries: Mapping[str, s3harness.JournalEntry]
    answers: Mapping[str, s3harness.Answer]
    sent: Mapping[str, Mapping[str, Any]]
    running: Sequence[s3harness.RunningScore]
    places: Mapping[str, tuple[str, int]] = field(repr=False)
    """Item → its task, and its number there."""


class RunReader:
    """Reads one run directory; may be called from several threads."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._tail = JournalTail(directory / JOURNAL)
        self._lock, self._reading = threading.Lock(), threading.Lock()
        self._content: RunContent | None = None
        self._reader: threading.Thread | None = None
        self._stamp: tuple[int, ...] = ()
        self._n_requests: tuple[tuple[int, ...], int] = ((), 0)
        self._read_at = self._read_s = 0.0

    @property
    def stamp(self) -> tuple[int, ...]:
        """Sizes and times of the files that what is shown depends on."""
        return tuple(
            number for name in (JOURNAL, ITEMS, SCORES, "manifest.json") for number in _stamp(self.directory / name)
        )

    def summary(self) -> dict[str, Any]:
        """Return the row of the run in a table of runs; raises :class:`UsageError` if the directory is no run."""
        manifest = s3harness.read_manifest(self.directory)
        with self._lock:
            self._tail.look()
            requests = self._count_requests()
            answered, failed, rate = self._tail.answered, self._tail.failed, self._tail.per_minute
        run = manifest["run"]
        return {
            "model": run["model"]["name"],
            "backend": run["backend"],
            "protocol": run["protocol"],
            "dataset": run["dataset"].get("name", ""),
            "transforms": [transform["name"] for transform in run.get("transforms", ())],
            "probe": run.get("probe", ""),
            "sees_truth": run["sees_truth"],
            "status": manifest.get("status", ""),
            "requests": requests,
            "answered": answered,
            "failed": failed,
            "per_minute": rate if manifest.get("status") == "running" else None,
            "seconds": manifest.get("seconds"),
            "scores": self._scores(),
        }

    def content(self) -> RunContent:
        """Return all that the run holds; raises :class:`S3HarnessError` if it cannot be read."""
        # One thread reads, and the others wait for its result.
        with self._reading:
            now, stamp = time.monotonic(), self.stamp
            is_due = now - self._read_at >= max(LEAST_PAUSE_S, COST_FACTOR * self._read_s)
            if self._content is None or (stamp != self._stamp and is_due):
                self._content, self._stamp = _read(self.directory), stamp
                self._read_at = time.monotonic()
                self._read_s = self._read_at - now
            return self._content

    def _scores(self) -> list[dict[str, Any]]:
        """Return the primary scores: those of the finished run, or those over the answers so far."""
        if (self.directory / SCORES).exists():
            scores = [score for score in s3harness.read_scores(self.directory) if score.primary]
            return [asdict(score) | {"skill": score.skill, "is_final": True} for score in scores]
        if not (self.directory / ITEMS).exists():
            return []
        self._read_aside()
        running = self._content.running if self._content else ()
        return [asdict(score) | {"is_final": False} for score in running]

    def _read_aside(self) -> None:
        """Begin to read in a thread, unless one reads already: the table of runs does not wait for scores."""
        with self._lock:
            if self._reader is None or not self._reader.is_alive():
                self._reader = threading.Thread(target=self._read_quietly, daemon=True)
                self._reader.start()

    def _read_quietly(self) -> None:
        # Whoever opens the run gets the error; the table of runs has the counts meanwhile.
        with contextlib.suppress(s3harness.S3HarnessError, ValueError, KeyError, OSError):
            self.content()

    def _count_requests(self) -> int:
        stamp = _stamp(self.directory / ITEMS)
        if stamp and stamp != self._n_requests[0]:
            with (self.directory / ITEMS).open("rb") as file:
                ids = {name for line in file for name in s3harness.parse_json(line)["requests"]}
            self._n_requests = stamp, len(ids)
        return self._n_requests[1]


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_size, status.st_mtime_ns


def _read(directory: Path) -> RunContent:
    tasks = s3harness.read_run(directory)
    outcomes: dict[str, list[s3harness.ItemOutcome]] = {}
    for outcome in s3harness.outcomes(tasks):
        outcomes.setdefault(outcome.item, []).append(outcome)
    entries = {entry.id: entry for entry in s3harness.read_journal(directory / JOURNAL)}
    specs = {name: task.spec for name, task in tasks.items() if not task.spec.uses}
    return RunContent(
        manifest=s3harness.read_manifest(directory),
        tasks=tasks,
        outcomes=outcomes,
        scores={
            reference.item: score
            for task in tasks.values()
            for reference, score in zip(task.references, s3harness.item_scores(task), strict=True)
        },
        entries=entries,
        answers=s3harness.read_answers(entries.values(), specs),
        sent=s3harness.read_sent(directory),
        running=s3harness.running_scores(tasks),
        places={
            reference.item: (name, number)
            for name, task in tasks.items()
            for number, reference in enumerate(task.references)
        },
    )


def kinds_of(outcomes: Sequence[s3harness.ItemOutcome]) -> list[str]:
    """Return the kinds of an item's outcomes, the commonest first; ``unread: failed`` becomes ``failed``."""
    counts = Counter(outcome.kind.removeprefix("unread: ") for outcome in outcomes)
    return [kind for kind, _ in counts.most_common()]
