"""A server that misbehaves: nothing is lost, nothing answered is asked again, and no failure becomes a number."""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from misbehaving import ANSWER, Misbehaving, Reaction, ReceivedRequest, refuses, says
from openai_runs import Run

N = 36
QUICK = {"attempts": 4, "timeout_s": 0.8, "patience_s": 30, "in_flight": 6}
OVERFLOW = "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens."


pytestmark = pytest.mark.usefixtures("short_pauses")


def in_a_second() -> Reaction:
    """Busy, and a date: dates have whole seconds, so this is one to two away."""
    return refuses(429, "slow down", **{"Retry-After": email.utils.formatdate(time.time() + 2, usegmt=True)})


PASSES = {
    "429 with Retry-After": lambda: refuses(429, "slow down", **{"Retry-After": "0.2"}),
    "429 with Retry-After in ms": lambda: refuses(429, "slow down", **{"Retry-After-Ms": "150"}),
    "429 without": lambda: refuses(429, "slow down"),
    "503": lambda: refuses(503, "loading the model"),
    "502 of a gateway": lambda: Reaction(b"<html><h1>Bad gateway</h1></html>", 502),
    "500": lambda: refuses(500, "internal error"),
    "500 without a body": lambda: Reaction(b"", 500),
    "a reset": lambda: Reaction(reset=True),
    "half a reply": lambda: Reaction(says().body, only_bytes=40),
    "half a JSON": lambda: Reaction(b'{"choices": [{"message": {"content": "{\\"answer\\": \\"y'),
    "no JSON": lambda: Reaction(b"<html>yes</html>"),
    "JSON of another kind": lambda: Reaction(["yes"]),
    "no choices": lambda: Reaction({"choices": []}),
    "choices that are none": lambda: Reaction({"choices": {"text": "yes"}}),
    "no message": lambda: Reaction({"choices": [{"finish_reason": "stop", "text": "yes"}]}),
    "no text": lambda: says(None),
    "text that is none": lambda: says({"answer": "yes"}),
    "broken off": lambda: says('{"answer": "y', None),
    "given up": lambda: says('{"answer": "y', "abort"),
    "an error with status 200": lambda: Reaction({"error": {"message": "upstream failed", "code": 502}}),
    "slow tokens": lambda: Reaction(says().body, byte_every_s=0.02),
}


class Each:
    """Does something else with each request, until everything was done to one, ``times`` times."""

    def __init__(self, faults: dict[str, Callable[[], Reaction]], times: int) -> None:
        self.faults, self.times = faults, times
        self.met: dict[str, str] = {}

    def __call__(self, request: ReceivedRequest) -> Reaction | None:
        if not request.key or request.nth > self.times:
            return None
        left = [fault for fault in self.faults if fault not in self.met.values()]
        if request.key not in self.met and request.nth == 1 and left:
            self.met[request.key] = left[0]
        return self.faults[self.met[request.key]]() if request.key in self.met else None

    def key(self, fault: str) -> str:
        """The request that met with a fault."""
        return next(key for key, met in self.met.items() if met == fault)


@pytest.fixture(scope="module")
def passed(run_once, short_pauses) -> tuple[Run, Misbehaving, Each]:
    """A run in which each kind of trouble comes once."""
    each = Each(PASSES, times=1)
    with Misbehaving(each) as server:
        return run_once(server.url, **QUICK), server, each


def test_trouble_that_passes_loses_nothing(passed):
    done, _, each = passed
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err
    assert {line["text"] for line in done.lines} == {ANSWER}
    assert len(done.lines) == N
    assert len(each.met) == len(PASSES)
    assert done.score()["coverage"] == 1.0


@pytest.mark.parametrize("fault", PASSES)
def test_a_request_that_met_with_it_was_asked_again_until_it_was_answered(fault, passed):
    _, server, each = passed
    key = each.key(fault)
    assert sum(request.key == key for request in server.requests) == 2
    assert server.answered[key] == 1


def test_a_server_that_says_when_is_left_alone_until_then(run):
    """Nothing is sent between the 429 and what it asked for, but what was under way."""
    refused_at: list[float] = []

    def busy(request: ReceivedRequest) -> Reaction | None:
        if request.number == 5:
            refused_at.append(time.monotonic())
            return refuses(429, "slow down", **{"Retry-After": "0.6"})
        return None

    with Misbehaving(busy, latency_s=0.02) as server:
        assert run(server.url, **QUICK).code == 0
    after = [request.at - refused_at[0] for request in server.requests if request.at > refused_at[0]]
    assert len(after) > 20
    assert not [seconds for seconds in after if 0.15 < seconds < 0.58]


def test_a_date_to_come_back_at_is_kept(run):
    refused_at: list[float] = []

    def busy(request: ReceivedRequest) -> Reaction | None:
        if request.number == 5:
            refused_at.append(time.monotonic())
            return in_a_second()
        return None

    with Misbehaving(busy, latency_s=0.02) as server:
        assert run(server.url, **QUICK).code == 0
    after = [request.at - refused_at[0] for request in server.requests if request.at > refused_at[0]]
    assert not [seconds for seconds in after if 0.15 < seconds < 0.9]


@pytest.mark.parametrize("retry_after", ["86400", "inf", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_of_days_that_is_asked_for_by_mistake_ends_nothing(run, retry_after):
    """The server answers what was under way, and more when it is tried again; it is left alone for ``patience_s``."""
    refused_at: list[float] = []

    def busy(request: ReceivedRequest) -> Reaction | None:
        if request.number == 5:
            refused_at.append(time.monotonic())
            return refuses(429, "slow down", **{"Retry-After": retry_after})
        return None

    with Misbehaving(busy, latency_s=0.05) as server:
        done = run(server.url, **{**QUICK, "patience_s": 1.0})
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err
    after = [request.at - refused_at[0] for request in server.requests if request.at > refused_at[0]]
    assert not [seconds for seconds in after if 0.15 < seconds < 0.95]


def test_a_server_that_is_out_of_quota_for_the_day_fails_what_is_left_in_its_time(run):
    busy = refuses(429, "slow down", **{"Retry-After": "86400"})
    with Misbehaving(lambda request: busy if request.key and request.number >= 5 else None) as server:
        done = run(server.url, **{**QUICK, "patience_s": 1.0})
    assert (done.code, done.statuses()) == (1, {"ok": 5, "failed": N - 5})


@pytest.mark.parametrize("retry_after", ["0", "-1", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_server_that_says_come_back_at_once_again_and_again_is_not_asked_without_rest(run, retry_after):
    server = Misbehaving()
    busy = refuses(429, "slow down", **{"Retry-After": retry_after})
    server.behave = lambda request: busy if request.key and request.at < server.requests[0].at + 2 else None
    with server:
        done = run(server.url, **QUICK)
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err
    assert len(server.requests) < 2 * N, "it was asked in vain hundreds of times a second"


def test_a_limit_of_requests_a_minute_is_no_end_though_it_names_where_to_pay_for_more(run):
    message = (
        "Rate limit reached on requests per min (RPM): Limit 3. Add a payment method: example.com/account/billing."
    )
    limit = refuses(429, message, **{"Retry-After": "0.2"})
    with Misbehaving(lambda request: limit if request.number == 5 else None) as server:
        done = run(server.url, **QUICK)
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err


def test_a_server_that_takes_two_at_once_is_found_to(run):
    """The limit in flight follows what the server takes: after the first rounds it is rarely busy."""
    server = Misbehaving(latency_s=0.03)
    server.behave = lambda request: refuses(429, "two at once") if request.key and server.under_way > 2 else None
    with server:
        done = run(server.url, **{**QUICK, "in_flight": 16})
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err
    assert len(server.requests) < 2.5 * N, "most requests were sent in vain"


REFUSALS = {
    "a refusal of the model": says(None, message={"refusal": "I cannot help with medical video."}),
    "a content filter": says("", "content_filter"),
    "a content filter before": refuses(400, "The response was filtered: content_filter policy"),
}


@pytest.mark.parametrize("how", REFUSALS)
def test_a_refusal_is_one_and_is_not_asked_again(how, run):
    with Misbehaving(lambda request: REFUSALS[how] if request.number == 3 else None) as server:
        done = run(server.url, **QUICK)
    assert (done.code, done.statuses()) == (0, {"ok": N - 1, "refused": 1})
    assert len(server.requests) == N
    assert done.score()["coverage"] == pytest.approx((N - 1) / N)
    assert done.score()["lost"] == {"refused": 1}


def test_an_answer_cut_short_is_cut(run):
    with Misbehaving(
        lambda request: says('{"answer": "yes", "just', "length") if request.number == 3 else None
    ) as server:
        done = run(server.url, **QUICK)
    assert done.statuses() == {"ok": N - 1, "cut": 1}
    assert len(server.requests) == N
    assert done.score()["lost"] == {"cut": 1}


STAYS = {
    "context overflow": (lambda: refuses(400, OVERFLOW), "ContextOverflow: HTTP 400", 1),
    "context overflow of llama.cpp": (
        lambda: refuses(400, "the request exceeds the available context size, try increasing it"),
        "ContextOverflow",
        1,
    ),
    "a body too large": (lambda: Reaction(b"<html>Payload too large</html>", 413), "ContextOverflow: HTTP 413", 1),
    "a bad request": (lambda: refuses(400, "image could not be decoded"), "Rejected: HTTP 400", 1),
    "no quota": (lambda: refuses(429, "You exceeded your quota: insufficient_quota"), "Rejected: HTTP 429", 1),
    "500 for ever": (lambda: refuses(500, "internal error"), "RetriesExhausted: HTTP 500: internal error", 4),
    "resets for ever": (lambda: Reaction(reset=True), "RetriesExhausted: the connection broke", 4),
    "no JSON for ever": (lambda: Reaction(b"yes"), "RetriesExhausted: the reply (3 bytes) is no JSON", 4),
    "no choices for ever": (lambda: Reaction({"choices": []}), "RetriesExhausted: the reply has no choices", 4),
    "no answer in time": (lambda: Reaction(says().body, wait_s=1.2), "RetriesExhausted: no answer within 0.8 s", 4),
}


@pytest.fixture(scope="module")
def stayed(run_once, short_pauses) -> tuple[Run, Misbehaving, Each]:
    """A run in which each kind of trouble comes to one request again and again."""
    each = Each({fault: make for fault, (make, _, _) in STAYS.items()}, times=100)
    with Misbehaving(each) as server:
        return run_once(server.url, out="stayed", **QUICK), server, each


def test_trouble_that_stays_fails_those_that_met_with_it_and_no_other(stayed):
    done, _, _ = stayed
    assert (done.code, done.statuses()) == (1, {"ok": N - len(STAYS), "failed": len(STAYS)}), done.err
    assert {line["text"] for line in done.lines if line["status"] == "failed"} == {""}
    assert done.score()["lost"] == {"failed": len(STAYS)}
    assert done.score()["coverage"] == pytest.approx(1 - len(STAYS) / N)


@pytest.mark.parametrize("fault", STAYS)
def test_trouble_that_stays_is_named_and_asked_no_more_often_than_helps(fault, stayed):
    done, server, each = stayed
    _, message, times = STAYS[fault]
    assert sum(request.key == each.key(fault) for request in server.requests) == times
    assert sum(message in line.get("error", "") for line in done.lines) >= 1


def test_only_failures_are_asked_again_when_the_run_goes_on(stayed, run_once):
    done, first, _ = stayed
    assert done.score()["lost"] == {"failed": len(STAYS)}
    with Misbehaving() as server:
        again = run_once(server.url, "--resume", out="stayed", **{**QUICK, "in_flight": 2})
    assert (again.code, again.statuses()) == (0, {"ok": N}), again.err
    assert len(server.requests) == len(STAYS)
    assert not set(server.answered) & set(first.answered), "an answered request was asked again"
    assert (again.score()["lost"], again.score()["coverage"]) == ({}, 1.0)


def test_a_server_that_dies_for_a_while_loses_nothing(run):
    """Longer than all attempts of a request would take together, and in the middle of answering."""
    server = Misbehaving(latency_s=0.02)

    def dies(request: ReceivedRequest) -> Reaction | None:
        if request.number == 12 and request.key:
            server.die(3.0)
            return Reaction(reset=True)
        return None

    server.behave = dies
    with server:
        done = run(server.url, **{**QUICK, "attempts": 2})
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err
    gap = max(b.at - a.at for a, b in pairwise(server.requests))
    assert gap > 2.5
    broken = sum(line.get("attempts", 1) > 1 for line in done.lines)
    assert 1 <= broken <= QUICK["in_flight"], "waiting for a server costs no attempt"


def test_a_server_that_does_not_come_back_fails_what_is_left_without_waiting_for_each(run):
    server = Misbehaving(latency_s=0.02)

    def dies(request: ReceivedRequest) -> Reaction | None:
        if request.number == 12 and request.key:
            server.die(60.0)
            return Reaction(reset=True)
        return None

    server.behave = dies
    started = time.monotonic()
    with server:
        done = run(server.url, **{**QUICK, "patience_s": 1.5})
    assert time.monotonic() - started < 50
    assert done.code == 1
    assert set(done.statuses()) == {"ok", "failed"}
    assert sum(done.statuses().values()) == N
    assert all("no server took a request for 1.5 s" in e["error"] for e in done.lines if e["status"] == "failed")


def test_everything_at_once_loses_nothing(run):
    """A third of all requests meets with something, drawn by chance, and the server dies twice."""
    dice = random.Random(1)
    server = Misbehaving(latency_s=0.01)

    def behave(request: ReceivedRequest) -> Reaction | None:
        if request.key and request.number in (9, 40):
            server.die(0.6)
            return Reaction(reset=True)
        return PASSES[dice.choice(list(PASSES))]() if request.key and dice.random() < 0.33 else None

    server.behave = behave
    with server:
        done = run(server.url, **{**QUICK, "attempts": 12})
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err
    assert set(server.answered.values()) == {1}
    assert {line["text"] for line in done.lines} == {ANSWER}
