"""Several servers behind one run, how much each is given, and how it is all begun."""

from __future__ import annotations

import socket
import threading
import time
from itertools import pairwise

import pytest
from misbehaving import Misbehaving, Reaction, ReceivedRequest, refuses

pytestmark = pytest.mark.usefixtures("short_pauses")

N = 36
QUICK = {"attempts": 4, "timeout_s": 5, "patience_s": 30, "in_flight": 4}


def test_the_least_loaded_server_is_asked(run):
    """One is far quicker than the other and answers more; both answer."""
    with Misbehaving(latency_s=0.02) as fast, Misbehaving(latency_s=0.6) as slow:
        done = run(f"{fast.url},{slow.url}", **QUICK)
    assert (done.code, done.statuses()) == (0, {"ok": N})
    assert sum(fast.answered.values()) > sum(slow.answered.values()) > 0
    assert not set(fast.answered) & set(slow.answered), "a request was answered twice"
    assert fast.most_under_way <= QUICK["in_flight"]
    assert slow.most_under_way <= QUICK["in_flight"]


def test_what_a_dead_server_was_asked_goes_to_the_other_and_it_comes_back(run):
    server, other = Misbehaving(latency_s=0.2), Misbehaving(latency_s=0.2)

    def dies(request: ReceivedRequest) -> Reaction | None:
        if request.key and request.number == 4:
            server.die(0.6)
            return Reaction(reset=True)
        return None

    server.behave = dies
    with server, other:
        started = time.monotonic()
        done = run(f"{server.url},{other.url}", **{**QUICK, "in_flight": 2, "patience_s": 5})
        assert (done.code, done.statuses()) == (0, {"ok": N}), done.err
        assert time.monotonic() - started < 60
    assert set((server.answered + other.answered).values()) == {1}
    times = [request.at for request in server.requests]
    assert max(b - a for a, b in pairwise(times)) > 0.5, "it was not away"
    assert sum(server.answered.values()) > 4, "it did not come back"


@pytest.mark.parametrize("status", [400, 401, 404, 500, 200])
def test_a_server_that_answers_nothing_does_not_draw_all_questions_to_itself(status, run):
    """It is quickly done with each, and so the least loaded; what it will not take, the other answers."""
    bad = Reaction(b"<html>no such model</html>", status)
    with Misbehaving(lambda request: bad if request.key else None) as server, Misbehaving(latency_s=0.05) as other:
        done = run(f"{server.url},{other.url}", **{**QUICK, "in_flight": 8})
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err
    assert len(server.requests) < N / 2


def test_what_both_servers_reject_fails_and_is_asked_of_each_once(run):
    with Misbehaving() as server, Misbehaving() as other:
        rejected = set()

        def rejects(request: ReceivedRequest) -> Reaction | None:
            if request.key and not rejected:
                rejected.add(request.key)
            return refuses(400, "image could not be decoded") if request.key in rejected else None

        server.behave = other.behave = rejects
        done = run(f"{server.url},{other.url}", **QUICK)
    assert (done.code, done.statuses()) == (1, {"ok": N - 1, "failed": 1}), done.err
    for each in (server, other):
        assert sum(request.key in rejected for request in each.requests) == 1


def test_a_server_that_was_never_there_costs_nothing(run):
    with Misbehaving() as server:
        done = run(f"http://127.0.0.1:{_closed_port()}/v1,{server.url}", **QUICK)
    assert (done.code, done.statuses()) == (0, {"ok": N})


def test_the_rate_is_kept(run):
    with Misbehaving() as server:
        assert run(server.url, requests_per_minute=1200, **QUICK).code == 0
    times = [request.at for request in server.requests]
    assert times[-1] - times[0] >= (N - 1) * 60 / 1200 * 0.95


def test_as_many_are_under_way_as_was_said(run):
    with Misbehaving(latency_s=0.05) as server:
        assert run(server.url, **{**QUICK, "in_flight": 5}).code == 0
    assert server.most_under_way == 5


def test_a_run_that_finds_no_server_says_what_to_do(run):
    done = run(f"http://127.0.0.1:{_closed_port()}/v1")
    assert done.code == 1
    for hint in ("no server is there", "base_url", "wait_s"):
        assert hint in done.err
    assert done.lines == []


def test_a_server_that_is_still_starting_is_waited_for(run):
    server = Misbehaving()
    server.port = _closed_port()
    starter = threading.Timer(1.5, server.__enter__)
    starter.start()
    done = run(server.url, wait_s=60)
    server.__exit__()
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err


def test_among_several_models_the_one_of_the_card_is_asked(run):
    with Misbehaving() as server:
        server.models = ["another", "some-model"]
        assert run(server.url).code == 0
        assert {request.json["model"] for request in server.requests} == {"some-model"}


@pytest.mark.parametrize(
    ("models", "options", "message"),
    [
        (["a", "b"], {}, "no server has the model some-model; they have a, b"),
        (["a", "b"], {"model": "c"}, "has no model 'c'; it has a, b"),
        (["a"], {}, "no server has the model some-model; they have a;"),
        ([], {}, "-o model=NAME"),
    ],
)
def test_a_server_without_the_model_is_not_asked(models, options, message, run):
    with Misbehaving() as server:
        server.models = models
        done = run(server.url, **options)
    assert done.code == 1
    assert message in done.err
    assert server.requests == []


def test_what_is_no_server_of_models_is_said_to_be_none(run):
    with Misbehaving(lambda request: Reaction(b"<html>It works!</html>")) as server:
        done = run(server.url)
    assert done.code == 1
    assert "no OpenAI-compatible server" in done.err


def test_a_server_without_a_list_of_models_is_asked_for_the_one_that_is_named(run):
    with Misbehaving(lambda request: refuses(404, "not found") if request.method == "GET" else None) as server:
        done = run(server.url, model="theirs")
    assert done.code == 0
    assert {request.json["model"] for request in server.requests} == {"theirs"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"colour": "red"}, "no option 'colour'; known: base_url, model, answers_as, api_key_env"),
        ({"api_key": "sk-1234567890"}, "name of its environment variable: -o api_key_env=NAME"),
        ({"media": "dvd"}, "option media: one of auto, frames, jpeg_sequence, mp4 is expected"),
        ({"in_flight": 0}, "option in_flight: a whole number from 1"),
        ({"in_flight": 1.5}, "option in_flight: a whole number"),
        ({"jpeg_quality": 100}, "option jpeg_quality: a whole number from 1 to 95"),
        ({"structured": "maybe"}, "option structured: true or false"),
        ({"extra": "3"}, "option extra: a mapping such as"),
        ({"base_url": ","}, "option base_url: at least one address"),
        ({"base_url": "localhost:8000"}, "is not the address of a server"),
        ({"base_url": "http://me:word@127.0.0.1/v1"}, "holds a user or a password"),
        ({"base_url": "http://no-such-host.invalid/v1"}, "there is no host named"),
    ],
)
def test_a_wrong_option_is_a_wrong_call_that_says_what_is_right(options, message, run):
    done = run("http://127.0.0.1:9/v1", **options)
    assert done.code == 2
    assert message in done.err
    assert "sk-1234567890" not in done.err
    assert "word@" not in done.err


def test_a_run_may_go_on_with_other_servers_but_not_with_other_pictures(run):
    with Misbehaving(lambda request: refuses(400, "no") if request.key and request.number == 3 else None) as server:
        assert run(server.url).code == 1
    with Misbehaving() as server:
        refused = run(server.url, "--resume", jpeg_quality=50)
        assert refused.code == 2
        assert "jpeg_quality" in refused.err
        assert run(server.url, "--resume", in_flight=1, attempts=2).code == 0
        assert len(server.requests) == 1


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
