"""The tables of a data set directory: CSV in, rows that know where they stand out."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < 0:
            problems.append(self.problem(column, f"{text!r} is not a number of seconds from the start of the video"))
            return None
        return value

    def one_of(self, column: str, allowed: Sequence[str], problems: list[Problem]) -> str:
        """The cell if it is empty or allowed; otherwise ``""``, and the problem is noted."""
        text = self[column]
        if text and text not in allowed:
            problems.append(self.problem(column, f"{text!r} is not one of {', '.join(allowed)}"))
            return ""
        return text


def read_table(path: Path, columns: Sequence[str], required: Sequence[str], problems: list[Problem]) -> list[Row]:
    """The rows of a CSV file (UTF-8 with or without byte-order mark, any line ends); what is wrong is noted."""
    text = _text(path, problems)
    if text is None:
        return []
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in required if name not in header]
        if missing:
            expected = f"the header needs {', '.join(columns)}"
            problems.append(Problem(path.name, 1, "", f"no column {', '.join(missing)}; {expected}"))
            return []
        return [row for row in (_row(path, reader.line_num, header, cells, problems) for cells in reader) if row]
    except csv.Error as error:
        problems.append(Problem(path.name, reader.line_num, "", f"not a CSV table: {error}"))
        return []


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a CSV file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="raise")
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    temporary.replace(path)


def _text(path: Path, problems: list[Problem]) -> str | None:
    try:
        data = path.read_bytes()
    except OSError as error:
        problems.append(Problem(path.name, None, "", f"cannot be read: {error.strerror}"))
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        byte = data[error.start]
        problems.append(Problem(path.name, row, "", f"byte 0x{byte:02x} is not UTF-8; save the table as UTF-8"))
        return None


def _row(path: Path, number: int, header: Sequence[str], cells: list[str], problems: list[Problem]) -> Row | None:
    if not any(cell.strip() for cell in cells):
        return None
    if len(cells) != len(header):
        problems.append(Problem(path.name, number, "", f"{len(cells)} cells under {len(header)} columns"))
        return None
    return Row(path.name, number, {name: cell.strip() for name, cell in zip(header, cells, strict=True)})


def _cell(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return "" if value is None else value
