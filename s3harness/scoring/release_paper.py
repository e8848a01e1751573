"""The paper profile of the released predictions: every published number computed again, and every merging of windows.

Beside the tables of :mod:`s3harness.metrics.paper.published` these are the Seizure-RQI, of each video and in the mean,
and what the aggregators make of the released windows. Nothing here names a video: a place is a row of a file.
"""

from __future__ import annotations

import math
import re
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from s3harness.dataset.release import (
    PREDICTION_FILES,
    Release,
    missing_predictions,
    model_key,
    models,
    read_predictions,
    read_release_table,
    read_sequences,
)
from s3harness.errors import DatasetError
from s3harness.metrics.paper.order import released_tokens
from s3harness.metrics.paper.published import Cell, published_cells
from s3harness.metrics.rqi import RQI, ReportTruth, parse_preset, released_structure, score_structures
from s3harness.scoring.release_windows import Compared, merged_windows

STRUCTURES = "Task6_{model}_all_merged_modified.csv"
RQI_TABLE = "task6_report_rqi.csv"
EXACT = 1e-9
"""How far off a Seizure-RQI of one video may be, in points."""


@dataclass(frozen=True, slots=True)
class PaperCheck:
    """What was compared for one model: its ``published`` numbers and its merged ``windows``.

    ``missing`` are the kinds of file that it lacks, ``problems`` what could not be read or is odd about the rest.
    """

    model: str
    published: tuple[Compared, ...]
    windows: tuple[Compared, ...]
    missing: tuple[str, ...]
    problems: tuple[str, ...] = ()

    @property
    def mismatches(self) -> list[Compared]:
        """What did not come out as it was released."""
        return [one for one in (*self.published, *self.windows) if not one.matches]

    def counts(self) -> dict[str, tuple[int, int]]:
        """Table → numbers compared, and mismatches among them; merged windows have a line of their own."""
        named = [*((table_of(one.file), one) for one in self.published)]
        named += [(f"{table_of(one.file)} merged windows", one) for one in self.windows]
        compared, wrong = Counter(name for name, _ in named), Counter(name for name, one in named if not one.matches)
        return {name: (n, wrong[name]) for name, n in compared.items()}


def check_paper(release: Release, model: str, tasks: Collection[int] = range(1, 8)) -> PaperCheck:
    """Compute again what was published of a model, for the tasks of these numbers."""
    problems: list[str] = []
    published = [_of_cell(cell) for cell in _read(published_cells(release, model), problems)]
    published += _read(_rqi(release, model), problems)
    windows = _read(merged_windows(release, model), problems)
    missing = [kind.replace("_", " ") for kind in missing_predictions(release, model)]
    if not structures_file(release, model).is_file():
        missing.append("report structures")
    return PaperCheck(
        model,
        tuple(one for one in published if task_of(one.file) in tasks),
        tuple(one for one in windows if task_of(one.file) in tasks),
        tuple(missing),
        (*problems, *_odd_tables(release, model)),
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


def published_rqi(release: Release, model: str) -> float | None:
    """The mean Seizure-RQI that the published table has of a model, ``None`` where it has none."""
    path = release.published / RQI_TABLE
    if not path.is_file():
        return None
    column = read_release_table(path, keys=("model",)).column("RQI")
    return next((float(cell) for name, cell in column.items() if cell and model_key(name) == model_key(model)), None)


def mismatch_lines(checks: Sequence[PaperCheck]) -> list[str]:
    """One line per mismatch: where, what was released, and what comes out."""
    return [
        f"{one.model}: {one.file}: {one.place}: released {_short(one.released)}, computed {_short(one.remade)}"
        for check in checks
        for one in check.mismatches
    ]


Item = TypeVar("Item")


def _read(items: Iterator[Item], problems: list[str]) -> list[Item]:
    """The items up to one that cannot be read, which is noted."""
    out: deque[Item] = deque()
    try:
        out.extend(items)
    except DatasetError as error:
        problems.append(f"{error}; what comes after it was not compared")
    return list(out)


def _odd_tables(release: Release, model: str) -> list[str]:
    """What is odd about the tables of a model: rows left out, names given twice, encodings."""
    out: list[str] = []
    for kind in PREDICTION_FILES:
        with suppress(DatasetError):
            table = read_predictions(release, model, kind)
            out += map(str, table.problems if table else ())
    return list(dict.fromkeys(out))


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
    details = _rqi_details(release, model)
    scores = _rqi_scores(release, model) if details or published_rqi(release, model) is not None else {}
    if not scores:
        return
    for path in details:
        yield from _details(path, release, model, scores)
    published = published_rqi(release, model)
    if published is not None:
        mean = sum(score.value for score in scores.values()) / len(scores)
        yield _of_cell(Cell(RQI_TABLE, model, "RQI", published, _printed(mean, published), digits=3))


def _rqi_details(release: Release, model: str) -> list[Path]:
    """The files of a model's Seizure-RQI by video."""
    found = sorted([*release.published.glob("task6_*_rqi*.csv"), *release.published.glob("*/task6_*_rqi*.csv")])
    names = [re.fullmatch(r"task6_(.+)_rqi.*\.csv", path.name) for path in found]
    wanted = model_key(model)
    return [path for path, name in zip(found, names, strict=True) if name and model_key(name[1]) == wanted]


def _rqi_scores(release: Release, model: str) -> dict[str, RQI]:
    """Video → Seizure-RQI of the released structure of its report; empty where there is no such file."""
    path = structures_file(release, model)
    if not path.is_file():
        return {}
    truths, preset = paper_truths(release), parse_preset("paper")
    rows = read_release_table(path).rows
    return {
        video: score_structures(released_structure(cells), truths[video], preset)
        for video, cells in rows.items()
        if video in truths
    }


def paper_truths(release: Release) -> dict[str, ReportTruth]:
    """Video → the expert's structure, held against the signs of Task 5 (those that are heard too, for every model)."""
    signs = {video: tuple(released_tokens(text)) for video, text in read_sequences(release, heard=True).items()}
    structures = read_release_table(release.truth / "task6_report_modified.csv").rows
    return {video: ReportTruth(released_structure(cells), signs.get(video)) for video, cells in structures.items()}


def structures_file(release: Release, model: str) -> Path:
    """The file of the structures that an LLM extracted of a model's reports, whether or not it is there."""
    return release.predictions / model / STRUCTURES.format(model=model)


_DETAILS: Mapping[str, Callable[[RQI], float]] = {
    "seizure_rqi": lambda score: score.value,
    "structural_completeness_score": lambda score: 100 * (score.components["S"].value or 0.0),
    "coverage_score": lambda score: 100 * (score.components["C"].value or 0.0),
    "temporal_f1_score": lambda score: 100 * (score.components["T"].value or 0.0),
    "localizing_features_score": lambda score: 100 * (score.components["L"].value or 0.0),
    "base_score": lambda score: score.base,
    "hallucination_multiplier": lambda score: score.penalties["paper_hallucination"].multiplier,
    "content_penalty_multiplier": lambda score: score.penalties["paper_off_topic"].multiplier,
    "length_multiplier": lambda score: score.penalties["paper_length"].multiplier,
}
"""Column of the detail files → the same of a score."""


def _details(path: Path, release: Release, model: str, scores: Mapping[str, RQI]) -> Iterator[Compared]:
    """Every number of a file of details, which must agree within 1e-9 points."""
    table = read_release_table(path)
    file = str(path.relative_to(release.published))
    columns = [column for column in _DETAILS if column in table.columns]
    for number, (video, cells) in enumerate(table.rows.items(), start=1):
        for column in columns:
            released, made = float(cells[column]), _DETAILS[column](scores[video]) if video in scores else math.nan
            place, same = f"row {number}, {column}", abs(made - released) <= EXACT
            yield Compared(file, model, place, _text(released, None), _text(made, None), same)


def _printed(mean: float, published: float) -> float:
    """The mean as the table prints it: one of its cells is cut after the third decimal, the others are rounded."""
    cut = math.floor(mean * 1000) / 1000
    return cut if math.isclose(cut, published, abs_tol=1e-9) else mean


def _of_cell(cell: Cell) -> Compared:
    released, remade = _text(cell.published, cell.digits), _text(cell.recomputed, cell.digits)
    return Compared(cell.file, cell.model, cell.column, released, remade, cell.matches)


def _text(value: float, digits: int | None) -> str:
    """A number with two decimals more than it was printed with, so that a mismatch shows how far off it is."""
    return "nothing" if math.isnan(value) else f"{value:.{10 if digits is None else digits + 2}f}"


def _short(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"
