"""What is worth trying again is tried again; everything else is the failure that it is."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest
from running import journal, run_words

from s3harness import MediaError, RetryableError, UsageError
from s3harness.backends.base import Backend, Limits
from s3harness.run.retry import BACKOFF_S, MAX_BACKOFF_S, generate_with_retry, pause_s
from s3harness.specs.models import ModelCard
from s3harness.types import Clip, Request, Response

REQUEST = Request(
    id="id",
    task="s3/task",
    item="s3/task/v0001/x",
    subject="x",
    clip=Clip("v0001", 0.0, 1.0, (0.0,), 1000),
    prompt="What?",
)


class Scripted(Backend):
    """Does one thing after the other: raises what is an exception, returns what is not."""

    limits = Limits(timeout_s=0.1, attempts=3)

    def __init__(self, *script):
        super().__init__(ModelCard("scripted"), {}, None)
        self.script = list(script)

    async def generate(self, request):
        step = self.script.pop(0)
        if isinstance(step, BaseException):
            raise step
        return await step if asyncio.iscoroutine(step) else step


def asked(*script) -> tuple[Response, int]:
    """The response of a scripted backend, and how many of its steps were not come to."""
    backend = Scripted(*script)
    response = asyncio.run(generate_with_retry(backend, REQUEST))
    return response, len(backend.script)


SOON = RetryableError("busy", retry_after_s=0.01)
OK = Response("id", "yes")


@pytest.mark.parametrize(
    ("script", "attempts"),
    [((OK,), 1), ((SOON, OK), 2), ((SOON, SOON, OK), 3)],
)
def test_trouble_that_passes_costs_attempts_alone(script, attempts):
    response, _ = asked(*script)
    assert (response.text, response.status, response.attempts) == ("yes", "ok", attempts)


def test_trouble_that_stays_is_a_failure_after_the_last_attempt():
    response, left = asked(SOON, SOON, SOON, OK)
    assert (response.status, response.error, response.attempts, left) == ("failed", "RetryableError: busy", 3, 1)


@pytest.mark.parametrize(
    "error",
    [ValueError("no"), KeyError("no"), MediaError("no"), UsageError("no"), OSError(5, "no"), asyncio.CancelledError()],
    ids=lambda error: type(error).__name__,
)
def test_an_error_that_stays_is_not_tried_again(error):
    response, left = asked(error, OK)
    assert (response.status, response.attempts, left) == ("failed", 1, 1)
    assert response.error == ("no" if isinstance(error, MediaError) else f"{type(error).__name__}: {error}")


@pytest.mark.parametrize("error", [ConnectionResetError("gone"), TimeoutError("slow")])
def test_connections_and_timeouts_of_the_engine_are_tried_again(error, monkeypatch):
    monkeypatch.setattr("s3harness.run.retry.BACKOFF_S", 0.001)
    assert asked(error, OK)[0].attempts == 2


def test_an_answer_that_does_not_come_is_a_failure(monkeypatch):
    monkeypatch.setattr("s3harness.run.retry.BACKOFF_S", 0.001)
    started = time.monotonic()
    response, _ = asked(*(asyncio.sleep(30) for _ in range(3)))
    assert (response.status, response.error, response.attempts) == ("failed", "no answer within 0.1 s", 3)
    assert time.monotonic() - started < 10


def test_the_wait_that_the_server_asked_for_is_kept(monkeypatch):
    monkeypatch.setattr("s3harness.run.retry.BACKOFF_S", 600.0)
    started = time.monotonic()
    asked(RetryableError("busy", retry_after_s=0.3), OK)
    assert 0.3 <= time.monotonic() - started < 30, "neither shorter nor as long as its own pause"
    assert pause_s(1, 7.0) == 7.0
    assert pause_s(1, 1e9) == MAX_BACKOFF_S
    assert pause_s(1, -5.0) == 0.0


def test_pauses_grow_and_are_bounded():
    for attempt in range(1, 40):
        whole = min(BACKOFF_S * 2 ** (attempt - 1), MAX_BACKOFF_S)
        assert whole / 2 <= pause_s(attempt, None) <= whole


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "NoneType"),
        ("yes", "str"),
        ({"text": "yes"}, "dict"),
        (Response("id", None), "text is NoneType"),
        (Response("id", b"yes"), "text is bytes"),
        (Response("id", "yes", status="fine"), "status is 'fine'"),
        (Response("id", "yes", prompt_tokens=np.int64(3)), "tokens and probabilities"),
        (Response("id", "yes", choice_probabilities={"yes": float("nan")}), "tokens and probabilities"),
        (Response("id", "yes", choice_probabilities=[0.5]), "TypeError"),
    ],
)
def test_what_is_no_response_is_a_failure_that_says_what_it_is(returned, said):
    response, left = asked(returned, OK)
    assert (response.status, left) == ("failed", 1)
    assert said in response.error


def test_a_response_belongs_to_its_request_whatever_it_says():
    assert asked(Response("another", "yes"))[0].request_id == "id"


def test_a_run_that_is_stopped_stops_asking():
    async def stopped():
        task = asyncio.ensure_future(generate_with_retry(Scripted(asyncio.sleep(30)), REQUEST))
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(stopped())


@pytest.mark.parametrize("wrong", [{"in_flight": 0}, {"attempts": 0}, {"timeout_s": 0}, {"timeout_s": float("nan")}])
def test_limits_under_which_nothing_could_be_asked_are_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Limits(**wrong)


FAULTY = """
    import s3harness
    from s3harness.backends.floors_and_oracle import OracleBackend


    class FaultyBackend(OracleBackend):
        def __init__(self, model, options, media):
            super().__init__(model, {}, media)
            self.fault = options["fault"]
            if self.fault == "made":
                raise ValueError("a colour is needed")

        async def __aenter__(self):
            if self.fault == "loaded":
                raise RuntimeError("no such accelerator")
            return self

        async def __aexit__(self, *exc):
            if self.fault == "closed":
                raise RuntimeError("it hangs")

        async def generate(self, request):
            if self.fault == "cut":
                return s3harness.Response(request.id, "half a pair: \\ud83d")
            return await super().generate(request)


    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.backend("faulty", "faulty:FaultyBackend")
"""


@pytest.fixture
def faulty(s3, dataset, cache, tmp_path):
    """Runs one task on a backend with a fault."""
    s3.plugin("faulty", FAULTY)
    words = run_words(dataset, tmp_path / "out", cache, "--tasks", "6", backend="faulty")
    return lambda fault, *more: s3(*words, "-o", f"fault={fault}", *more)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("made", "the faulty backend cannot be constructed: ValueError: a colour is needed"),
        ("loaded", "FaultyBackend cannot be loaded: RuntimeError: no such accelerator"),
    ],
)
def test_an_engine_that_does_not_start_ends_the_run_with_what_it_said(fault, said, faulty):
    done = faulty(fault)
    assert done.code == 1
    assert said in done.err
    assert "Traceback" not in done.err


def test_an_engine_that_does_not_close_has_answered_all_the_same(faulty, tmp_path):
    done = faulty("closed")
    assert done.code == 0
    assert "FaultyBackend did not close: RuntimeError: it hangs" in done.err
    assert (tmp_path / "out" / "scores.json").exists()


def test_text_that_is_no_unicode_is_journalled_and_scored(faulty, tmp_path):
    done = faulty("cut")
    assert done.code == 0, done.err
    assert {line["text"] for line in journal(tmp_path / "out")} == {"half a pair: ?"}
