"""The paper profile of the released predictions: every published number computed again, and every merging of windows.

Beside the tables of :mod:`s3harness.paper.metrics.published` these are the Seizure-RQI, of each video and in the mean,
and what the aggregators make of the released windows. Nothing here names a video: a place is a row of a file.
"""

from __future__ import annotations

import math
import re
from collections import Counter, deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from s3harness.errors import DatasetError
from s3harness.paper.details import order_details, rqi_details, rqi_scores, shown_number
from s3harness.paper.layout import (
    Release,
    missing_predictions,
    model_key,
    models,
    number_in,
    published_table,
    read_release_table,
    structures_file,
)
from s3harness.paper.metrics.published import Cell, published_tables
from s3harness.paper.problems import odd_tables
from s3harness.paper.windows import Compared, merged_features, merged_sequences

RQI_TABLE = "task6_report_rqi.csv"
INPUTS = "middle_results"
"""The folder beside the published tables that holds what the question list's tables are averages of."""


class TableCount(NamedTuple):
    """How many numbers of a table were compared, how many differ, and how many differ for a reason that is known."""

    compared: int
    mismatches: int
    explained: int = 0


@dataclass(frozen=True, slots=True)
class PaperCheck:
    """What was compared for one model: its ``published`` numbers and its merged ``windows``.

    ``missing`` are the kinds of file that it lacks, ``unread`` what could not be read, so that nothing was compared,
    ``problems`` what is odd about the rest: rows left out, rows of no known video.
    """

    model: str
    published: tuple[Compared, ...]
    windows: tuple[Compared, ...]
    missing: tuple[str, ...]
    unread: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def mismatches(self) -> list[Compared]:
        """Published numbers that did not come out as they are published, and nothing in the release says why."""
        return [one for one in self.published if not one.matches and not one.reason]

    @property
    def explained(self) -> list[Compared]:
        """Published numbers that cannot come out of what was released, as the release itself shows."""
        return [one for one in self.published if not one.matches and one.reason]

    @property
    def differences(self) -> list[Compared]:
        """Cells of merged files that did not come out of their windows."""
        return [one for one in self.windows if not one.matches]

    def counts(self) -> dict[str, TableCount]:
        """Table → how many of its numbers were compared and differ; merged windows have a line of their own."""
        named = [*((table_of(one.file), one) for one in self.published)]
        named += [(f"{table_of(one.file)} merged windows", one) for one in self.windows]
        compared = Counter(name for name, _ in named)
        wrong = Counter(name for name, one in named if not one.matches and not one.reason)
        explained = Counter(name for name, one in named if not one.matches and one.reason)
        return {name: TableCount(n, wrong[name], explained[name]) for name, n in compared.items()}


def check_paper(release: Release, model: str, tasks: Collection[int] = range(1, 8)) -> PaperCheck:
    """Compute again what was published of a model, for the tasks of these numbers."""
    unread: list[str] = []
    tables = published_tables(release, model)
    published = [_of_cell(cell) for cells in tables for cell in _read(cells, unread)]
    published += _read(order_details(release, model), unread) + _read(_rqi(release, model), unread)
    windows = [one for merge in (merged_features, merged_sequences) for one in _read(merge(release, model), unread)]
    missing = [kind.replace("_", " ") for kind in missing_predictions(release, model)]
    if structures_file(release, model) is None:
        missing.append("report structures")
    odd = [*odd_tables(release, model), *_unpublished(release, model, tasks)]
    return PaperCheck(
        model,
        tuple(one for one in published if task_of(one.file) in tasks),
        tuple(one for one in windows if task_of(one.file) in tasks),
        tuple(missing),
        tuple(dict.fromkeys(unread)),
        tuple(line for line in odd if task_of(line) in (0, *tasks)),
    )


def without_predictions(release: Release) -> list[str]:
    """The models of the published tables that have no folder of predictions, as the tables call them."""
    have = set(map(model_key, models(release)))
    named: dict[str, str] = {}
    for path in sorted(release.published.glob("*.csv")):
        with suppress(DatasetError):
            for name in read_release_table(path, keys=("model", "model_name")).rows:
                named.setdefault(model_key(name), name)
    return [name for key, name in named.items() if key not in have]


def _unpublished(release: Release, model: str, tasks: Collection[int]) -> list[str]:
    """The published tables that have no row of a model, so that nothing can be compared there."""
    lacking = []
    for path in sorted(release.published.glob("*.csv")):
        with suppress(DatasetError):
            names = read_release_table(path, keys=("model", "model_name")).rows
            if task_of(path.name) in tasks and model_key(model) not in map(model_key, names):
                lacking.append(path.name)
    return [f"the published tables have no row of it: {', '.join(lacking)}"] if lacking else []


def unused_tables(release: Release, checks: Sequence[PaperCheck]) -> list[str]:
    """The published tables of which nothing was compared, those of a folder together, by the name of the folder."""
    used = {one.file for check in checks for one in check.published}
    tables = [path.name for path in sorted(release.published.glob("*.csv")) if path.name not in used]
    folders = [path for path in sorted(release.published.iterdir()) if path.is_dir()]
    used_folders = {file.partition("/")[0] for file in used if "/" in file} | {INPUTS}
    return [*tables, *(f"{path.name}/" for path in folders if path.name not in used_folders)]


def explained_lines(checks: Sequence[PaperCheck]) -> list[str]:
    """One line per model, file and reason: how many published numbers differ because of it."""
    reasons = Counter((check.model, one.file, one.reason) for check in checks for one in check.explained)
    return [
        f"{model}: {file}: {n} {'cell differs' if n == 1 else 'cells differ'}: {reason}"
        for (model, file, reason), n in reasons.items()
    ]


def published_rqi(release: Release, model: str) -> float | None:
    """The mean Seizure-RQI that the published table has of a model, ``None`` where it has none."""
    path = published_table(release, RQI_TABLE)
    if path is None:
        return None
    column = read_release_table(path, keys=("model",)).column("RQI")
    cells = (cell for name, cell in column.items() if cell and model_key(name) == model_key(model))
    return next((number_in(cell, path.name, "RQI") for cell in cells), None)


def mismatch_lines(checks: Sequence[PaperCheck]) -> list[str]:
    """One line per mismatch: where, what was released, and what comes out."""
    return [
        f"{one.model}: {one.file}: {one.place}: released {_short(one.released)}, computed {_short(one.remade)}"
        for check in checks
        for one in (*check.mismatches, *check.differences)
    ]


Item = TypeVar("Item")


def _read(items: Iterator[Item], problems: list[str]) -> list[Item]:
    """The items of a table, up to what cannot be read of it, which is noted."""
    out: deque[Item] = deque()
    try:
        out.extend(items)
    except DatasetError as error:
        problems.append(f"{error}; no more of that table was compared")
    return list(out)


def task_of(file: str) -> int:
    """The number of the task that a file of the release belongs to, the first of "Task12"; 0 if it has none."""
    match = re.search(r"task(\d)", file, re.IGNORECASE)
    return int(match[1]) if match else 0


def table_of(file: str) -> str:
    """The published table, or folder of tables, that a file is; a model's own file goes by its task."""
    folder, slash, name = file.rpartition("/")
    if slash:
        return folder
    match = re.match(r"Task(\d+)_.*_all_", name)
    return f"Task{match[1]}" if match else name


def _rqi(release: Release, model: str) -> Iterator[Compared]:
    """The published Seizure-RQI of a model: row by row with all that it is made of, and its mean."""
    scores = rqi_scores(release, model)
    if not scores:
        return
    details = list(rqi_details(release, model, scores))
    yield from details
    published = published_rqi(release, model)
    if published is not None:
        mean = sum(score.points for score in scores.values()) / len(scores)
        reason = _other_mean(details, published)
        yield _of_cell(Cell(RQI_TABLE, model, "RQI", published, _printed(mean, published), 3, reason))


def _other_mean(details: Sequence[Compared], published: float) -> str:
    """Why a published mean cannot come back, if the published scores of the videos have another one."""
    scores = [float(one.released) for one in details if one.place.endswith(", seizure_rqi")]
    mean = sum(scores) / len(scores) if scores else published
    is_other = abs(mean - published) >= 10.0**-3
    return f"the mean of the {len(scores)} published scores by video is {mean:.3f}" if is_other else ""


def _printed(mean: float, published: float) -> float:
    """The mean as the table prints it: one of its cells is cut after the third decimal, the others are rounded."""
    cut = math.floor(mean * 1000) / 1000
    return cut if math.isclose(cut, published, abs_tol=1e-9) else mean


def _of_cell(cell: Cell) -> Compared:
    released, remade = shown_number(cell.published, cell.digits), shown_number(cell.recomputed, cell.digits)
    return Compared(cell.file, cell.model, cell.column, released, remade, cell.matches, cell.reason)


def _short(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"
