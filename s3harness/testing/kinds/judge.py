"""Promises of a judge."""

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
    """Try a judge on made-up reports, and on replies of its own form and of others."""
    judge: Any = None
    with bench.trying("form"):
        judge = bench.thing()
    if judge is None:
        return
    missing = [name for name in MEMBERS if not hasattr(judge, name)]
    if not bench.must("form", not missing, f"it has no {', '.join(missing)}"):
        return
    bench.must("form", isinstance(judge.system, str), f"system is {type(judge.system).__name__}")
    bench.must("form", isinstance(judge.generation, Generation), f"generation is {type(judge.generation).__name__}")
    _try_schema(bench, judge.answer_schema)
    report = next(video.report for video in made_up_videos() if video.report)
    for case, text in {
        "a report": report,
        # Reports are untrusted text: a prompt made by str.format or % breaks on these.
        "braces": "{report} {0} %s",
        "control codes": TEXTS["control codes"],
    }.items():
        with bench.trying("asks", case):
            bench.must("asks", text in judge.prompt(text), f"{case}: it is not in the prompt")
            bench.must(
                "same again",
                judge.prompt(text) == bench.thing().prompt(text),
                f"{case}: another prompt",
            )
    # A judge is a model, whose replies may be anything that an answerer's may.
    for case, reply in TEXTS.items():
        _read(bench, judge, case, reply, report)
    _try_own_form(bench, judge, report)


def _try_schema(bench: Bench, schema: object) -> None:
    from jsonschema import Draft202012Validator

    with bench.trying("schema"):
        # An assertion is caught by the trial, and becomes the note of the broken promise.
        assert isinstance(schema, Mapping), f"it is {type(schema).__name__}"
        Draft202012Validator.check_schema(schema)


def _read(bench: Bench, judge: Any, case: str, reply: str, report: str) -> Reading | None:
    reading: object = None
    with bench.trying("answers", case):
        reading = judge.read(reply, report)
        bench.must("same again", same(judge.read(reply, report), reading), f"{case}: another result when repeated")
    if reading is None:
        return None
    if not bench.must("structure", isinstance(reading, Reading), f"{case}: it returned {type(reading).__name__}"):
        return None
    assert isinstance(reading, Reading)
    value = None if reading.status == "unparsable" else reading.value
    is_right = reading.value is None if reading.status == "unparsable" else isinstance(value, ReportStructure)
    bench.must("structure", is_right, f"{case}: {reading.status}, with {type(reading.value).__name__}")
    return reading


def _try_own_form(bench: Bench, judge: Any, report: str) -> None:
    from jsonschema import Draft202012Validator

    reply = smallest(judge.answer_schema)
    # smallest knows no patterns, references or combinations of schemas.
    if not Draft202012Validator(judge.answer_schema).is_valid(reply):
        bench.untried.append("own form: no reply could be built from its answer_schema")
        return
    reading = _read(bench, judge, "its own form", json.dumps(reply), report)
    if reading is not None:
        bench.must("own form", reading.status != "unparsable", f"{json.dumps(reply)[:120]} not parsed: {reading.note}")


def smallest(schema: Any) -> Any:
    """Return a small value of a plain JSON Schema: enumerations, objects, arrays and simple types."""
    if not isinstance(schema, Mapping):
        return None
    if "const" in schema or schema.get("enum"):
        return schema["const"] if "const" in schema else schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        required = schema.get("required", list(schema.get("properties", {})))
        return {name: smallest(schema.get("properties", {}).get(name, {})) for name in required}
    if kind == "array":
        return [smallest(schema.get("items", {}))] * int(schema.get("minItems", 0))
    # An unknown type becomes null, which the caller's validation refuses.
    return {"string": "", "boolean": False, "integer": 0, "number": 0.0}.get(str(kind))
