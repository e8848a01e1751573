"""Tables of a data set directory: CSV files read into rows with file and line, and written."""

from __future__ import annotations

import csv
import difflib
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from s3harness.files import atomic_write

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
CERTAINTY = "certainty"
"""Further column of ``features.csv``, where annotators noted how sure they were."""
REPORTS = ("video_id", "report")
SEIZURES = ("video_id", "onset_s", "offset_s")
"""Columns of the optional table of all seizures of each recording."""
CLOCK = "start_clock"
"""Optional column of the table of videos: the time of day at which a recording begins, HH:MM or HH:MM:SS."""

MAX_COLUMNS = 1_000
"""Columns of a table; one with a row a video has about five for each of the 20 signs."""
MAX_CELL = 100_000
"""Characters of a cell; the longest expert report of the benchmark has about 1,200."""
MAX_SECONDS = 7 * 86_400.0
"""A week of recording in one file; the number of requests grows with the length of a video."""
SHOWN_LINES = 12
"""Line numbers listed for one problem."""
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_SECONDS = re.compile(r"\d+(\.\d*)?([eE][-+]?\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """Problem at one place of a data set; ``row`` is the line of the file, the header being 1."""

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
        """Return a problem at this row."""
        return Problem(self.file, self.number, column, message)

    def seconds(self, column: str, problems: list[Problem]) -> float | None:
        """Return the seconds in a cell, finite and not negative; ``None`` if it is empty or wrong, which is noted."""
        text = self[column]
        if not text:
            return None
        # float() also accepts nan, inf, 1_000 and digits of other scripts.
        if not _SECONDS.fullmatch(text) or not math.isfinite(float(text)):
            message = f"{text!r} is not a number of seconds from the start of the video, like 37 or 37.5"
            problems.append(self.problem(column, message))
            return None
        if float(text) > MAX_SECONDS:
            problems.append(self.problem(column, f"{float(text):g} s is more than a week; split the recording"))
            return None
        return float(text)

    def clock(self, column: str, problems: list[Problem]) -> float | None:
        """Return a time of day in seconds from midnight; ``None`` if the cell is empty or wrong, which is noted."""
        match = _CLOCK.fullmatch(self[column])
        if match is None:
            if self[column]:
                problems.append(self.problem(column, f"{self[column]!r} is no time of day like 21:30, without a date"))
            return None
        return 3600.0 * int(match[1]) + 60.0 * int(match[2]) + float(match[3] or 0)

    def one_of(self, column: str, allowed: Sequence[str], problems: list[Problem]) -> str:
        """Return the allowed word in the cell; ``""`` for an empty cell and for a wrong one, which is noted."""
        text = self[column]
        if text and text not in allowed:
            problems.append(self.problem(column, f"{text!r} is not one of {', '.join(allowed)}"))
        return next((word for word in allowed if word == text), "")


def read_table(path: Path, columns: Sequence[str], required: Sequence[str], problems: list[Problem]) -> Iterator[Row]:
    """Yield the rows of a CSV file (UTF-8 with or without byte-order mark, any line ends).

    Problems are noted on the way. Columns beyond ``columns`` are allowed, unless their name looks like a misspelling of
    a column that is missing.
    """
    # Read once in advance: a decoding error in the middle of csv.reader names no line.
    if not _is_text(path, problems):
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, rows = parse_table(path.name, file, problems)
        missing = [name for name in columns if name not in header]
        absent = ", ".join(name for name in missing if name in required)
        for row in rows:
            # Rows are read all the same, for the problems of their form.
            if not absent:
                yield row
    if absent:
        problems.append(Problem(path.name, 1, "", f"no column {absent}; the header needs {', '.join(columns)}"))
        return
    for name in header:
        # Only where the meant column is missing: similar names of further columns are the owner's.
        near = difflib.get_close_matches(name.lower(), missing, n=1, cutoff=0.75) if name not in columns else []
        if near:
            problems.append(Problem(path.name, 1, name, f"unknown column; did you mean {near[0]}, which is missing?"))


def parse_table(
    name: str, lines: Iterable[str], problems: list[Problem], delimiter: str = ","
) -> tuple[list[str], Iterator[Row]]:
    """Return the header and the rows of a CSV table; a row is numbered by its first line, the header's being 1."""
    # The limit is global to the process and other code may have raised it: it is set before each table.
    csv.field_size_limit(MAX_CELL)
    # strict: without it the module repairs broken quotes by guessing, and swallows rows.
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
    """Write a CSV file as a whole or not at all; raise :class:`S3HarnessError` if the disk refuses."""
    with atomic_write(path) as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="raise")
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)


def problem_lines(problems: Iterable[Problem]) -> list[str]:
    """Return a line for each problem; equal problems of a file share one line."""
    grouped: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        grouped.setdefault((problem.file, problem.column, problem.message), []).append(problem)
    return [str(same[0]) if len(same) == 1 else _together(same) for same in grouped.values()]


def _together(same: Sequence[Problem]) -> str:
    numbers = ", ".join(str(problem.row) for problem in same[:SHOWN_LINES]) + (", …" if len(same) > SHOWN_LINES else "")
    whole = replace(same[0], row=None)
    return f"{whole} ({len(same)} times, in lines {numbers})"


def _is_text(path: Path, problems: list[Problem]) -> bool:
    """Return true if the whole file can be read as UTF-8; the reason why not is noted."""
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
                # Paths and C libraries end at a NUL character.
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
        # Milliseconds suffice for annotations, and 37 stays 37 in a diff.
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return "" if value is None else value
