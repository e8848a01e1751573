"""The runs that the reading room shows, under names; no path ever comes from a browser."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import s3harness
from s3harness_view.run_reader import RunReader, kinds_of

MANIFEST = "manifest.json"
TEXT_CHARS = 160
"""Characters of a free answer in the table; the item's page has all of it."""


class Library:
    """Runs by name. A folder that is no run stands for all runs directly in it, also those that come later.

    In ``blind`` mode the runs are called A, B, C … in a random order, and nothing names their models.
    """

    def __init__(self, paths: Sequence[Path], *, blind: bool = False) -> None:
        self._paths = [path.resolve() for path in paths]
        self.blind = blind
        self._readers: dict[Path, RunReader] = {}
        self._aliases: dict[Path, str] = {}

    def runs(self) -> dict[str, RunReader]:
        """Return name → run, in the order of their names; new runs in a folder are seen at each call."""
        directories = [path for given in self._paths for path in _run_directories(given)]
        for directory in dict.fromkeys(directories):
            self._readers.setdefault(directory, RunReader(directory))
        present = [directory for directory in self._readers if directory in set(directories)]
        if self.blind:
            return self._blinded(present)
        names = _distinct_names(present)
        return {name: self._readers[directory] for name, directory in zip(names, present, strict=True)}

    def run(self, name: str) -> RunReader:
        """Return the run of a name; ``KeyError`` if there is none."""
        return self.runs()[name]

    def summaries(self) -> list[dict[str, Any]]:
        """Return a row for each run; one that cannot be read has an ``error`` and nothing else."""
        return [{"name": name, **self._summary(reader)} for name, reader in self.runs().items()]

    def _summary(self, reader: RunReader) -> dict[str, Any]:
        try:
            summary = reader.summary()
        except (s3harness.S3HarnessError, ValueError, KeyError, OSError) as error:
            # The text of an error may name the run's folder.
            return {"error": "this run cannot be read" if self.blind else str(error)}
        if self.blind:
            summary |= {"model": "hidden", "backend": "", "protocol": "", "transforms": [], "probe": "", "scores": []}
        return summary

    def items(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the table of the items of some runs: each item once, with its answers in the order of ``names``."""
        contents = [self.run(name).content() for name in names]
        rows: dict[str, list[Any]] = {}
        for number, content in enumerate(contents):
            for task in content.tasks.values():
                for reference, prediction in zip(task.references, task.predictions, strict=True):
                    if reference.item not in rows:
                        rows[reference.item] = [
                            *(reference.item, reference.task, reference.video_id, reference.subject),
                            *(reference.cluster, _short(_plain(reference.truth)), [None] * len(names)),
                        ]
                    outcomes = content.outcomes.get(reference.item, ())
                    rows[reference.item][6][number] = [
                        _short(_plain(prediction.value)) if prediction.value is not None else "",
                        kinds_of(outcomes),
                        prediction.probability,
                    ]
        table = list(rows.values())
        if self.blind:
            random.Random(self._seed()).shuffle(table)
        tasks = {
            name: {"title": task.spec.title, "kind": task.spec.item}
            for content in contents
            for name, task in content.tasks.items()
        }
        return {"runs": list(names), "tasks": tasks, "rows": table}

    def search(self, names: Sequence[str], text: str) -> list[str]:
        """Return the items of which a raw answer in one of the runs contains a text, in any case."""
        wanted = text.casefold()
        items: dict[str, None] = {}
        for content in (self.run(name).content() for name in names):
            requests = {
                request
                for request, entry in content.entries.items()
                if wanted in entry.response.text.casefold() or wanted in entry.response.error.casefold()
            }
            for task in content.tasks.values():
                items |= {r.item: None for r in task.references if not requests.isdisjoint(r.requests)}
        return list(items)

    def _seed(self) -> str:
        return "-".join(map(str, sorted(self._readers)))

    def _blinded(self, directories: Sequence[Path]) -> dict[str, RunReader]:
        new = [directory for directory in directories if directory not in self._aliases]
        random.SystemRandom().shuffle(new)
        for directory in new:
            self._aliases[directory] = _letters(len(self._aliases))
        named: Mapping[str, Path] = {self._aliases[directory]: directory for directory in directories}
        return {name: self._readers[named[name]] for name in sorted(named)}


def _run_directories(path: Path) -> list[Path]:
    if (path / MANIFEST).is_file() or not path.is_dir():
        return [path]
    return sorted(child for child in path.iterdir() if (child / MANIFEST).is_file())


def _distinct_names(directories: Sequence[Path]) -> list[str]:
    names = [directory.name for directory in directories]
    if len(set(names)) < len(names):
        names = ["/".join(directory.parts[-2:]) for directory in directories]
    return names if len(set(names)) == len(names) else [f"{name} ({n})" for n, name in enumerate(names, start=1)]


def _letters(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else f"A{number}"


def _plain(value: object) -> str:
    """Return a truth or an answer in a line."""
    if isinstance(value, Mapping):
        if "present" in value:
            return f"{value['present']}: {value.get('text', '')}" if value.get("text") else str(value["present"])
        return str(value.get("text", value))
    if isinstance(value, float):
        return f"{value:.1f} s"
    if isinstance(value, list | tuple):
        names = [str(part[0]) if isinstance(part, list | tuple) else str(part) for part in value]
        return ", ".join(name.replace("_", " ") for name in names) or "none"
    return str(value)


def _short(text: str) -> str:
    return text if len(text) <= TEXT_CHARS else f"{text[: TEXT_CHARS - 1]}…"
