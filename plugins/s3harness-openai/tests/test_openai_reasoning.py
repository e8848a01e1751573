"""Generation settings reach the server, and the reasoning in its replies is kept apart from the answer."""

from __future__ import annotations

import json

import pytest
from misbehaving import ANSWER, Misbehaving, refuses, says
from openai_runs import Run
from s3harness_openai.errors import redactor
from s3harness_openai.response import parse_response

import s3harness

THOUGHTS = "The head turns to the left,\nso the answer is yes."
QUICK = {"attempts": 2, "timeout_s": 5, "patience_s": 5, "in_flight": 8}
REQUEST = s3harness.Request(
    id="id",
    task="task",
    item="item",
    subject="",
    clip=s3harness.Clip("v1", 0, 1, (), 1),
    prompt="What?",
    choices=("yes", "no"),
)

pytestmark = pytest.mark.usefixtures("short_pauses")


def token(text, **others):
    alternatives = [{"token": name, "logprob": value} for name, value in others.items()]
    return {"token": text, "logprob": -0.1, "top_logprobs": alternatives}


@pytest.mark.parametrize(
    "reply",
    [
        # vLLM 0.12 and later, Ollama
        says("\n\nyes", message={"reasoning": THOUGHTS}),
        # vLLM with the older field, SGLang and LMDeploy
        says("yes", message={"reasoning_content": f"\n{THOUGHTS}\n"}),
        says("yes", message={"reasoning_content": None, "reasoning": THOUGHTS}),
        # servers without a reasoning parser; the second's template opened the reasoning in the prompt
        says(f"<think>\n{THOUGHTS}\n</think>\n\nyes"),
        says(f"{THOUGHTS}\n</think>\n\nyes"),
        says([{"type": "thinking", "thinking": THOUGHTS}, {"type": "text", "text": "yes"}]),
    ],
)
def test_reasoning_of_any_server_is_apart_from_the_answer(reply):
    response = parse_response(json.dumps(reply.body).encode(), REQUEST, redactor(""))
    assert (response.status, response.text.strip(), response.reasoning) == ("ok", "yes", THOUGHTS)


@pytest.mark.parametrize(
    "reply",
    [
        says(None, "length", message={"reasoning": THOUGHTS}),
        says(None, "stop", message={"reasoning_content": THOUGHTS}),
        says(f"<think>\n{THOUGHTS}", "stop"),
    ],
)
def test_reasoning_without_an_answer_is_cut(reply):
    response = parse_response(json.dumps(reply.body).encode(), REQUEST, redactor(""))
    assert (response.status, response.text, response.reasoning) == ("cut", "", THOUGHTS)


def test_the_probabilities_are_those_of_the_answer_after_the_reasoning():
    tokens = [token("yes", yes=-0.01, no=-6.0), token("</think>"), token("\n\n"), token("no", no=-0.1, yes=-2.4)]
    reply = says("no", message={"reasoning": "yes"}, choice={"logprobs": {"content": tokens}})
    response = parse_response(json.dumps(reply.body).encode(), REQUEST, redactor(""))
    assert response.choice_probabilities is not None
    assert response.choice_probabilities["no"] > response.choice_probabilities["yes"]


def asked(server: Misbehaving) -> dict[str, object]:
    """The fields of the requests but for model, messages and the form of the answer, which are the same in all."""
    left_out = {"model", "messages", "response_format"}
    bodies = {json.dumps({k: v for k, v in request.json.items() if k not in left_out}) for request in server.requests}
    (body,) = bodies
    return dict(json.loads(body))


def test_settings_and_reasoning_of_a_run(run):
    words = ["--thinking", 900, "--generation", "top_k=20", "--generation", "repetition_penalty=1.05"]
    words += ["--generation", "max_tokens=50", "--generation", "seed=3"]
    with Misbehaving(lambda request: says(message={"reasoning": THOUGHTS}) if request.key else None) as server:
        done: Run = run(server.url, *words, logprobs="false", **QUICK)
        again = run(server.url, "--resume", *words[:-1], "seed=4", logprobs="false", **QUICK)
    assert done.code == 0, done.err
    assert asked(server) == {
        **{"max_tokens": 950, "temperature": 0, "seed": 3, "top_k": 20, "repetition_penalty": 1.05},
        "chat_template_kwargs": {"enable_thinking": True},
    }
    assert {(line["text"], line["reasoning"]) for line in done.lines} == {(ANSWER, THOUGHTS)}
    manifest = done.manifest()
    assert manifest["run"]["generation"]["thinking"] == 900
    assert manifest["reasoning"] == {"answers": 36, "reasoned": 36}
    (settings,) = manifest["sent"]["settings"]
    assert settings["top_k"] == 20
    assert "thinking was on" not in done.err
    assert again.code == 2 and "generation (seed) differs" in again.err


def test_the_models_own_decoding_names_no_temperature(run):
    with Misbehaving() as server:
        assert run(server.url, "--generation", "decoding=model", logprobs="false", **QUICK).code == 0
    assert asked(server) == {"max_tokens": 256}


def test_a_server_without_reasoning_is_noticed_and_one_that_takes_no_top_k_says_so(run):
    with Misbehaving() as server:
        done = run(server.url, "--thinking", "on", **QUICK)
        assert "only 0 answers came with reasoning" in done.err
        server.behave = lambda request: refuses(400, "unknown field: top_k") if request.key else None
        refused = run(server.url, "--generation", "top_k=5", out="other", **QUICK)
    assert refused.code == 1 and "unknown field: top_k" in refused.everything()


def test_no_setting_is_sent_that_nobody_gave(run):
    with Misbehaving() as server:
        assert run(server.url, logprobs="false", **QUICK).code == 0
    assert asked(server) == {"max_tokens": 256, "temperature": 0}
