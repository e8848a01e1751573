"""Odd but legal servers: each reply is a clear result, or a failure that names its reason."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from misbehaving import ANSWER, Misbehaving, Reaction, ReceivedRequest, says
from openai_runs import CARD, Run

N = 36
QUICK = {"attempts": 2, "timeout_s": 2, "patience_s": 20, "in_flight": 1}
BODY = json.dumps(says().body).encode()
REFUSED = "I cannot help with medical video."

pytestmark = pytest.mark.usefixtures("short_pauses")


def chunked(body: bytes) -> bytes:
    """A reply in chunks of 7 bytes, with a trailer."""
    pieces = [body[at : at + 7] for at in range(0, len(body), 7)]
    chunks = b"".join(b"%x;name=value\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + chunks + b"0\r\nX-Trailer: 1\r\n\r\n"


def replaces(old: str, new: str) -> Reaction:
    """The proper reply with something else at one place."""
    assert old in BODY.decode()
    return Reaction(BODY.decode().replace(old, new, 1).encode())


RESULTS: dict[str, tuple[Reaction, str, str]] = {
    "chunks with extensions and a trailer": (Reaction(raw=chunked(BODY)), "ok", ANSWER),
    "HTTP 1.0 that ends with the connection": (Reaction(raw=b"HTTP/1.0 200 OK\r\n\r\n" + BODY), "ok", ANSWER),
    "lower-case heads without a reason": (
        Reaction(raw=b"HTTP/1.1 200\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY),
        "ok",
        ANSWER,
    ),
    "early hints": (
        Reaction(
            raw=b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
        ),
        "ok",
        ANSWER,
    ),
    "gzip": (Reaction(gzip.compress(BODY), headers={"Content-Encoding": "gzip"}), "ok", ANSWER),
    "deflate": (Reaction(zlib.compress(BODY), headers={"Content-Encoding": "deflate"}), "ok", ANSWER),
    "a byte order mark": (Reaction(b"\xef\xbb\xbf" + BODY), "ok", ANSWER),
    "white space around": (Reaction(b"\n\n  " + BODY + b"\n"), "ok", ANSWER),
    "a key twice, of which the last counts": (
        replaces('"object": "chat.completion"', '"object": 1, "object": "chat.completion"'),
        "ok",
        ANSWER,
    ),
    "a wrong content type": (Reaction(BODY, headers={"Content-Type": "text/html; charset=latin-1"}), "ok", ANSWER),
    "no usage": (says(usage=None), "ok", ANSWER),
    "a usage of another shape": (says(usage={"prompt_tokens": "many", "completion_tokens": -1}), "ok", ANSWER),
    "logprobs null": (says(choice={"logprobs": None}), "ok", ANSWER),
    "logprobs without content": (says(choice={"logprobs": {"content": None, "refusal": None}}), "ok", ANSWER),
    "further fields": (says(service_tier=None, choice={"stop_reason": 7}, message={"audio": None}), "ok", ANSWER),
    "content in parts": (
        says(None, message={"content": [{"type": "thinking", "thinking": "h"}, {"type": "text", "text": ANSWER}]}),
        "ok",
        ANSWER,
    ),
    "a refusal": (says(None, message={"refusal": REFUSED}), "refused", REFUSED),
    "a content filter": (says(None, "content_filter"), "refused", "the server's content filter"),
    "all tokens spent on thoughts": (says(None, "length", message={"reasoning_content": "Hmm"}), "cut", ""),
}

FAILURES: dict[str, tuple[Reaction, str]] = {
    "content null": (says(None), "RetriesExhausted: the reply's message has no text"),
    "a tool call": (
        says(None, "tool_calls", message={"tool_calls": [{"type": "function", "function": {"name": "f"}}]}),
        "Rejected: the model called a tool instead of answering",
    ),
    "br": (Reaction(BODY, headers={"Content-Encoding": "br"}), "Rejected: the server compresses its replies as br"),
    "zstd": (Reaction(BODY, headers={"Content-Encoding": "zstd"}), "compresses its replies as zstd"),
    "gzip that is none": (Reaction(BODY, headers={"Content-Encoding": "gzip"}), "the reply cannot be decompressed"),
    "a trickle": (Reaction(BODY, byte_every_s=0.05), "RetriesExhausted: no answer within 2 s"),
    "events instead of a reply": (Reaction(b'data: {"choices": []}\n\ndata: [DONE]\n\n'), "is no JSON"),
    "a redirect": (
        Reaction(b"", 307, {"Location": "http://192.0.2.7/v1/chat/completions"}),
        "redirects to another address, which is not followed",
    ),
    "no content": (Reaction(b"", 204), "RetriesExhausted: HTTP 204"),
}


@pytest.fixture(scope="module")
def odd(run_once, short_pauses) -> Run:
    """A run whose server is odd in one way after the other."""
    reactions = [each[0] for each in (*RESULTS.values(), *FAILURES.values())]
    order: list[str] = []

    def behave(request: ReceivedRequest) -> Reaction | None:
        if not request.key:
            return None
        if request.key not in order:
            order.append(request.key)
        at = order.index(request.key)
        return reactions[at] if at < len(reactions) else None

    with Misbehaving(behave) as server:
        return run_once(server.url, out="odd", **QUICK)


def line(done: Run, name: str) -> dict[str, Any]:
    """The journal's line of the request that met with something; one request at a time, they come in order."""
    return done.lines[[*RESULTS, *FAILURES].index(name)]


def test_an_odd_server_loses_no_request(odd):
    assert sum(odd.statuses().values()) == N, odd.err
    assert odd.statuses()["failed"] == len(FAILURES)


@pytest.mark.parametrize("name", RESULTS)
def test_an_odd_reply_is_a_clear_result(name, odd):
    _, status, text = RESULTS[name]
    assert (line(odd, name)["status"], line(odd, name)["text"]) == (status, text)


@pytest.mark.parametrize("name", FAILURES)
def test_an_odd_reply_that_is_no_answer_names_its_reason(name, odd):
    assert line(odd, name)["status"] == "failed"
    assert FAILURES[name][1] in line(odd, name)["error"]


def test_a_list_of_models_in_pages_is_read_to_its_end(run):
    def behave(request: ReceivedRequest) -> Reaction | None:
        if request.method != "GET":
            return None
        if "after=model%2F2" in request.path:
            return Reaction({"data": [{"id": "some-model"}], "has_more": False})
        return Reaction({"data": [{"id": "model/1"}, {"id": "model/2"}], "has_more": True})

    with Misbehaving(behave) as server:
        assert run(server.url, "--limit", 1).code == 0


def test_a_server_without_a_list_of_models_is_told_the_model(run):
    with Misbehaving(lambda request: Reaction(b"", 404) if request.method == "GET" else None) as server:
        done = run(server.url)
        assert (done.code, "name it with -o model=NAME" in done.err) == (1, True)
        assert run(server.url, "--limit", 1, model="some-model", out="named").code == 0


SCHEMAS = {path.stem: json.loads(path.read_text())["request"] for path in (Path(__file__).parent / "schemas").iterdir()}


@pytest.mark.parametrize("media", ["frames", "mp4"])
@pytest.mark.parametrize("engine", sorted(SCHEMAS))
def test_requests_have_the_form_that_the_engine_s_server_declares(engine, media, run, tmp_path):
    """No field is sent that it would ignore: schemas of SGLang's and LMDeploy's requests, closed to other fields."""
    run.card.write_text(CARD.replace("[video]", "[video, audio]"))
    with Misbehaving(owned_by=engine) as server:
        done = run(server.url, tasks="1,2,3", media=media)
    assert (done.code, set(done.statuses())) == (0, {"ok"}), done.err
    kinds = set()
    for request in server.requests:
        jsonschema.validate(request.json, SCHEMAS[engine])
        kinds |= {part["type"] for part in request.content}
    assert kinds == {"text", "image_url" if media == "frames" else "video_url", "audio_url"}


@pytest.mark.parametrize("engine", sorted(SCHEMAS))
def test_a_choice_without_a_schema_is_held_to_its_texts(engine):
    from s3harness_openai.engines import ENGINES

    fields = ENGINES[engine].choices(["yes", "not sure (?)"])
    jsonschema.validate({"model": "m", "messages": [], **fields}, SCHEMAS[engine])
    pattern = fields.get("regex") or fields["response_format"]["regex_schema"]
    assert pattern == r"(yes|not sure \(\?\))"
