"""What a judge promises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from s3harness.metrics.rqi.structure import ReportStructure
from s3harness.parsers.reading import Reading
from s3harness.testing.cases import made_up_videos
from s3harness.testing.kinds.parser import TEXTS
from s3harness.testing.trial import Bench, same
from s3harness.types import Generation

MEMBERS = ("system", "answer_schema", "generation", "prompt", "read")

PROMISES: Mapping[str, str] = {
    "form": f"it is a class made without arguments, with {', '.join(MEMBERS)} of the right types",
    "schema": "its answer_schema is a JSON Schema",
    "asks": "its prompt holds any report",
    "answers": "it accepts any reply without raising an error",
    "structure": "a parsed reply gives a ReportStructure, any other reply no value",
    "own form": "it parses a reply of the form that it asked for",
}


def try_it(bench: Bench) -> None:
    """Try a judge on made-up reports, and on replies of its own form and of none."""
    made: Any = None
    with bench.trying("form"):
        made = bench.thing()
    if made is None:
        return
    lacking = [name for name in MEMBERS if not hasattr(made, name)]
    if not bench.must("form", not lacking, f"it has no {', '.join(lacking)}"):
        return
    bench.must("form", isinstance(made.system, str), f"system is {type(made.system).__name__}")
    bench.must("form", isinstance(made.generation, Generation), f"generation is {type(made.generation).__name__}")
    _try_schema(bench, made.answer_schema)
    report = next(video.report for video in made_up_videos() if video.report)
    for what, text in {
        "a report": report,
        "braces": "{report} {0} %s",
        "control codes": TEXTS["control codes"],
    }.items():
        with bench.trying("asks", what):
            bench.must("asks", text in made.prompt(text), f"{what}: it is not in the prompt")
            bench.must("same again", made.prompt(text) == bench.thing().prompt(text), f"{what} is asked differently")
    for what, reply in TEXTS.items():
        _read(bench, made, what, reply, report)
    _try_own_form(bench, made, report)


def _try_schema(bench: Bench, schema: object) -> None:
    from jsonschema import Draft202012Validator

    with bench.trying("schema"):
        assert isinstance(schema, Mapping), f"it is {type(schema).__name__}"
        Draft202012Validator.check_schema(schema)


def _read(bench: Bench, judge: Any, what: str, reply: str, report: str) -> Reading | None:
    found: object = None
    with bench.trying("answers", what):
        found = judge.read(reply, report)
        bench.must("same again", same(judge.read(reply, report), found), f"{what} is read differently")
    if found is None:
        return None
    if not bench.must("structure", isinstance(found, Reading), f"{what}: it returned {type(found).__name__}"):
        return None
    assert isinstance(found, Reading)
    value = None if found.status == "unparsable" else found.value
    is_right = found.value is None if found.status == "unparsable" else isinstance(value, ReportStructure)
    bench.must("structure", is_right, f"{what}: {found.status}, with {type(found.value).__name__}")
    return found


def _try_own_form(bench: Bench, judge: Any, report: str) -> None:
    from jsonschema import Draft202012Validator

    reply = smallest(judge.answer_schema)
    if not Draft202012Validator(judge.answer_schema).is_valid(reply):
        bench.untried.append("own form: no reply could be made of its answer_schema")
        return
    found = _read(bench, judge, "its own form", json.dumps(reply), report)
    if found is not None:
        bench.must("own form", found.status != "unparsable", f"{json.dumps(reply)[:120]} is not read: {found.note}")


def smallest(schema: Any) -> Any:
    """A small value of a JSON Schema of the plain kind: enumerations, objects, arrays and simple types."""
    if not isinstance(schema, Mapping):
        return None
    if "const" in schema or schema.get("enum"):
        return schema["const"] if "const" in schema else schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        wanted = schema.get("required", list(schema.get("properties", {})))
        return {name: smallest(schema.get("properties", {}).get(name, {})) for name in wanted}
    if kind == "array":
        return [smallest(schema.get("items", {}))] * int(schema.get("minItems", 0))
    return {"string": "", "boolean": False, "integer": 0, "number": 0.0}.get(str(kind))
