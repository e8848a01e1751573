"""First inputs of the corpus: right ones for every target, made from a synthetic data set."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from fuzz.inputs import CORPUS, Input
from s3harness.package_data import specs_directory

MAPPING = """\
schema: s3harness/mapping/v1
name: ward 7
version: "2024"
licence: internal
video: Datei
patient: Patient
split: Gruppe
onset: Beginn
offset: Ende
onset_body_part: Ort
report: Befund
diagnosis: {column: Art, values: {epileptisch: ES, dissoziativ: NES}}
features:
  tonic: {present: tonisch, start: tonisch von, end: tonisch bis, side: Seite, justification: Notiz}
  ictal_vocalization: {present: Laut}
words: {"yes": [ja], "no": [nein], untested: [unklar]}
"""
TABLE = """\
Datei,Patient,Gruppe,Beginn,Ende,Ort,Befund,Art,tonisch,tonisch von,tonisch bis,Seite,Notiz,Laut
a_2021-05-13.mp4,one,train,0:01,3,Left Arm,"Der Arm, steif",epileptisch,ja,0:00:01,2.5,L,steif,nein
sub/b_2020.MP4,two,test,1,00:03,,,NES,nein,,,,,unklar
"""
CARD = """\
schema: s3harness/model/v1
name: some-model
title: Some model
weights: some/model
revision: abc
family: internvl3.5
parameters_b: 8
modalities: [video, audio]
licence: MIT
engines: {vllm: {max_model_len: 8192}}
protocols: {paper: {samplers: {sliding_windows: {frames: 16}}, generation: {temperature: 0.5}}}
"""
SCHEMA = {
    "type": "object",
    "required": ["answer"],
    "properties": {"answer": {"enum": ["yes", "no"]}, "why": {"$ref": "#/$defs/text"}},
    "$defs": {"text": {"type": "string", "pattern": "^[a-z ]+$", "maxLength": 80}},
    "patternProperties": {"^x": {"type": "array", "items": {"type": "number"}, "uniqueItems": True}},
}
TEMPLATE = """\
{{ feature.question if feature is defined else report }} {% for f in features %}{{ f.name | upper }}, {% endfor %}
{{ features | map(attribute="title") | join(", ") }} {{ "%.1f" | format(clip.duration_s) }}
{% if hears and subject in ("onset",) %}Listen.{% else %}{{ body_parts | join("; ") }}{% endif %}
"""
REPORT = (
    "At 00:12 the left arm stiffens, then the head turns to the right; no clonic movement. She may be unresponsive. "
    "Later, bilateral tonic-clonic shaking for 40 s, and the patient answers questions at 1:05."
)
GERMAN = "Der linke Arm wird nach zwölf Sekunden steif, dann dreht sich der Kopf nach rechts, und sie antwortet nicht."
REPLIES = (
    '{"answer": "yes", "justification": "It was seen."}',
    '<think>It may be.</think>\n```json\n{"timestamp": "00:37"}\n```',
    "1. tonic\n2. head turning\n3. clonic",
    "The answer is not left but right, at 12.5 s. ES, not NES.",
    "Ich kann das nicht sagen. I'm sorry, I cannot help with that.",
)
IDENTIFIERS = (
    "Frau Dr. Müller (geb. 12.03.1951), Tel. +49 761 270-0, v. Beethoven, LAST^FIRST, MRN 00123456, 12MAR2021, "
    "a.b@c.org, 10.0.0.1, 00:1A:2B:3C:4D:5E, 79106 Freiburg, Breisacher Str. 64, 92-year-old, EEG_2021.nk, C:\\a\\b.avi"
)
COMPLETION = {
    "id": "c1",
    "object": "chat.completion",
    "model": "some-model",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": [{"type": "text", "text": "yes"}]},
            "logprobs": {
                "content": [
                    {
                        "token": "yes",
                        "logprob": -0.1,
                        "top_logprobs": [{"token": "no", "logprob": -2.0, "bytes": [110]}],
                    }
                ]
            },
        }
    ],
    "usage": {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 3}},
}
MODELS = {"object": "list", "data": [{"id": "some-model", "owned_by": "vllm", "max_model_len": 4096, "root": "x"}]}
REFUSAL = {"error": {"message": "logprobs are not supported", "type": "x", "code": 400, "param": "logprobs"}}


def make() -> None:
    """Write the first inputs; those that were kept later stay."""
    for name, one in _inputs():
        one.save(CORPUS / one.target, f"right-{name}")


def _inputs() -> Iterator[tuple[str, Input]]:
    for path in sorted((specs_directory() / "tasks").glob("*.yaml")):
        yield path.stem, Input("spec", {"task.yaml": path.read_bytes()})
    yield from _texts()
    # By the command line, as users make them: a change of a format changes the corpus with it.
    with tempfile.TemporaryDirectory() as folder:
        yield from _made_by_the_command_line(Path(folder))


def _texts() -> Iterator[tuple[str, Input]]:
    yield "card", _input("card", {"card.yaml": CARD})
    yield "schema", _input("schema", {"schema.json": json.dumps(SCHEMA), "answer.json": '{"answer": "yes", "x1": [1]}'})
    yield "template", _input("template", {"prompt.txt": TEMPLATE})
    yield "table", _input("table", {"table.csv": TABLE, "mapping.yaml": MAPPING})
    for number, text in enumerate(REPLIES):
        yield str(number), _input("reply", {"reply.txt": text})
    yield "report", _input("report", {"report.txt": REPORT, "expert.txt": REPORT})
    yield "german-report", _input("report", {"report.txt": GERMAN, "expert.txt": REPORT})
    yield "identifiers", _input("identifiers", {"text.txt": IDENTIFIERS, "words.txt": "Müller\np17\nward7_cam2.avi\n"})
    yield "json", _input("json", {"value.json": json.dumps(SCHEMA)})
    for name, status, body in (("completion", 200, COMPLETION), ("models", 200, MODELS), ("refusal", 400, REFUSAL)):
        yield name, _input("http", {"reply.http": _reply(status, json.dumps(body))})
    chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nRetry-After: 3\r\n\r\n3\r\n{} \r\n0\r\n\r\n"
    yield "chunks", _input("http", {"reply.http": chunks})


def _made_by_the_command_line(folder: Path) -> Iterator[tuple[str, Input]]:
    data, run, packed = folder / "data", folder / "run", folder / "packed"
    _call("data", "synth", "--out", data, "--videos", 2, "--seconds", 12, "--resolution", "96x54", "--seed", 4)
    _call("run", "--backend", "floors", "--data", data, "--out", run)
    _call("submit", "pack", run, "--out", packed, "--with-truth")
    yield "dataset", Input("dataset", _files(data, "*.csv", "*.json"))
    yield "run", Input("run", _short(_files(run, "manifest.json", "items.jsonl", "responses.jsonl")))
    yield "submission", Input("submission", _files(packed, "**/*.json", "**/*.jsonl"))
    for name in ("audit.jsonl", "private.json", "sent.jsonl"):
        lines = (run / name).read_bytes().splitlines(keepends=True)
        yield name.partition(".")[0], Input("records", {f"record.{name.partition('.')[2]}": b"".join(lines[:4])})


def _files(folder: Path, *patterns: str) -> Mapping[str, bytes]:
    paths = sorted(path for pattern in patterns for path in folder.glob(pattern))
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def _short(run: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return a run with a few lines of each task and all their answers, which is scored in a moment."""
    by_task: dict[str, list[dict[str, object]]] = {}
    for line in map(json.loads, run["items.jsonl"].splitlines()):
        by_task.setdefault(line["task"], []).append(line)
    items = [line for lines in by_task.values() for line in lines[-3:]]
    requests = {request for line in items for request in line["requests"]}  # type: ignore[attr-defined]
    answers = [line for line in run["responses.jsonl"].splitlines() if json.loads(line)["id"] in requests]
    lines = "".join(f"{json.dumps(line)}\n" for line in items).encode()
    return {**run, "items.jsonl": lines, "responses.jsonl": b"".join(line + b"\n" for line in answers)}


def _call(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "s3harness", *map(str, words)], check=True, capture_output=True)


def _reply(status: int, body: str) -> str:
    # Status 400 says "OK" too: nobody reads the phrase.
    return f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"


def _input(target: str, files: Mapping[str, str]) -> Input:
    return Input(target, {name: text.encode() for name, text in files.items()})
