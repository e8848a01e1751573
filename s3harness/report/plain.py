"""Plain tables: what the listing commands print, without the time that a richer one takes to start."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import zip_longest

import click

GAP = "  "
NARROWEST = 12
STEERING = ("Cc", "Cf", "Cs")
"""Categories of Unicode: control codes, what turns the direction of writing, halves of pairs."""


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
    """A value on one line, without anything that would steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in str(value))


def harmless(text: str) -> str:
    """A text as it may be written on a terminal: its lines, and nothing that would steer it or turn what is read."""
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in STEERING else "�" for c in text)


def _print(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if sys.stdout.isatty():
        import shutil

        widths = _fitted(widths, shutil.get_terminal_size().columns)
    click.echo("\n".join(line for row in rows for line in _lines(row, widths)))


def _fitted(widths: Sequence[int], room: int) -> list[int]:
    """The widths, the widest narrowed until all fit."""
    widths = list(widths)
    while sum(widths) + len(GAP) * (len(widths) - 1) > room and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """The lines of a row, its cells folded to the widths."""
    folded = [_folded(cell, width) for cell, width in zip(row, widths, strict=True)]
    lines = zip_longest(*folded, fillvalue="")
    return [GAP.join(map(str.ljust, line, widths)).rstrip() for line in lines]


def _folded(cell: str, width: int) -> list[str]:
    if len(cell) <= width:
        return [cell]
    import textwrap

    return textwrap.wrap(cell, width)
