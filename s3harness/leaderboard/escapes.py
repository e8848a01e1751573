"""Escaping: text of strangers as text, and nothing else, in a spreadsheet, in LaTeX and in Markdown.

Pages escape by Jinja2's autoescape. Every form here is one line: control characters and line breaks are gone first.
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
    """Return a cell of a CSV file; text that a spreadsheet would run is preceded by an apostrophe, numbers stay."""
    if not isinstance(value, str):
        return value
    text = plain(value)
    return f"'{text}" if text.lstrip()[:1] and text.lstrip()[0] in _FORMULA else text


def for_latex(text: str) -> str:
    """Return the text for LaTeX, in which no character is a command."""
    return "".join(_TEX.get(c, c) for c in plain(text))


def for_markdown(text: str) -> str:
    """Return the text for Markdown, also in a cell of a table, in which nothing is a link, markup or HTML."""
    return "".join(f"&#{ord(c)};" if c in "<>&" else f"\\{c}" if c in _MARKDOWN else c for c in plain(text))


def plain(text: str) -> str:
    """Return the text on one line, without characters that control or reorder what is shown."""
    kept = (c if unicodedata.category(c)[0] not in "CZ" else " " if c.isspace() else "" for c in text)
    return " ".join("".join(kept).split())
