"""Escaping of untrusted text for spreadsheets, LaTeX and Markdown.

Pages escape by Jinja2's autoescape. Every escaped text is one line, without control characters.
"""

from __future__ import annotations

import unicodedata

_FORMULA = "=+-@|%\t\r\n＝＋－＠"
"""First characters that spreadsheets take for a formula or a command (OWASP, CSV injection), wide forms included."""
_TEX = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    '"': "\\textquotedbl{}",
    "`": "\\textasciigrave{}",
}
_MARKDOWN = frozenset("\\`*_{}[]()<>#+-.!|~&$@:")


def for_csv(value: object) -> object:
    """Return a cell of a CSV file; text that a spreadsheet would run gets an apostrophe in front, numbers stay."""
    if not isinstance(value, str):
        return value
    text = plain(value)
    # Spreadsheets skip leading blanks before they look for a formula.
    return f"'{text}" if text.lstrip()[:1] and text.lstrip()[0] in _FORMULA else text


def for_latex(text: str) -> str:
    """Return the text for LaTeX, in which no character is a command."""
    return "".join(_TEX.get(c, c) for c in plain(text))


def for_markdown(text: str) -> str:
    """Return the text for Markdown, also in a cell of a table, in which nothing is a link, markup or HTML."""
    # Backslashes do not escape HTML, which Markdown passes through; entities do.
    return "".join(f"&#{ord(c)};" if c in "<>&" else f"\\{c}" if c in _MARKDOWN else c for c in plain(text))


def plain(text: str) -> str:
    """Return the text on one line, without characters that control a display or reorder its text."""
    # Categories C (control, format, unassigned) and Z (separators); a separator that is a blank becomes one.
    visible = (c if unicodedata.category(c)[0] not in "CZ" else " " if c.isspace() else "" for c in text)
    return " ".join("".join(visible).split())
