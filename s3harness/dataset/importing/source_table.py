"""Tables of a hospital as they come: CSV in any delimiter and common encoding, TSV, and sheets of xlsx workbooks."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from s3harness.dataset.importing.header_rows import header_rows
from s3harness.dataset.tables import MAX_CELL, MAX_COLUMNS, Problem, Row, parse_table
from s3harness.errors import UsageError

DELIMITERS = (",", ";", "\t", "|")
XLSX, OLD_WORKBOOK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
"""First bytes of xlsx (and ods) files, and of xls files."""
MAX_BYTES = 200_000_000
SAMPLED_ROWS = 20
"""First rows of a table, among which its header is looked for."""


@dataclass(frozen=True)
class SourceTable:
    """One table of a source: its header, its rows with their places in the source, and problems of its form."""

    name: str
    header: list[str]
    rows: list[Row]
    problems: list[Problem] = field(default_factory=list)

    def values(self, column: str) -> list[str]:
        """Return the different values of a column that are not empty, in the order of the rows."""
        return list(dict.fromkeys(row[column] for row in self.rows if row[column]))


def read_tables(source: Path, *, encoding: str = "", sheet: str = "", header_row: int = 0) -> list[SourceTable]:
    """Return the tables that a file may be read as: a CSV file by each delimiter, a workbook's sheets.

    Without ``encoding``, UTF-8 and then Windows-1252 are tried; without ``header_row`` (the first is 1), the header is
    the first row with as many cells as the table is wide. Raises :class:`UsageError` for a file that is no table.
    """
    try:
        if source.stat().st_size > MAX_BYTES:
            raise UsageError(f"{source.name} is larger than {MAX_BYTES // 10**6} MB; is it a table?")
        content = source.read_bytes()
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror}") from error
    if content.startswith(OLD_WORKBOOK):
        raise UsageError(f"{source.name} is a workbook of an old format; save it as xlsx or CSV")
    if content.startswith(XLSX):
        return _workbook(source, content, sheet, header_row)
    text = _decoded(source, content, encoding)
    return [_csv(source.name, text, delimiter, header_row) for delimiter in DELIMITERS]


def _decoded(source: Path, content: bytes, encoding: str) -> str:
    if encoding:
        encodings = [encoding]
    elif content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        # Excel on Windows writes the latter; nearly any bytes can be read as it, so that it comes last.
        encodings = ["utf-8-sig", "cp1252"]
    problem: Exception | None = None
    for name in encodings:
        try:
            return content.decode(name)
        except (UnicodeError, LookupError) as error:
            problem = error
    raise UsageError(
        f"{source.name}: not {' or '.join(encodings)}: {problem}; name its encoding with --encoding"
    ) from problem


def _csv(name: str, text: str, delimiter: str, header_row: int) -> SourceTable:
    problems: list[Problem] = []
    # Titles of the ward stand above the header in many exports.
    skipped = header_row - 1 if header_row else _lines_above_header(text, delimiter)
    lines = text.splitlines(keepends=True)
    skipped, lines = _with_one_header(lines, skipped, delimiter)
    header, rows = parse_table(name, io.StringIO("".join(lines[skipped:]), newline=""), problems, delimiter)
    table = SourceTable(name, header, [Row(row.file, row.number + skipped, row.cells) for row in rows])
    moved = [Problem(p.file, p.row + skipped if p.row else None, p.column, p.message) for p in problems]
    table.problems.extend(moved)
    return table


def _with_one_header(lines: list[str], above: int, delimiter: str) -> tuple[int, list[str]]:
    """Return the number of lines above the last header row, and the lines with names joined from two header rows."""
    top = lines[: above + 2]
    try:
        cells = [[cell.strip() for cell in line] for line in csv.reader(top, delimiter=delimiter)]
    except csv.Error:
        cells = []
    # Cells with line breaks make fewer rows than lines: such a header is taken as it is.
    if len(cells) != len(top) or len(cells) <= above:
        return above, lines
    last, names = header_rows(cells, above)
    if names == cells[above]:
        return above, lines
    joined = io.StringIO()
    csv.writer(joined, delimiter=delimiter, lineterminator="\n").writerow(names)
    return last, [*lines[:last], joined.getvalue(), *lines[last + 1 :]]


def _lines_above_header(text: str, delimiter: str) -> int:
    """Return the number of lines before the first that has nearly as many cells as the widest of the first lines."""
    lines = text.splitlines()[:SAMPLED_ROWS]
    counts = [sum(bool(cell.strip()) for cell in line.split(delimiter)) for line in lines]
    return _first_wide(counts)


def _first_wide(counts: Sequence[int]) -> int:
    widest = max(counts, default=0)
    # A table of one or two columns has no row that stands out.
    return next((n for n, count in enumerate(counts) if count * 2 > widest), 0) if widest > 2 else 0


def _workbook(source: Path, content: bytes, sheet: str, header_row: int) -> list[SourceTable]:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        # Not read_only: merged cells are known only to a whole sheet.
        book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    # openpyxl 3.1 raises whatever its parsers raise for a damaged or foreign archive.
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError) as error:
        raise UsageError(f"{source.name} is no xlsx workbook that can be read: {error}; save it as CSV") from error
    names = [one.title for one in book.worksheets]
    if sheet and sheet not in names:
        raise UsageError(f"{source.name} has no sheet {sheet!r}; its sheets: {', '.join(names)}")
    return [_sheet(source.name, one, header_row) for one in book.worksheets if sheet in ("", one.title)]


def _sheet(file: str, sheet: Any, header_row: int) -> SourceTable:
    name = f"{file}, sheet {sheet.title}"
    if sheet.max_column > MAX_COLUMNS:
        message = f"{sheet.max_column} columns; at most {MAX_COLUMNS} are allowed"
        return SourceTable(name, [], [], [Problem(name, 1, "", message)])
    grid = [[_cell_text(cell) for cell in row] for row in sheet.iter_rows()]
    for merged in sheet.merged_cells.ranges:
        _fill(grid, merged)
    above = header_row - 1 if header_row else _first_wide([sum(map(bool, row)) for row in grid[:SAMPLED_ROWS]])
    above, header = header_rows(grid[: above + 2], above)
    problems = [
        Problem(name, above + 1, cell, "there are two columns of this name")
        for cell in sorted({cell for cell in header if cell and header.count(cell) > 1})
    ]
    rows = [Row(name, number, dict(_named(header, cells))) for number, cells in _below(grid, above)]
    return SourceTable(name, header, rows, problems)


def _below(grid: Sequence[list[str]], above: int) -> Iterator[tuple[int, list[str]]]:
    for number, cells in enumerate(grid[above + 1 :], start=above + 2):
        if any(cells):
            yield number, cells


def _named(header: Iterable[str], cells: Iterable[str]) -> Iterator[tuple[str, str]]:
    # Sheets end in empty columns without a name.
    return ((name, cell) for name, cell in zip(header, cells, strict=True) if name)


def _fill(grid: list[list[str]], merged: Any) -> None:
    """Write the text of a merged cell downwards into all rows that it covers."""
    text = grid[merged.min_row - 1][merged.min_col - 1]
    # A title merged over columns must not look like a header of many.
    if merged.min_col == merged.max_col:
        for row in grid[merged.min_row - 1 : merged.max_row]:
            row[merged.min_col - 1] = text


def _cell_text(cell: Any) -> str:
    """Return a cell as the spreadsheet shows it, as far as its value needs: times and dates in one form."""
    value = cell.value
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d") if value.time() == time() else value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, time | timedelta):
        return _time_text(value, str(cell.number_format))
    # A bool is an int, too: it goes first.
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return "" if value is None else str(value).replace("\0", "").strip()[:MAX_CELL]


def _time_text(value: time | timedelta, shown_as: str) -> str:
    if isinstance(value, time):
        value = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
    total = value.total_seconds()
    minutes, rest = divmod(total, 60)
    hours, minutes = divmod(int(minutes), 60)
    # Somebody who typed 0:02 for two seconds sees 0:02, and the spreadsheet stores two minutes.
    if "s" not in shown_as.lower():
        return f"{hours}:{minutes:02d}"
    fraction = f"{rest:06.3f}".rstrip("0").rstrip(".")
    return f"{hours}:{minutes:02d}:{fraction.zfill(2)}"
