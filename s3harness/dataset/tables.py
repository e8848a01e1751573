"""The tables of a data set directory: CSV in, rows that know where they stand out."""

from __future__ import annotations

import csv
import difflib
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from s3harness.errors import S3HarnessError

if TYPE_CHECKING:
    from _csv import Reader as _Reader

VIDEOS = (
    "video_id",
    "patient_id",
    "file",
    "diagnosis",
    "split",
    "duration_s",
    "onset_s",
    "offset_s",
    "onset_body_part",
)
FEATURES = ("video_id", "feature", "present", "start_s", "end_s", "side", "justification")
REPORTS = ("video_id", "report")

MAX_COLUMNS = 1_000
"""A table of a video a row has some five columns for each of the 20 signs."""
MAX_CELL = 100_000
"""Characters of a cell; the longest of the expert reports has about 1,200."""
MAX_SECONDS = 7 * 86_400.0
"""A week of recording in one file: what is asked of a video grows with its length."""
SHOWN_LINES = 12
"""Lines of a file that have the same problem and are given by number."""
_SECONDS = re.compile(r"\d+(\.\d*)?([eE][-+]?\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at one place of a data set; ``row`` is the line of the file, the header being 1."""

    file: str
    row: int | None
    column: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.row}" if self.row else self.file
        return f"{place}: {self.column}: {self.message}" if self.column else f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, its cells stripped."""

    file: str
    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def problem(self, column: str, message: str) -> Problem:
        """A problem at this row."""
        return Problem(self.file, self.number, column, message)

    def seconds(self, column: str, problems: list[Problem]) -> float | None:
        """The finite, non-negative number of a cell; ``None`` where it is empty or wrong, which is noted."""
        text = self[column]
        if not text:
            return None
        if not _SECONDS.fullmatch(text) or not math.isfinite(float(text)):
            message = f"{text!r} is not a number of seconds from the start of the video, like 37 or 37.5"
            problems.append(self.problem(column, message))
            return None
        if float(text) > MAX_SECONDS:
            problems.append(self.problem(column, f"{float(text):g} s is more than a week; split the recording"))
            return None
        return float(text)

    def one_of(self, column: str, allowed: Sequence[str], problems: list[Problem]) -> str:
        """The allowed word that stands in the cell; ``""`` if it is empty, or wrong, which is noted."""
        text = self[column]
        if text and text not in allowed:
            problems.append(self.problem(column, f"{text!r} is not one of {', '.join(allowed)}"))
        return next((word for word in allowed if word == text), "")


def read_table(path: Path, columns: Sequence[str], required: Sequence[str], problems: list[Problem]) -> Iterator[Row]:
    """The rows of a CSV file (UTF-8 with or without byte-order mark, any line ends), one at a time.

    What is wrong is noted as it is met. Columns beyond ``columns`` are let be, unless their name looks like a slip of
    the pen for one that is not there.
    """
    if not _is_text(path, problems):
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, rows = parse_table(path.name, file, problems)
        missing = [name for name in columns if name not in header]
        absent = ", ".join(name for name in missing if name in required)
        for row in rows:
            if not absent:
                yield row
    if absent:
        problems.append(Problem(path.name, 1, "", f"no column {absent}; the header needs {', '.join(columns)}"))
        return
    for name in header:
        near = difflib.get_close_matches(name.lower(), missing, n=1, cutoff=0.75) if name not in columns else []
        if near:
            problems.append(Problem(path.name, 1, name, f"unknown column; did you mean {near[0]}, which is missing?"))


def parse_table(
    name: str, lines: Iterable[str], problems: list[Problem], delimiter: str = ","
) -> tuple[list[str], Iterator[Row]]:
    """The header and the rows of a CSV table; a row is numbered by its first line, the header's being 1."""
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
    except csv.Error as error:
        problems.append(_no_table(name, 1, error))
        return [], iter(())
    if len(header) > MAX_COLUMNS:
        problems.append(Problem(name, 1, "", f"{len(header)} columns; at most {MAX_COLUMNS} are allowed"))
        return [], iter(())
    twice = sorted(cell for cell, number in Counter(header).items() if cell and number > 1)
    problems += [Problem(name, 1, cell, "there are two columns of this name") for cell in twice]
    return header, _rows(name, header, reader, problems)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a CSV file whole or not at all; :class:`S3HarnessError` if the disk takes it not."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="raise")
            writer.writeheader()
            writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise S3HarnessError(f"{path} cannot be written: {error.strerror}") from error


def problem_lines(problems: Iterable[Problem]) -> list[str]:
    """A line for each problem, and one for all lines of a file that have the same."""
    grouped: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        grouped.setdefault((problem.file, problem.column, problem.message), []).append(problem)
    return [str(same[0]) if len(same) == 1 else _together(same) for same in grouped.values()]


def _together(same: Sequence[Problem]) -> str:
    numbers = ", ".join(str(problem.row) for problem in same[:SHOWN_LINES]) + (", …" if len(same) > SHOWN_LINES else "")
    whole = replace(same[0], row=None)
    return f"{whole} ({len(same)} times, in lines {numbers})"


def _is_text(path: Path, problems: list[Problem]) -> bool:
    """Whether a file can be read whole, as UTF-8; why it cannot is noted."""
    row, line = 0, b""
    try:
        with path.open("rb") as file:
            for row, line in enumerate(file, start=1):  # noqa: B007
                line.decode()
    except OSError as error:
        problems.append(Problem(path.name, None, "", f"cannot be read: {error.strerror}"))
        return False
    except UnicodeDecodeError as error:
        byte = line[error.start]
        problems.append(Problem(path.name, row, "", f"byte 0x{byte:02x} is not UTF-8; save the table as UTF-8"))
        return False
    return True


def _rows(name: str, header: Sequence[str], reader: _Reader, problems: list[Problem]) -> Iterator[Row]:
    line = reader.line_num + 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if "\0" in "".join(cells):
                # No path and no C library takes a text with one.
                problems.append(Problem(name, line, "", "holds a NUL character; remove it"))
            elif any(stripped) and len(cells) != len(header):
                problems.append(Problem(name, line, "", f"{len(cells)} cells under {len(header)} columns"))
            elif any(stripped):
                yield Row(name, line, dict(zip(header, stripped, strict=True)))
            line = reader.line_num + 1
    except csv.Error as error:
        problems.append(_no_table(name, line, error))


def _no_table(name: str, line: int, error: csv.Error) -> Problem:
    return Problem(name, line, "", f"not a CSV table: {error}")


def _cell(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return "" if value is None else value
