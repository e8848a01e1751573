"""The commands that the documentation shows.

A fenced block of language ``console`` holds them, each after ``$ ``; other lines are what is printed. What ``cat FILE``
prints is what is in the file. ``needs="…"`` says that a block needs what a test does not have (an engine, a server, the
authors' release): its commands are not run, but read as the command line would. ``exit="1"`` is the expected exit code.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from s3harness.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PLUGIN_PAGES = sorted((ROOT / "plugins").glob("*/README.md"))

_BLOCK = re.compile(r"^```(?P<language>\w+)(?P<said>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_INLINE = re.compile(r"(?<!`)`(s3harness [^`]+)`")


@dataclass(frozen=True)
class Command:
    """One command of a page, the text shown after it, and what its block needs and ends with."""

    line: str
    shown: str
    needs: str
    code: int

    @property
    def variables(self) -> dict[str, str]:
        """Those set in front of the command."""
        return dict(word.split("=", 1) for word in self._all_words[: self._n_variables])

    @property
    def words(self) -> list[str]:
        return self._all_words[self._n_variables :]

    @property
    def _all_words(self) -> list[str]:
        return shlex.split(self.line, comments=True)

    @property
    def _n_variables(self) -> int:
        words = self._all_words
        return next((n for n, word in enumerate(words) if not re.fullmatch(r"[A-Z0-9_]+=.*", word)), len(words))


def commands(page: Path) -> list[Command]:
    """The commands of a page's console blocks, in order."""
    found = []
    for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["language"] == "console":
            said = dict(_ATTRIBUTE.findall(block["said"]))
            for line, shown in _lines(block["text"]):
                found.append(Command(line, shown, said.get("needs", ""), int(said.get("exit", "0"))))
    return found


def mentioned(page: Path) -> list[str]:
    """Commands in running text and in blocks of the shell: they need not be whole, but what they name must exist."""
    text = page.read_text(encoding="utf-8")
    inline = _INLINE.findall(text)
    shell = [
        block["text"].replace("\\\n", " ") for block in _BLOCK.finditer(text) if block["language"] in ("sh", "bash")
    ]
    lines = [line for block in shell for line in block.splitlines() if line.startswith("s3harness ")]
    return [line for line in inline + lines if "…" not in line and "$(" not in line]


def read_command(words: list[str]) -> click.Context:
    """Read the words after ``s3harness`` as the command line would, without doing anything; raises what it would."""
    command, path = _resolved(words)
    rest = words[len(path) :]
    return command.make_context(" ".join(path), rest)


def check_names(words: list[str]) -> None:
    """That command and options exist, whether or not all that is needed is there."""
    command, path = _resolved(words)
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    said = {word.partition("=")[0] for word in words[len(path) :] if re.match(r"--?[a-z]", word)}
    assert said <= {*known, "--help"}, f"{' '.join(path)} has no {said - known}"


def _resolved(words: list[str]) -> tuple[click.Command, list[str]]:
    command: click.Command = cli
    path: list[str] = []
    while isinstance(command, click.Group) and len(path) < len(words):
        if words[len(path)].startswith("-"):
            break
        found = command.get_command(click.Context(command), words[len(path)])
        if found is None and command.name == "diagnose":
            found = command.get_command(click.Context(command), "evaluate")
            assert found is not None
            return found, path
        assert found is not None, f"there is no command {' '.join(words[: len(path) + 1])}"
        path.append(words[len(path)])
        command = found
    return command, path


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a block, with the lines that follow it."""
    for piece in re.split(r"^\$ ", text.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        line, _, shown = piece.partition("\n")
        yield line.strip(), shown
