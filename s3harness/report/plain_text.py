"""Plain tables for listing commands, which would start slower with rich's tables."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import zip_longest

import click

GAP = "  "
NARROWEST = 12
"""Characters to which a column may be narrowed."""
STEERING = ("Cc", "Cf", "Cs")
"""Unicode categories of control characters, format characters (which can reverse the text) and surrogates."""


def print_rows(rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows of the same columns under their names.

    On a terminal long cells are folded to its width; elsewhere each row is one line.
    """
    if rows:
        header = [str(name) for name in rows[0]]
        cells = [[one_line(value) for value in row.values()] for row in rows]
        _print([header, ["-" * len(name) for name in header], *cells])


def print_pairs(pairs: Mapping[str, object]) -> None:
    """Print names and values, one pair a line."""
    _print([[one_line(name), one_line(value)] for name, value in pairs.items()])


def one_line(value: object) -> str:
    """Return a value as one line, without characters that would steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in str(value))


def harmless(text: str) -> str:
    """Return a text with its lines, without characters that would steer a terminal or reorder the text."""
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in STEERING else "�" for c in text)


def _print(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    # In a pipe every row stays one line, so that grep finds whole rows.
    if sys.stdout.isatty():
        # Imported where it is needed: listings must start fast.
        import shutil

        widths = _fitted(widths, shutil.get_terminal_size().columns)
    click.echo("\n".join(line for row in rows for line in _lines(row, widths)))


def _fitted(widths: Sequence[int], room: int) -> list[int]:
    """Return the widths, the widest narrowed until all columns fit into the room."""
    widths = list(widths)
    while sum(widths) + len(GAP) * (len(widths) - 1) > room and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return the lines of a row, its cells folded to the widths."""
    folded = [_folded(cell, width) for cell, width in zip(row, widths, strict=True)]
    lines = zip_longest(*folded, fillvalue="")
    return [GAP.join(map(str.ljust, line, widths)).rstrip() for line in lines]


def _folded(cell: str, width: int) -> list[str]:
    if len(cell) <= width:
        return [cell]
    # Imported where it is needed, as most cells are short.
    import textwrap

    return textwrap.wrap(cell, width)
