"""The source reads plainly: docstrings say what is returned, names what they hold, and a class name has one meaning."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for folder in ("s3harness", "plugins")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not {"tests", "tests_engine"} & set(path.parts)
]
QUESTION = re.compile(r"(What|Whether|How|Who|Whose|Which|Where|When|Why)\b")
VAGUE = {"found", "said", "told", "made", "asked"}
"""Names that say what happened to a value instead of what it is."""


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def test_no_docstring_begins_with_a_question_word(trees):
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    questions = [
        f"{path}:{getattr(node, 'lineno', 1)}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, kinds) and QUESTION.match(ast.get_docstring(node) or "")
    ]
    assert questions == []


def test_no_variable_has_a_vague_name(trees):
    vague = []
    for path, tree in trees.items():
        for node in ast.walk(tree):
            name = node.arg if isinstance(node, ast.arg) else node.id if isinstance(node, ast.Name) else ""
            if name in VAGUE:
                vague.append(f"{path}:{node.lineno}: {name}")
    assert vague == []


def test_a_class_name_has_one_meaning(trees):
    places = defaultdict(list)
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path}:{node.lineno}")
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_every_room_is_on_the_map():
    rooms = {path.stem if path.suffix else path.name for path in (ROOT / "s3harness").iterdir() if _is_room(path)}
    map_of_rooms = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Rules for a change")[0]
    assert {room for room in rooms if not re.search(rf"`{room}/?`", map_of_rooms)} == set()


def _is_room(path: Path) -> bool:
    is_module = path.suffix == ".py" and not path.name.startswith("__")
    return is_module or (path / "__init__.py").is_file()
