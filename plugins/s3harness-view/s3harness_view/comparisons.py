"""Runs beside each other: paired tests of each two of them, and the human readers among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import s3harness
from s3harness_view.library import Library
from s3harness_view.run_reader import RunReader

COMPLETE = "complete"


class Comparisons:
    """Comparisons of the runs of a library, computed once for each state of their files."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._computed: dict[tuple[object, ...], Any] = {}

    def compare(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the paired comparison of some runs by task, with its notes.

        Raises :class:`UsageError` for fewer than two runs, for runs that share no item, and in a blinded room.
        """
        if len(names) < 2:
            raise s3harness.UsageError("choose two runs or more to compare them")
        if self.library.blind:
            raise s3harness.UsageError("scores are hidden in a blinded room")
        readers = {name: self.library.run(name) for name in names}
        return dict(self._once(("compare", *_state(readers)), lambda: _compare(readers)))

    def human_lines(self) -> dict[str, dict[str, Any]]:
        """Return run → task → the line of the finished readers of the room; runs that they do not fit have none."""
        if self.library.blind:
            return {}
        runs = {name: run for name, run in self.library.runs().items() if _family_of(run) is not None}
        people = {name: run for name, run in runs.items() if _family_of(run) == s3harness.READER}
        if not people:
            return {}
        return dict(self._once(("readers", *_state(runs)), lambda: _human_lines(runs, people)))

    def _once(self, key: tuple[object, ...], compute: Any) -> Any:
        if key not in self._computed:
            # Older states are never asked for again.
            self._computed = {kept: value for kept, value in self._computed.items() if kept[0] != key[0]}
            self._computed[key] = compute()
        return self._computed[key]


def _state(runs: Mapping[str, RunReader]) -> tuple[object, ...]:
    return tuple((name, run.stamp) for name, run in runs.items())


def _compare(runs: Mapping[str, RunReader]) -> dict[str, Any]:
    report = s3harness.compare(s3harness.join([_system(name, run) for name, run in runs.items()]))
    rows = [asdict(row) | {"verdict": row.verdict, "significant": row.is_significant} for row in report.tasks]
    return {"runs": list(runs), "rows": rows, "notes": s3harness.comparison_notes(report)}


def _human_lines(runs: Mapping[str, RunReader], people: Mapping[str, RunReader]) -> dict[str, dict[str, Any]]:
    readers = {name: _system(name, run) for name, run in people.items()}
    lines: dict[str, dict[str, Any]] = {}
    for name, run in runs.items():
        # Somebody who is compared with the readers is none of them.
        others = [reader for other, reader in readers.items() if other != name]
        try:
            of_run = s3harness.reader_lines(_system(name, run), others)
        # Of another data set, or other items: this run has no line, the others keep theirs.
        except s3harness.UsageError:
            continue
        lines[name] = {
            line.task: {"sentence": line.sentence, "mean": line.mean, "n": len(line.scores)} for line in of_run
        }
    return lines


def _as_json(line: s3harness.ReaderLine) -> dict[str, Any]:
    return {"sentence": line.sentence, "mean": line.mean, "n": len(line.scores)}


def _system(name: str, run: RunReader) -> s3harness.ScoredSystem:
    return s3harness.read_system(run.directory, name)


def _family_of(run: RunReader) -> str | None:
    """Return the family of a finished run's model; ``None`` for a run that goes on, or cannot be read."""
    try:
        manifest = s3harness.read_manifest(run.directory)
    except s3harness.S3HarnessError:
        return None
    return str(manifest["run"]["model"].get("family", "")) if manifest.get("status") == COMPLETE else None
