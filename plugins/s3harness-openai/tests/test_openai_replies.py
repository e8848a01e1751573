"""What a reply comes to: an answer to the very question that was asked, or trouble with a name; never a bug."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from misbehaving import Does, Misbehaving, Seen, says
from s3harness_openai.answer import cached_tokens, read_reply
from s3harness_openai.servers import Answers
from s3harness_openai.trouble import Trouble, Withheld, Words, check_status

import s3harness

N = 36
QUICK = {"attempts": 4, "timeout_s": 5, "patience_s": 30, "in_flight": 6}
REQUEST = s3harness.Request("id", "s3/task1_features", "item", "tonic", s3harness.Clip("v1", 0, 1, (), 1), "What?")

pytestmark = pytest.mark.usefixtures("short_pauses")


def told(seen: Seen) -> str:
    """An answer that says which question it belongs to."""
    return json.dumps({"answer": "yes", "justification": hashlib.sha256(seen.prompt.encode()).hexdigest()})


def test_nothing_of_a_run_without_trouble_looks_like_a_fault(run):
    with Misbehaving() as server:
        done = run(server.url, **QUICK)
    assert done.code == 0
    assert done.err.count("\n") <= 2, done.err


@pytest.mark.parametrize("ids", ["each its own", "all the same", "none"])
@pytest.mark.parametrize("after_s", [0.0, 0.004])
def test_an_answer_that_comes_twice_is_not_taken_for_that_of_another_question(run, ids, after_s):
    numbers = count()

    def behave(seen: Seen) -> Does | None:
        if not seen.key:
            return None
        given = {"each its own": {"id": f"chatcmpl-{next(numbers)}"}, "all the same": {"id": "chatcmpl"}, "none": {}}
        does = says(told(seen), **given[ids])
        does.repeats_after_s = after_s if seen.number % 3 == 0 else None
        return does

    with Misbehaving(lambda seen: says(told(seen)) if seen.key else None) as server:
        right = {line["id"]: line["text"] for line in run(server.url, out="right", **QUICK).lines}
    with Misbehaving(behave) as server:
        done = run(server.url, **QUICK)
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err
    assert {line["id"]: line["text"] for line in done.lines} == right
    assert len(set(right.values())) == N / 2, "18 questions about either of two videos"


def placed(*answers: tuple[str, str, str]) -> Iterator[str]:
    """What is said of answers, each given by its id, its words, and the words before it over its connection."""
    known, bodies = Answers(), {}
    for number, text, before in answers:
        bodies[text] = json.dumps({"id": number, "choices": [{"text": text}]}).encode()
        yield known.place(bodies[text], bodies.get(before, b""))


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([("1", "a", ""), ("2", "b", ""), ("3", "c", "b")], ["unknown", "new", "new"]),
        ([("1", "a", ""), ("1", "b", ""), ("1", "a", "")], ["unknown"] * 3),
        ([("", "a", ""), ("", "b", ""), ("", "a", "")], ["unknown"] * 3),
        ([("1", "a", ""), ("", "b", ""), ("2", "c", ""), ("3", "d", "")], ["unknown"] * 3 + ["new"]),
        ([("1", "a", ""), ("2", "b", ""), ("2", "b", "b"), ("3", "c", "")], ["unknown", "new", "repeated", "unknown"]),
        ([("7", "a", ""), ("8", "b", ""), ("7", "c", "b")], ["unknown", "new", "new"]),
    ],
    ids=["two ids", "one id", "no ids", "an id is missing", "one comes twice", "ids drawn from few"],
)
def test_a_connection_is_kept_while_an_answer_that_comes_twice_could_be_told(answers, said):
    assert list(placed(*answers)) == said


@pytest.mark.parametrize("after_s", [0.0, 0.004])
def test_a_complaint_that_comes_twice_moves_no_answer_to_another_question(run, after_s):
    def behave(seen: Seen) -> Does | None:
        if not seen.key:
            return None
        if seen.number % 5:
            return says(told(seen), id=f"chatcmpl-{seen.number}")
        return Does({}, 500, repeats_after_s=after_s)

    with Misbehaving(lambda seen: says(told(seen)) if seen.key else None) as server:
        right = {line["id"]: line["text"] for line in run(server.url, out="right", **QUICK).lines}
    with Misbehaving(behave) as server:
        done = run(server.url, **QUICK)
    assert done.code == 0, done.err
    assert {line["id"]: line["text"] for line in done.lines} == right


def test_a_server_whose_answers_are_all_alike_is_believed(run):
    """The same id and the same words for every question."""
    with Misbehaving(lambda seen: says(id="chatcmpl") if seen.key else None) as server:
        done = run(server.url, **QUICK)
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err
    assert len(server.asked) == N


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
def test_whatever_json_a_server_replies_is_an_answer_or_trouble(reply, status):
    from s3harness.run.retry import checked_response

    body = json.dumps(reply).encode()
    try:
        check_status(status, None, body, Words(), ())
        response = read_reply(body, REQUEST, Words())
        cached_tokens(body)
    except (Trouble, Withheld, s3harness.S3HarnessError):
        return
    assert status == 200
    assert checked_response(response, REQUEST).status in ("ok", "cut")
    assert isinstance(reply, dict)


@given(
    st.binary(max_size=200) | st.sampled_from([b"[" * 100_000, b'{"a":' * 100_000]), st.sampled_from([200, 400, 500])
)
def test_whatever_bytes_a_server_replies_are_no_bug(body, status):
    try:
        check_status(status, None, body, Words(), ())
        read_reply(body, REQUEST, Words())
    except (Trouble, Withheld, s3harness.S3HarnessError):
        pass


def test_text_that_is_told_in_parts_is_put_together():
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "y"}, {"type": "text", "text": "es"}]
    assert read_reply(json.dumps(says(parts).body).encode(), REQUEST, Words()).text == "yes"
