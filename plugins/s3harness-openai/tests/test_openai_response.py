"""A reply becomes an answer to the very request that was sent, or a named error; never a bug."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from misbehaving import Misbehaving, Reaction, ReceivedRequest, says
from s3harness_openai.errors import ContentFiltered, TransientError, check_status, redactor
from s3harness_openai.response import count_cached_tokens, parse_response

import s3harness

N = 36
QUICK = {"attempts": 4, "timeout_s": 5, "patience_s": 30, "in_flight": 6}
REDACT = redactor("")
REQUEST = s3harness.Request(
    id="id",
    task="s3/task1_features",
    item="item",
    subject="tonic",
    clip=s3harness.Clip("v1", 0, 1, (), 1),
    prompt="What?",
)

pytestmark = pytest.mark.usefixtures("short_pauses")


def answer_to(request: ReceivedRequest) -> str:
    """An answer that says which question it belongs to."""
    return json.dumps({"answer": "yes", "justification": hashlib.sha256(request.prompt.encode()).hexdigest()})


def test_nothing_of_a_run_without_trouble_looks_like_a_fault(run):
    with Misbehaving() as server:
        done = run(server.url, **QUICK)
    assert done.code == 0
    assert done.err.count("\n") <= 2, done.err


def test_a_second_reply_that_follows_at_once_is_not_taken_for_the_answer_to_another_question(run):
    def behave(request: ReceivedRequest) -> Reaction | None:
        if not request.key:
            return None
        does = says(answer_to(request), id=f"chatcmpl-{request.number}")
        does.repeats_after_s = 0.0 if request.number % 3 == 0 else None
        return does

    with Misbehaving(lambda request: says(answer_to(request)) if request.key else None) as server:
        right = {line["id"]: line["text"] for line in run(server.url, out="right", **QUICK).lines}
    with Misbehaving(behave) as server:
        done = run(server.url, **QUICK)
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err
    assert {line["id"]: line["text"] for line in done.lines} == right
    assert len(set(right.values())) == N / 2, "18 questions about either of two videos"


@pytest.mark.parametrize("after_s", [0.0, 0.004])
def test_an_error_that_comes_twice_moves_no_answer_to_another_question(run, after_s):
    def behave(request: ReceivedRequest) -> Reaction | None:
        if not request.key:
            return None
        if request.number % 5:
            return says(answer_to(request), id=f"chatcmpl-{request.number}")
        return Reaction({}, 500, repeats_after_s=after_s)

    with Misbehaving(lambda request: says(answer_to(request)) if request.key else None) as server:
        right = {line["id"]: line["text"] for line in run(server.url, out="right", **QUICK).lines}
    with Misbehaving(behave) as server:
        done = run(server.url, **QUICK)
    assert done.code == 0, done.err
    assert {line["id"]: line["text"] for line in done.lines} == right


def test_a_server_whose_answers_are_all_alike_is_believed(run):
    """The same id and the same words for every question."""
    with Misbehaving(lambda request: says(id="chatcmpl") if request.key else None) as server:
        done = run(server.url, **QUICK)
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err
    assert len(server.requests) == N


def test_a_connection_is_kept_for_further_questions(run):
    with Misbehaving() as server:
        assert run(server.url, **QUICK).code == 0
    assert server.connections <= QUICK["in_flight"] + 2


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**30) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
REASONS = ["stop", "length", "content_filter", "tool_calls", ""]
token = st.fixed_dictionaries({}, optional={"token": anything, "logprob": anything, "top_logprobs": anything})
message = st.fixed_dictionaries({}, optional={"content": anything | st.just("yes"), "refusal": anything})
choice = st.fixed_dictionaries(
    {},
    optional={
        "message": message | anything,
        "finish_reason": st.sampled_from(REASONS) | anything,
        "logprobs": st.fixed_dictionaries({"content": st.lists(token, max_size=3)}) | anything,
    },
)
usage = st.fixed_dictionaries(
    {}, optional={"prompt_tokens": anything, "completion_tokens": anything, "prompt_tokens_details": anything}
)
replies = st.fixed_dictionaries(
    {},
    optional={"choices": st.lists(choice, max_size=2) | anything, "usage": usage | anything, "error": anything},
)


@settings(max_examples=400, deadline=None)
@given(replies | anything, st.sampled_from([200, 201, 204, 400, 404, 422, 429, 500, 503]))
@example({"choices": [{"message": {"content": "yes"}, "finish_reason": ["stop"]}]}, 200)
@example({"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}], "usage": ["a"]}, 200)
@example({"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1.5}}, 200)
def test_whatever_json_a_server_replies_is_an_answer_or_a_named_error(reply, status):
    from s3harness.run.retry import checked_response

    body = json.dumps(reply).encode()
    try:
        check_status(status, None, body, REDACT, ())
        response = parse_response(body, REQUEST, REDACT)
        count_cached_tokens(body)
    except (TransientError, ContentFiltered, s3harness.S3HarnessError):
        return
    assert status == 200
    assert checked_response(response, REQUEST).status in ("ok", "cut")
    assert isinstance(reply, dict)


@given(
    st.binary(max_size=200) | st.sampled_from([b"[" * 100_000, b'{"a":' * 100_000]), st.sampled_from([200, 400, 500])
)
def test_whatever_bytes_a_server_replies_are_no_bug(body, status):
    try:
        check_status(status, None, body, REDACT, ())
        parse_response(body, REQUEST, REDACT)
    except (TransientError, ContentFiltered, s3harness.S3HarnessError):
        pass


def test_text_that_comes_in_parts_is_put_together():
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "y"}, {"type": "text", "text": "es"}]
    assert parse_response(json.dumps(says(parts).body).encode(), REQUEST, REDACT).text == "yes"
