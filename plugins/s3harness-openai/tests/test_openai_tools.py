"""Conversations with servers: what the model is sent turn by turn, its calls of a tool, and those that go wrong."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from misbehaving import Misbehaving, Reaction, says

TIME = '{"timestamp": "00:03"}'


def calls(arguments: object, name: str = "look", call_id: str = "c1", content: str | None = None) -> Reaction:
    """The reply of a model that calls a tool."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": text}}
    return says(content, "tool_calls", message={"tool_calls": [call]})


def tools(*options: str) -> list[str]:
    return ["--strategy", "tools", *(word for option in options for word in ("--strategy-option", option))]


def planned(done):
    return [line for line in done.last.values() if "parent" not in line]


def turn_of(request) -> int:
    return sum(message["role"] == "assistant" for message in request.json["messages"])


def test_a_model_looks_where_it_wants_and_its_time_counts_from_the_planned_clip(run):
    looks = {0: {"start_s": 2, "end_s": 4, "fps": 4}, 1: {"start_s": 0, "end_s": 6, "crop": [0, 0, 0.5, 0.5]}}
    with Misbehaving(lambda r: calls(looks[turn_of(r)]) if r.method == "POST" and turn_of(r) in looks else None) as at:
        at_first = at.behave
        at.behave = lambda r: says(TIME) if r.method == "POST" and turn_of(r) == 2 else at_first(r)
        done = run(at.url, *tools(), tasks="4")
    assert done.code == 0, done.err
    for line in planned(done):
        assert line["clip"]["end_s"] - line["clip"]["start_s"] == 12
        assert (line["text"], line["conversation"]["turns"]) == (TIME, 3)
        turns = sorted((x for x in done.last.values() if x.get("parent") == line["id"]), key=lambda x: x["turn"])
        assert [len(turn.get("tool_calls", ())) for turn in turns] == [1, 1, 0]
        assert [turn["clip"]["end_s"] - turn["clip"]["start_s"] for turn in turns] == [12, 2, 6]
    conversations: dict[str, list] = {}
    for request in at.requests:
        conversations.setdefault(json.dumps(request.json["messages"][0]), []).append(request.json)
    assert len(conversations) == len(planned(done))
    for requests in conversations.values():
        # What came before is sent again to the byte, so that the server's prefix cache has it.
        for before, after in pairwise(requests):
            assert after["messages"][: len(before["messages"])] == before["messages"]
        last = requests[-1]["messages"]
        assert [message["role"] for message in last] == [
            "user",
            "assistant",
            "tool",
            "user",
            "assistant",
            "tool",
            "user",
        ]
        assert last[2]["tool_call_id"] == last[1]["tool_calls"][0]["id"]
        images = [sum(part["type"] == "image_url" for part in m["content"]) for m in last if m["role"] == "user"]
        assert images == [12, 8, 32]
        assert all(body["tools"][0]["function"]["name"] == "look" for body in requests)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (calls("{start_s: 2"), "the arguments are no JSON"),
        (calls([1, 2]), "the arguments are no JSON object"),
        (calls({"start_s": 3}), "end_s must be a number"),
        (calls({"start_s": 5, "end_s": 2}), "in order and within"),
        (calls({"start_s": 50, "end_s": 60}), "in order and within"),
        (calls({"start_s": 1, "end_s": 2, "fps": 0}), "fps must be above 0"),
        (calls({"start_s": 1, "end_s": 2, "crop": [1, 1, 0, 0]}), "crop must be"),
        (calls({"start_s": 1, "end_s": 2, "path": "/etc/passwd"}), "no argument 'path'"),
        (calls({}, name="shell"), "no function 'shell'"),
    ],
)
def test_a_malformed_call_is_answered_by_the_reason_and_then_a_failure(call, reason, run):
    with Misbehaving(lambda r: call if r.method == "POST" else None) as server:
        done = run(server.url, *tools("malformed=1"), "--limit", 1, tasks="4")
    assert done.code == 1
    assert all(line["status"] == "failed" and reason in line["error"] for line in planned(done))
    assert {line["turn"] for line in done.last.values() if "parent" in line} == {1, 2}
    told = next(r for r in server.requests if turn_of(r) == 1).json["messages"][-1]
    assert told["role"] == "tool"
    assert reason in told["content"]


def test_a_model_that_never_stops_calling_is_asked_to_answer_and_lost_if_it_does_not(run):
    look = calls({"start_s": 1, "end_s": 2})
    with Misbehaving(lambda r: look if r.method == "POST" else None) as server:
        done = run(server.url, *tools("turns=4"), "--limit", 1, tasks="4")
    assert done.code == 0, "the model's own failure is an answer that counts as wrong"
    assert {line["status"] for line in planned(done)} == {"cut"}
    assert all("after 4 turns" in line["error"] for line in planned(done))
    last = max(server.requests, key=turn_of).json
    assert "tools" not in last
    assert "response_format" in last, "the answer is held to its form"
    obeys = lambda r: look if r.method == "POST" and "tools" in r.json else says(TIME) if r.method == "POST" else None  # noqa: E731
    with Misbehaving(obeys) as server:
        done = run(server.url, *tools("turns=4"), "--limit", 1, tasks="4", out="obeys")
    assert {line["text"] for line in planned(done)} == {TIME}


def test_a_call_without_a_function_is_no_answer(run):
    broken = says(None, "tool_calls", message={"tool_calls": [{"id": "c", "type": "function"}]})
    with Misbehaving(lambda r: broken if r.method == "POST" else None) as server:
        done = run(server.url, *tools(), "--limit", 1, tasks="7", attempts=1)
    assert done.code == 1
    assert all("without a function" in line["error"] for line in planned(done))


def test_no_report_of_a_conversation_leaves_the_run_directory(run):
    with Misbehaving(lambda r: says('{"diagnosis": "ES", "reason": "x"}') if r.method == "POST" else None) as server:
        done = run(server.url, *tools(), "--limit", 1, tasks="7")
    prompts = [json.loads(line) for line in (done.folder / "sent.jsonl").read_text().splitlines()]
    with_report = [p for p in prompts if "An expert wrote" in p.get("prompt", "")]
    assert with_report
    assert all('wrote of this event: "[the written report of this video]"' in p["public"] for p in with_report)
