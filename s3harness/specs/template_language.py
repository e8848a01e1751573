"""The language of prompts: what a Jinja2 template may use, so that rendering one is bounded by its length.

A prompt needs names, their parts, conditions, a loop over the signs and a list joined. It needs no assignment, no call
and no arithmetic: those are what make a short template fill the memory. A template of the language expands each of its
characters at most once for each pair of signs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from s3harness.errors import SpecError

if TYPE_CHECKING:
    from jinja2 import nodes

MAX_TEMPLATE = 20_000
"""Characters of a template; the benchmark's longest has about 2,000."""
MAX_LOOPS = 2
"""Loops inside each other."""
MAX_SEPARATOR = 20
"""Characters between the parts of a joined list."""

NODES = frozenset(
    [
        "Output",
        "TemplateData",
        "Name",
        "Const",
        "Getattr",
        "Getitem",
        "If",
        "For",
        "CondExpr",
        "Compare",
        "Operand",
        "And",
        "Or",
        "Not",
        "Filter",
        "Test",
        "Tuple",
        "List",
        "Keyword",
    ]
)
FILTERS = frozenset(
    [
        "capitalize",
        "default",
        "first",
        "format",
        "int",
        "join",
        "last",
        "length",
        "list",
        "lower",
        "map",
        "round",
        "sort",
        "title",
        "trim",
        "unique",
        "upper",
    ]
)
TESTS = frozenset(["defined", "eq", "equalto", "false", "in", "ne", "none", "sameas", "string", "true", "undefined"])
_NUMBER_FORMAT = re.compile(r"%(\.\d)?[dfg]", re.ASCII)
"""A width would pad a number to any length."""
UNLOOPED = frozenset({"report"})
"""Texts that may be long: a loop over their characters has no use."""


def check_template(environment: Any, template: str) -> None:
    """Raise :class:`SpecError` for a template that uses more than the language of prompts has.

    What is no template at all is for the renderer to say.
    """
    from jinja2 import TemplateSyntaxError

    if len(template) > MAX_TEMPLATE:
        raise SpecError(f"prompt: the template has {len(template)} characters; at most {MAX_TEMPLATE} are allowed")
    try:
        tree = environment.parse(template)
    except TemplateSyntaxError:
        return
    except RecursionError as error:
        raise SpecError("prompt: nested too deep") from error
    # The root is of a kind that no template can nest, and that NODES does not list.
    for child in tree.iter_child_nodes():
        _check(child, 0)


def _check(node: nodes.Node, loops: int) -> None:
    kind = type(node).__name__
    if kind not in NODES:
        raise _refused(node, f"{_WORDS.get(kind, kind)} is not part of the language of prompts")
    if kind == "For":
        _check_loop(node, loops)
    if kind == "Filter":
        _check_filter(node)
    if kind == "Test":
        _check_test(node)
    for child in node.iter_child_nodes():
        _check(child, loops + (kind == "For"))


def _check_loop(node: Any, loops: int) -> None:
    if loops >= MAX_LOOPS:
        raise _refused(node, f"more than {MAX_LOOPS} loops inside each other")
    # A list that is made on the spot, or a long text, makes the number of turns unbounded.
    if node.recursive or _root(node.iter) is None or _root(node.iter) in UNLOOPED:
        raise _refused(node, "a loop goes over a list by its name, such as features or body_parts")


def _check_filter(node: Any) -> None:
    if node.name not in FILTERS:
        raise _refused(node, f"there is no filter {node.name!r} for prompts: {', '.join(sorted(FILTERS))}")
    if node.name == "format" and not (
        type(node.node).__name__ == "Const" and _NUMBER_FORMAT.fullmatch(str(node.node.value))
    ):
        raise _refused(node, 'format writes one number, as in "%.1f" | format(clip.duration_s)')
    if node.name == "join":
        # A constant: a separator that is itself a list or text multiplies the length.
        separators = [argument.value for argument in node.args if type(argument).__name__ == "Const"]
        is_short = len(separators) == len(node.args) and all(len(str(s)) <= MAX_SEPARATOR for s in separators)
        if not is_short or node.node is None or _root(node.node) in (None, *UNLOOPED):
            reason = f"join takes a list by its name, and a separator of at most {MAX_SEPARATOR} characters"
            raise _refused(node, reason)


def _check_test(node: Any) -> None:
    if node.name not in TESTS:
        raise _refused(node, f"there is no test {node.name!r} for prompts: {', '.join(sorted(TESTS))}")


def _root(node: Any) -> str | None:
    """Return the name that a value is a part or a selection of; ``None`` for anything that is made on the spot."""
    kind = type(node).__name__
    if kind == "Name":
        return str(node.name)
    if kind in ("Getattr", "Getitem"):
        return _root(node.node)
    is_selection = kind == "Filter" and node.name in ("map", "list", "sort", "unique")
    return _root(node.node) if is_selection else None


def _refused(node: nodes.Node, reason: str) -> SpecError:
    return SpecError(f"prompt: line {node.lineno}: {reason}")


_WORDS = {
    "Add": "the operator +",
    "Assign": "set",
    "AssignBlock": "set",
    "Call": "a call",
    "CallBlock": "call",
    "Concat": "the operator ~",
    "Div": "the operator /",
    "Extends": "extends",
    "FilterBlock": "filter",
    "FloorDiv": "the operator //",
    "FromImport": "import",
    "Import": "import",
    "Include": "include",
    "Macro": "macro",
    "Mod": "the operator %",
    "Mul": "the operator *",
    "Pow": "the operator **",
    "Sub": "the operator -",
    "With": "with",
}
"""Node of Jinja2 → how it is written."""
