"""Facts of a chat template. It is parsed and never rendered: it is a program of somebody else's."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from s3harness.specs.geometry import ChatTemplate, Thinking

if TYPE_CHECKING:
    from jinja2 import nodes

MAX_CHARACTERS = 500_000
PARTS = {
    "video": "video",
    "video_url": "video",
    "image": "image",
    "image_url": "image",
    "audio": "audio",
    "audio_url": "audio",
    "input_audio": "audio",
}
"""Types of the parts of a message, by the media that they are."""

SWITCHES = ("enable_thinking", "thinking")
"""Variables by which chat templates turn reasoning on and off."""

GIVEN = {"messages", "tools", "documents", "add_generation_prompt", "raise_exception", "strftime_now"}
"""Variables that the library gives to a template, and no caller."""

# transformers extends Jinja by this pair of tags, which mark the answers for training.
_GENERATION = re.compile(r"\{%-?\s*(end)?generation\s*-?%\}")
_MARKER = re.compile(r"<([a-z:|]*think[a-z|]*)>")


def chat_template_facts(template: str) -> tuple[ChatTemplate, Thinking | None, str]:
    """Return the facts of a chat template, how its model reasons if it says so, and a note if it cannot be parsed."""
    sha256 = hashlib.sha256(template.encode(errors="replace")).hexdigest()
    try:
        tree = _parsed(template)
    # Jinja's errors, and the recursion of its parser in a template that is nested without end.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        return ChatTemplate(sha256=sha256), None, f"the chat template cannot be parsed: {reason}"
    variables = _variables(tree)
    parts = {PARTS[text] for text in _texts(tree) if text in PARTS}
    facts = ChatTemplate(parts=tuple(sorted(parts)), variables=tuple(sorted(variables)), sha256=sha256)
    return facts, _thinking(template, tree, variables), ""


def _parsed(template: str) -> nodes.Template:
    from jinja2 import Environment
    from jinja2.ext import loopcontrols

    if len(template) > MAX_CHARACTERS:
        raise ValueError(f"it has {len(template)} characters; at most {MAX_CHARACTERS} are read")
    # It makes no HTML, and is not rendered at all.
    environment = Environment(extensions=[loopcontrols], autoescape=False)  # noqa: S701
    return environment.parse(_GENERATION.sub("", template))


def _variables(tree: nodes.Template) -> set[str]:
    from jinja2.defaults import DEFAULT_NAMESPACE
    from jinja2.meta import find_undeclared_variables

    names = find_undeclared_variables(tree) - GIVEN - set(DEFAULT_NAMESPACE)
    return {name for name in names if not name.endswith("_token")}


def _texts(tree: nodes.Template) -> Iterable[str]:
    from jinja2 import nodes

    return (str(constant.value) for constant in tree.find_all(nodes.Const) if isinstance(constant.value, str))


def _thinking(template: str, tree: nodes.Template, variables: set[str]) -> Thinking | None:
    marker = _MARKER.search(template)
    name = marker.group(1) if marker else "think"
    markers = {"start": f"<{name}>", "end": f"</{name}>"}
    switch = next((switch for switch in SWITCHES if switch in variables), "")
    if switch:
        return Thinking(by_default=_is_on(tree, switch), switch=switch, **markers)
    # A template that ends with an open marker has the model continue with its reasoning.
    _, asks, end = template.rpartition("add_generation_prompt")
    if asks and markers["start"] in end and markers["end"] not in end:
        return Thinking(by_default=True, **markers)
    return None


def _is_on(tree: nodes.Template, switch: str) -> bool:
    """Return whether the conditions on a variable come out as if it were true where a caller does not set it."""
    from jinja2 import nodes

    tests = [branch.test for branch in tree.find_all(nodes.If)]
    tests += [branch.test for branch in tree.find_all(nodes.CondExpr)]
    for test in tests:
        unset, off, on = (_value(test, switch, value) for value in (_UNSET, False, True))
        if off != on and unset in (off, on):
            return bool(unset == on)
    return False


_UNSET = object()
_TESTS: Mapping[str, Callable[[Any], bool]] = {
    "defined": lambda value: value is not _UNSET,
    "undefined": lambda value: value is _UNSET,
    "true": lambda value: value is True,
    "false": lambda value: value is False,
    "none": lambda value: value is None,
}


def _value(node: nodes.Node, switch: str, value: object) -> Any:
    """Evaluate a condition for a value of the switch; ``None`` where it depends on something else."""
    from jinja2 import nodes

    result: Any = None
    match node:
        case nodes.Name(name=name) if name == switch:
            result = value
        case nodes.Const(value=constant):
            result = constant
        case nodes.Not(node=inner):
            operand = _value(inner, switch, value)
            result = None if operand is None else not _truth(operand)
        case nodes.Test(node=inner, name=name) if name in _TESTS:
            operand = _value(inner, switch, value)
            result = None if operand is None else _TESTS[name](operand)
        case nodes.And() | nodes.Or():
            operands = [_value(side, switch, value) for side in (node.left, node.right)]
            # Other conditions are left out: the switch alone is looked at.
            combine = all if isinstance(node, nodes.And) else any
            result = combine(_truth(operand) for operand in operands if operand is not None)
        case nodes.Compare(expr=expr, ops=[nodes.Operand(op="eq", expr=other)]):
            result = _value(expr, switch, value) == _value(other, switch, value)
    return result


def _truth(value: object) -> bool:
    return value is not _UNSET and bool(value)
