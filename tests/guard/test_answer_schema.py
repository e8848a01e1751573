"""A schema from a stranger opens no address, refers to itself nowhere and costs no more than it is long."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from click.testing import CliRunner

from s3harness.cli import cli
from s3harness.guard.answer_schema import SchemaRefusedError, answer_validator, check_answer_schema

SPEC = """\
schema: s3harness/task/v1
name: mine/task_tonic
title: Tonic stiffening
item: feature
sampler: {name: sliding_windows, window_s: 30, stride_s: 25, fps: 2}
prompt: "{{ feature.question }}"
answer:
  parser: json_answer
  key: answer
  schema: SCHEMA
aggregate: any_yes
metrics: [{name: feature_macro_f1, primary: true}]
"""


def doubling(levels):
    """Each part refers twice to the next: 2^levels places when its references are followed."""
    parts = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/a0", "$defs": {**parts, f"a{levels}": {"type": "object"}}}


def nested(depth):
    schema = {"type": "object"}
    for _ in range(depth):
        schema = {"properties": {"a": schema}}
    return schema


# the schema, and what must be said
REFUSED = {
    "a URL": ({"properties": {"a": {"$ref": "http://127.0.0.1:1/x.json"}}}, "only parts of this schema"),
    "a file": ({"$ref": "file:///etc/passwd"}, "only parts of this schema"),
    "a relative file": ({"$ref": "other.json#/a"}, "only parts of this schema"),
    "itself": ({"$ref": "#"}, "only parts of this schema"),
    "a circle": (
        {"$ref": "#/$defs/a", "$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"items": {"$ref": "#/$defs/a"}}}},
        "refers to itself",
    ),
    "a part that is not there": ({"$ref": "#/$defs/none"}, "not a part of this schema"),
    "a reference that is no text": ({"$ref": 7}, "only parts of this schema"),
    "another address": ({"$id": "http://127.0.0.1:1/", "type": "object"}, "$id is not supported"),
    "a dynamic reference": ({"$dynamicRef": "#a"}, "$dynamicRef is not supported"),
    "doubling references": (doubling(30), "more than 10000 places"),
    "a deep one": (nested(100), "nested more than 40 deep"),
    "a pattern with look-around": ({"pattern": "(?=a)b"}, "cannot run in linear time"),
    "a pattern that repeats a repetition": ({"pattern": "((a{1,100}){1,100}){1,100}"}, "cannot run in linear time"),
    "a pattern that is a number": ({"pattern": 3}, "a pattern is a text"),
    "a long pattern": ({"pattern": "a" * 2000}, "at most 1000 characters"),
    "a pattern of names": ({"patternProperties": {"(?<!a)b": {}}}, "cannot run in linear time"),
    "a type that is none": ({"type": "objekt"}, "not a JSON Schema"),
    "no mapping": ([1], "not a JSON Schema"),
}


@pytest.mark.parametrize(("schema", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_schema_that_could_cost_or_open_something_is_refused_with_its_place(schema, reason):
    with pytest.raises(SchemaRefusedError, match=reason.replace("$", r"\$")):
        check_answer_schema(schema)


TAKEN = {
    "what the benchmark uses": {"type": "object", "properties": {"a": {"enum": ["yes", "no"]}}, "required": ["a"]},
    "a local reference": {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}},
    "the same part often": {"properties": {str(n): {"$ref": "#/$defs/a"} for n in range(50)}, "$defs": {"a": {}}},
    "properties called like keywords": {"properties": {"$ref": {"type": "string"}, "pattern": {"type": "number"}}},
}


@pytest.mark.parametrize("schema", TAKEN.values(), ids=TAKEN)
def test_an_ordinary_schema_is_taken(schema):
    check_answer_schema(schema)
    assert answer_validator(schema).is_valid({"a": "yes"})


def test_a_pattern_that_backtracks_runs_in_linear_time():
    """Python's own engine takes 32 s for 26 characters of this, and doubles with each more."""
    schema = {"properties": {"a": {"pattern": "^(a+)+$"}}}
    check_answer_schema(schema)
    validator = answer_validator(schema)
    assert validator.is_valid({"a": "a" * 1000})
    assert not validator.is_valid({"a": "a" * 50_000 + "!"})


@pytest.fixture
def server():
    """A server of this machine, and the paths that were asked of it."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    served = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}", asked
    served.shutdown()
    thread.join()
    served.server_close()


def test_validating_a_spec_asks_no_server(tmp_path, server):
    address, asked = server
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC.replace("SCHEMA", f'{{properties: {{answer: {{$ref: "{address}/x.json"}}}}}}'))
    result = CliRunner().invoke(cli, ["tasks", "validate", str(spec)])
    assert result.exit_code == 2
    assert "spec.yaml:10: answer.schema.properties.answer.$ref" in result.output
    assert "only parts of this schema" in result.output
    assert asked == []


def test_even_an_unchecked_schema_asks_no_server(server):
    address, asked = server
    with pytest.raises(Exception, match="Unresolvable"):
        answer_validator({"$ref": f"{address}/x.json"}).is_valid(json.loads("{}"))
    assert asked == []
