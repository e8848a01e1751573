"""Before the first request of a run: does what the server answers depend on the clip that it is sent?"""

from __future__ import annotations

import hashlib
import json
import math

import pytest
from misbehaving import Behaviour, Misbehaving, Reaction, ReceivedRequest, refuses, says


def serving(behave: Behaviour) -> Misbehaving:
    """A server that answers questions so, and says properly which model it has."""
    return Misbehaving(lambda request: behave(request) if request.key else None)


def media(request: ReceivedRequest) -> bytes:
    """The media of a request."""
    return b"".join(json.dumps(p).encode() for p in request.content if p["type"] not in ("text",))


def usage(request: ReceivedRequest) -> dict:
    """Tokens of a server that has 10 of them for each picture."""
    pictures = sum(part["type"] == "image_url" for part in request.content)
    return {"usage": {"prompt_tokens": 100 + 10 * pictures, "completion_tokens": 5}}


def share(request: ReceivedRequest) -> float:
    """A number from 0 to 1 that depends on the media alone."""
    return int(hashlib.sha256(media(request)).hexdigest()[:4], 16) / 0xFFFF


def drops_media(request: ReceivedRequest) -> Reaction:
    return says()


def counts_and_ignores(request: ReceivedRequest) -> Reaction:
    return says(**usage(request))


def describes(request: ReceivedRequest) -> Reaction:
    """Sees: its reasons differ. No probabilities."""
    return says(json.dumps({"answer": "yes", "justification": f"{share(request):.3f}"}), **usage(request))


def is_sure(request: ReceivedRequest) -> Reaction:
    """Sees, but answers every closed question alike, and only describes otherwise; gives no probabilities."""
    text = f"{share(request):.3f}" if "Describe" in request.prompt else '{"answer": "yes"}'
    return says(text, **usage(request))


def leans(request: ReceivedRequest) -> Reaction:
    """Sees, but is so sure that only the log probabilities move."""
    yes = 0.99 + 0.005 * share(request)
    top = [{"token": word, "logprob": math.log(p)} for word, p in (("yes", yes), ("no", 1 - yes))]
    tokens = [{"token": t, "logprob": 0.0, "top_logprobs": []} for t in ('{"answer": "', "yes", '"}')]
    tokens[1] = {"token": "yes", "logprob": math.log(yes), "top_logprobs": top}
    return says('{"answer": "yes"}', choice={"logprobs": {"content": tokens}}, **usage(request))


def throws_dice(request: ReceivedRequest) -> Reaction:
    """Answers every request in another way, and counts no token of a clip."""
    return says(json.dumps({"answer": "yes", "justification": str(request.number)}))


def takes_text_alone(request: ReceivedRequest) -> Reaction:
    return refuses(400, "this model takes no images") if media(request) else says()


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (drops_media, "of 100 tokens with a clip and of 100 without"),
        (counts_and_ignores, "do not change with grey frames"),
        (throws_dice, "do not change with grey frames"),
        (takes_text_alone, "fails with a clip and answers without one"),
    ],
)
def test_a_server_that_does_not_look_is_refused_by_name(run, behave, reason):
    with serving(behave) as server:
        done = run(server.url, checked=True)
    assert done.code == 2
    assert "some-model does not use the frames of a clip" in done.err and reason in done.err
    assert "--allow-blind" in done.err and "clip_form" in done.err
    assert done.lines == [] and "eyes" not in done.manifest()
    assert len(server.requests) <= 20


@pytest.mark.parametrize(("behave", "measured"), [(describes, "texts"), (is_sure, "texts"), (leans, "probabilities")])
def test_a_server_that_looks_runs_and_the_manifest_says_how_that_was_seen(run, behave, measured):
    with serving(behave) as server:
        done = run(server.url, checked=True)
    assert done.code == 0, done.err
    (entry,) = done.manifest()["eyes"]
    assert entry["video"]["status"] == "yes" and entry["video"]["measured"] == measured
    assert entry["audio"]["status"] == "not checked"
    tokens = entry["prompt_tokens"]
    assert tokens["with_clip"] > tokens["text_alone"] == 100
    assert "sees: yes" in done.out
    assert len(done.last) == 36 and not any("media-check" in line["id"] for line in done.lines)


def test_clips_that_are_too_long_say_nothing_about_eyes_and_fail_one_by_one(run):
    def overflows(request: ReceivedRequest) -> Reaction:
        return refuses(400, "the maximum context length is 4096 tokens") if media(request) else says()

    with serving(overflows) as server:
        done = run(server.url, "--limit", 1, checked=True)
    assert done.code == 1
    assert {line["status"] for line in done.lines} == {"failed"}
    (entry,) = done.manifest()["eyes"]
    assert entry["video"]["status"] == "not checked" and "ContextOverflow" in entry["video"]["reason"]


def test_a_resumed_run_does_not_check_again_and_one_that_is_allowed_blind_not_at_all(run):
    with serving(describes) as server:
        first = run(server.url, "--limit", 1, checked=True)
        asked = len(server.requests)
        (run.card.parent / "run" / "responses.jsonl").write_text("")
        again = run(server.url, "--limit", 1, "--resume", checked=True)
        assert first.code == again.code == 0, again.err
        assert len(server.requests) - asked == len(again.last) < asked
    with serving(drops_media) as server:
        blind = run(server.url, out="blind")
        assert len(server.requests) == len(blind.last) == 36
    assert blind.manifest()["eyes"] == [{"allowed": "a server without a model"}]
    assert "not checked whether it sees and hears (a server without a model)" in blind.out
