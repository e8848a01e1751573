"""Paper profile of the released predictions: every published number and every merged file, recomputed and compared.

Beside the tables of :mod:`s3harness.paper.metrics.published` these are the Seizure-RQI, by video and in the mean, and
the merged files, recomputed from the released windows. A place is a row of a file; no output names a video.
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
from s3harness.paper.layout import (
    Release,
    missing_predictions,
    model_key,
    models,
    parse_number,
    published_table,
    read_release_table,
    structures_file,
)
from s3harness.paper.metrics.published import Cell, published_tables
from s3harness.paper.problems import odd_tables
from s3harness.paper.video_scores import format_number, order_details, rqi_details, rqi_scores
from s3harness.paper.windows import CellComparison, merged_features, merged_sequences

RQI_TABLE = "task6_report_rqi.csv"
INPUTS = "middle_results"
"""Folder beside the published tables with the scores that the question list's tables average."""


class TableCount(NamedTuple):
    """Numbers of a table that were compared, that differ, and that differ for a reason shown by the release."""

    compared: int
    mismatches: int
    explained: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperCheck:
    """Comparisons of one model: its ``published`` numbers, and its merged files with their ``windows``.

    ``missing`` are the kinds of file that it lacks, ``unread`` the tables that could not be read and so not compared,
    ``problems`` the irregularities of the others: rows left out, rows of unknown videos.
    """

    model: str
    published: tuple[CellComparison, ...]
    windows: tuple[CellComparison, ...]
    missing: tuple[str, ...]
    unread: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def mismatches(self) -> list[CellComparison]:
        """Return the published numbers that differ from the recomputed ones, without a reason in the release."""
        return [one for one in self.published if not one.matches and not one.reason]

    @property
    def explained(self) -> list[CellComparison]:
        """Return the published numbers that cannot be recomputed, as the release itself shows."""
        return [one for one in self.published if not one.matches and one.reason]

    @property
    def differences(self) -> list[CellComparison]:
        """Return the cells of merged files that differ from those recomputed from their windows."""
        return [one for one in self.windows if not one.matches]

    def counts(self) -> dict[str, TableCount]:
        """Return table → its numbers compared and different; merged windows have a line of their own."""
        named = [*((table_of(one.file), one) for one in self.published)]
        named += [(f"{table_of(one.file)} merged windows", one) for one in self.windows]
        compared = Counter(name for name, _ in named)
        wrong = Counter(name for name, one in named if not one.matches and not one.reason)
        explained = Counter(name for name, one in named if not one.matches and one.reason)
        return {name: TableCount(n, wrong[name], explained[name]) for name, n in compared.items()}


def check_paper(release: Release, model: str, tasks: Collection[int] = range(1, 8)) -> PaperCheck:
    """Recompute the published numbers of a model, for the tasks of these numbers."""
    unread: list[str] = []
    # One iterator per table, so that a table that cannot be read does not stop the others.
    tables = published_tables(release, model)
    published = [_of_cell(cell) for cells in tables for cell in _read(cells, unread)]
    published += _read(order_details(release, model), unread) + _read(_rqi(release, model), unread)
    windows = [one for merge in (merged_features, merged_sequences) for one in _read(merge(release, model), unread)]
    missing = [kind.replace("_", " ") for kind in missing_predictions(release, model)]
    if structures_file(release, model) is None:
        missing.append("report structures")
    problems = [*odd_tables(release, model), *_unpublished(release, model, tasks)]
    return PaperCheck(
        model=model,
        published=tuple(one for one in published if task_of(one.file) in tasks),
        windows=tuple(one for one in windows if task_of(one.file) in tasks),
        missing=tuple(missing),
        # A file that several tables need is named once.
        unread=tuple(dict.fromkeys(unread)),
        # 0: a problem of no task in particular is always reported.
        problems=tuple(line for line in problems if task_of(line) in (0, *tasks)),
    )


def without_predictions(release: Release) -> list[str]:
    """Return the models of the published tables that have no folder of predictions, as the tables call them."""
    with_folder = set(map(model_key, models(release)))
    # By key: the tables spell one model in several ways, and it is listed once.
    named: dict[str, str] = {}
    for path in sorted(release.published.glob("*.csv")):
        with suppress(DatasetError):
            for name in read_release_table(path, keys=("model", "model_name")).rows:
                named.setdefault(model_key(name), name)
    return [name for key, name in named.items() if key not in with_folder]


def _unpublished(release: Release, model: str, tasks: Collection[int]) -> list[str]:
    """Name the published tables without a row of a model, with which nothing can be compared."""
    lacking = []
    for path in sorted(release.published.glob("*.csv")):
        # A table without a column of models cannot lack a row of one.
        with suppress(DatasetError):
            names = read_release_table(path, keys=("model", "model_name")).rows
            if task_of(path.name) in tasks and model_key(model) not in map(model_key, names):
                lacking.append(path.name)
    return [f"the published tables have no row of it: {', '.join(lacking)}"] if lacking else []


def unused_tables(release: Release, checks: Sequence[PaperCheck]) -> list[str]:
    """Return the published tables of which nothing was compared; a folder of tables counts as one."""
    used = {one.file for check in checks for one in check.published}
    tables = [path.name for path in sorted(release.published.glob("*.csv")) if path.name not in used]
    folders = [path for path in sorted(release.published.iterdir()) if path.is_dir()]
    # INPUTS is used through the tables that average it, so no cell is compared with it directly.
    used_folders = {file.partition("/")[0] for file in used if "/" in file} | {INPUTS}
    return [*tables, *(f"{path.name}/" for path in folders if path.name not in used_folders)]


def explained_lines(checks: Sequence[PaperCheck]) -> list[str]:
    """Return a line per model, file and reason, with the number of published cells that differ because of it."""
    reasons = Counter((check.model, one.file, one.reason) for check in checks for one in check.explained)
    return [
        f"{model}: {file}: {n} {'cell differs' if n == 1 else 'cells differ'}: {reason}"
        for (model, file, reason), n in reasons.items()
    ]


def published_rqi(release: Release, model: str) -> float | None:
    """Return the mean Seizure-RQI of a model in the published table, ``None`` where the table has none."""
    path = published_table(release, RQI_TABLE)
    if path is None:
        return None
    column = read_release_table(path, keys=("model",)).column("RQI")
    cells = (cell for name, cell in column.items() if cell and model_key(name) == model_key(model))
    return next((parse_number(cell, path.name, "RQI") for cell in cells), None)


def mismatch_lines(checks: Sequence[PaperCheck]) -> list[str]:
    """Return a line per mismatch: the place, the released value and the recomputed one."""
    return [
        f"{one.model}: {one.file}: {one.place}: released {_short(one.released)}, computed {_short(one.remade)}"
        for check in checks
        for one in (*check.mismatches, *check.differences)
    ]


Item = TypeVar("Item")


def _read(items: Iterator[Item], problems: list[str]) -> list[Item]:
    """Return the items of a table up to the first that cannot be read; the error is added to ``problems``."""
    out: deque[Item] = deque()
    try:
        # extend keeps what came before an error, which list() would lose.
        out.extend(items)
    except DatasetError as error:
        problems.append(f"{error}; no more of that table was compared")
    return list(out)


def task_of(file: str) -> int:
    """Return the number of the task of a file of the release, the first of "Task12"; 0 if it has none."""
    match = re.search(r"task(\d)", file, re.IGNORECASE)
    return int(match[1]) if match else 0


def table_of(file: str) -> str:
    """Return the name under which the cells of a file are counted: its folder, its task, or the file itself."""
    folder, slash, name = file.rpartition("/")
    if slash:
        return folder
    # A model's own file: its name contains the model, and would give each model a row of its own.
    match = re.match(r"Task(\d+)_.*_all_", name)
    return f"Task{match[1]}" if match else name


def _rqi(release: Release, model: str) -> Iterator[CellComparison]:
    """Compare the published Seizure-RQI of a model: each video's with its components, and the mean."""
    scores = rqi_scores(release, model)
    if not scores:
        return
    details = list(rqi_details(release, model, scores))
    yield from details
    published = published_rqi(release, model)
    if published is not None:
        mean = sum(score.points for score in scores.values()) / len(scores)
        reason = _other_mean(details, published)
        yield _of_cell(
            Cell(
                file=RQI_TABLE,
                model=model,
                column="RQI",
                published=published,
                recomputed=_as_printed(mean, published),
                digits=3,
                reason=reason,
            )
        )


def _other_mean(details: Sequence[CellComparison], published: float) -> str:
    """Return the reason for which a published mean cannot be recomputed: the published scores have another mean.

    Empty if they have the published mean, or if there are none.
    """
    scores = [float(one.released) for one in details if one.place.endswith(", seizure_rqi")]
    mean = sum(scores) / len(scores) if scores else published
    # The table has three decimals.
    is_other = abs(mean - published) >= 10.0**-3
    return f"the mean of the {len(scores)} published scores by video is {mean:.3f}" if is_other else ""


def _as_printed(mean: float, published: float) -> float:
    """Return the mean as the table prints it: one of its cells is cut after the third decimal, the others rounded."""
    cut = math.floor(mean * 1000) / 1000
    return cut if math.isclose(cut, published, abs_tol=1e-9) else mean


def _of_cell(cell: Cell) -> CellComparison:
    return CellComparison(
        file=cell.file,
        model=cell.model,
        place=cell.column,
        released=format_number(cell.published, cell.digits),
        remade=format_number(cell.recomputed, cell.digits),
        matches=cell.matches,
        reason=cell.reason,
    )


def _short(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"
