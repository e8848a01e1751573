"""Promises of a backend.

One engine is loaded, sent a request of each task about two golden videos: concurrently, one by one, as text alone,
about a damaged video, cancelled; and unloaded.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from s3harness.backends.base import Backend, Limits
from s3harness.backends.model_inputs import ModelInputs
from s3harness.run.retry import checked_response
from s3harness.specs.models import ModelCard, load_model
from s3harness.testing.golden import (
    WatchedStore,
    golden_plan,
    golden_requests,
    golden_truth,
    prepared,
    text_only,
)
from s3harness.testing.trial import Bench, writable
from s3harness.types import Modality, Request, Response

PROMISES: Mapping[str, str] = {
    "form": "it is a class that extends s3harness.Backend, and its flags are of the right types",
    "remote": "it declares the hosts to which it sends media, if any leave this machine",
    "cheap": "its construction loads no engine, reads no media, and is fast",
    "enters": "entering loads the engine and returns the backend; leaving releases the engine",
    "answers": "it answers requests of every task with a Response that can be journalled, under the request's own id",
    "probabilities": "probabilities of closed answers lie in 0–1, and their sum is at most 1",
    "flags": "it requests no media and no audio that its flags deny using",
    "text": "it answers a text-only request from the prompt, without requesting media",
    "at once": "concurrent requests get the same answers as single ones",
    "free": "it never blocks the event loop; long work runs in a thread",
    "ends": "a cancelled request ends at once, as cancelled",
    "broken": "for an undecodable video it raises an error, and it answers the next request",
    "facts": "its facts about the engine are JSON data",
    "inputs": "if it shows its model's inputs, they are ModelInputs, the same each time, and others without media",
    "identity": "its identity is JSON data, the same before and after an answer",
}
CHEAP_S = 5.0
WAITING_S = 2.0
"""Seconds for which the event loop may be blocked; a busy machine takes some of them."""
ENDING_S = 5.0
MOST_AT_ONCE = 8
BLOCKED_LIMITS = 2.0
"""Time limit where the loop itself may be blocked, in limits of one trial: _limited must have its chance first."""
ALL_LIMITS = 60.0
BOOLEANS = ("remote", "is_model", "sees_truth", "uses_media", "prime_each_clip")


@dataclass
class _BackendTrial:
    bench: Bench
    backend: Backend
    store: WatchedStore
    requests: Sequence[Request]
    waited_s: float = 0.0


def try_it(bench: Bench) -> None:
    """Try a backend with ``bench.settings.options`` and the card ``bench.settings.model``."""
    backend_type = bench.thing
    # Without a Backend class there is nothing that the other trials could call.
    if not bench.must(
        "form", isinstance(backend_type, type) and issubclass(backend_type, Backend), f"it is {backend_type!r}"
    ):
        return
    _try_flags(bench, backend_type)
    # Both modalities, so that requests about sounds are planned even if the card cannot be read.
    card = ModelCard("golden", modalities=("video", "audio"))
    with bench.trying("form"):
        card = _card(bench, backend_type)
    plan = golden_plan(card)
    requests = golden_requests(plan)
    store = prepared(plan.dataset.videos, requests)
    backend = _construct(bench, card, store)
    if backend is None or not _is_permitted(bench, backend):
        return
    with bench.trying("enters", "shown the truth"):
        # As a run does it: before the engine is loaded, and for backends that declare it alone.
        if backend.sees_truth:
            backend.set_truth(golden_truth(plan))
    trial = _BackendTrial(bench, backend, store, requests)
    with bench.trying("answers", limits=ALL_LIMITS):
        _run_in_loop(lambda: _session(trial))
    bench.must("free", trial.waited_s < WAITING_S, f"it was blocked for {trial.waited_s:.1f} s")


def _try_flags(bench: Bench, backend_type: type[Backend]) -> None:
    for name in BOOLEANS:
        value: object = getattr(backend_type, name)
        # A property is decided per instance, by the options.
        bench.must("form", isinstance(value, bool | property), f"{name} is {value!r}")
    modalities: object = backend_type.modalities
    is_valid = modalities is None or (isinstance(modalities, tuple) and set(modalities) <= set(get_args(Modality)))
    bench.must("form", is_valid, f"modalities is {modalities!r}")
    bench.must("form", isinstance(backend_type.limits, Limits | property), f"limits is {backend_type.limits!r}")
    bench.must(
        "form",
        isinstance(backend_type.transport_options, frozenset),
        f"transport_options is {backend_type.transport_options!r}",
    )
    is_own = backend_type.generate is not Backend.generate and asyncio.iscoroutinefunction(backend_type.generate)
    bench.must("form", is_own, "it has no async def generate(self, request) of its own")


def _card(bench: Bench, backend_type: type[Backend]) -> ModelCard:
    if bench.settings.model:
        return load_model(bench.settings.model)
    return ModelCard("golden", modalities=backend_type.modalities or ("video",))


def _construct(bench: Bench, card: ModelCard, store: WatchedStore) -> Backend | None:
    backend: Backend | None = None
    options = dict(bench.settings.options)
    started = time.perf_counter()
    with bench.trying("cheap", "made", options):
        backend = bench.thing(card, options, store)
        bench.must(
            "cheap", not store.requested, f"it asked for {', '.join(sorted(store.requested))} during its construction"
        )
    took = time.perf_counter() - started
    bench.must("cheap", took < CHEAP_S, f"it took {took:.1f} s")
    return backend


def _is_permitted(bench: Bench, backend: Backend) -> bool:
    """Return True if every host of a backend was permitted; otherwise no request is sent."""
    if not isinstance(backend.hosts, tuple) or not all(isinstance(host, str) for host in backend.hosts):
        bench.broke("remote", f"hosts is {backend.hosts!r}, a tuple of names is expected")
        return False
    bench.must("remote", bool(backend.hosts) or not backend.remote, "remote is true, and hosts names none")
    unnamed = sorted(set(backend.hosts) - set(bench.settings.allow_remote))
    # Nothing may leave the machine unasked, not even synthetic clips.
    if unnamed or (backend.remote and not backend.hosts):
        where = ", ".join(unnamed) or "a host it does not name"
        bench.untried.append(f"it would connect to {where}; no request was sent (permit it with --allow-remote HOST)")
        return False
    return True


def _run_in_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine in an event loop that waits for no task and no thread at its end."""
    loop = asyncio.new_event_loop()
    # The trials report errors; asyncio would log those of abandoned tasks once more.
    loop.set_exception_handler(lambda *_: None)
    try:
        loop.run_until_complete(work())
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            # A task that ignores cancellation is reported already; asyncio would print it again at its destruction.
            cast("Any", task)._log_destroy_pending = False
        # One turn of the loop, for cancellations to arrive; asyncio.run would wait for every task.
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


async def _session(trial: _BackendTrial) -> None:
    """Run all trials of one loaded engine."""
    bench, backend = trial.bench, trial.backend
    entered: object = None
    with bench.trying("enters", "entering", limits=BLOCKED_LIMITS):
        entered = await _limited(backend.__aenter__(), bench.settings.limit_s)
        bench.must("enters", entered is backend, f"entering returned {type(entered).__name__}")
    if entered is None:
        return
    before = _identity(trial)
    watch = asyncio.create_task(_watch(trial))
    answers = await _one_by_one(trial)
    # An engine that answers nothing is reported once, not by every trial below.
    if any(answers):
        await _try_concurrent(trial, answers)
        await _try_text_only(trial)
        await _try_inputs(trial)
        with bench.trying("ends", limits=BLOCKED_LIMITS):
            await _try_cancelled(trial)
        await _try_broken(trial)
    watch.cancel()
    with bench.trying("facts"):
        bench.must("facts", not (wrong := writable(dict(backend.facts()))), wrong)
    after = _identity(trial)
    bench.must("identity", before == after, f"it was {before}, and is now {after}")
    with bench.trying("enters", "leaving", limits=BLOCKED_LIMITS):
        await _limited(backend.__aexit__(None, None, None), bench.settings.limit_s)


def _identity(trial: _BackendTrial) -> dict[str, object]:
    identity: dict[str, object] = {}
    with trial.bench.trying("identity"):
        identity = dict(trial.backend.identity())
        trial.bench.must("identity", not (wrong := writable(identity)), wrong)
    return identity


async def _watch(trial: _BackendTrial) -> None:
    """Measure the longest time for which the event loop is blocked."""
    while True:
        started = time.perf_counter()
        await asyncio.sleep(0.01)
        # The excess over the sleep is the time in which nothing else could run.
        trial.waited_s = max(trial.waited_s, time.perf_counter() - started - 0.01)


async def _one_by_one(trial: _BackendTrial) -> list[Response | None]:
    trial.store.requested.clear()
    answers = [await _try_request(trial, request) for request in trial.requests]
    requested = trial.store.requested
    trial.bench.must(
        "flags", trial.backend.uses_media or not requested, f"uses_media is false, and it asked for {requested}"
    )
    has_audio = any(request.clip.audio for request in trial.requests)
    trial.bench.must("flags", has_audio or "audio" not in requested, "it asked for the sound of clips without audio")
    return answers


async def _try_request(trial: _BackendTrial, request: Request, promise: str = "answers") -> Response | None:
    bench, case, response = trial.bench, request.task, None
    with bench.trying(promise, case, request, BLOCKED_LIMITS):
        # As the worker calls it, ahead of the request.
        trial.backend.prefetch(request.clip) if trial.backend.uses_media and not request.clip.is_text_only else None
        answer = await _limited(trial.backend.generate(request), bench.settings.limit_s)
        response = checked_response(answer, request)
        bench.must(promise, answer.request_id == request.id, f"{case}: the response is to {answer.request_id!r}")
        is_valid = answer.status in ("ok", "refused", "cut")
        bench.must(promise, is_valid, f"{case}: status {answer.status!r}; what fails is raised")
        probabilities = dict(answer.choice_probabilities or {})
        # Below 1 is right, since an engine may know the likeliest tokens alone; 1e-6 is rounding of float32.
        in_bounds = all(0 <= share <= 1 for share in probabilities.values()) and sum(probabilities.values()) <= 1 + 1e-6
        bench.must("probabilities", in_bounds, f"{case}: {probabilities}")
    return response


async def _try_concurrent(trial: _BackendTrial, alone: Sequence[Response | None]) -> None:
    """Send as many requests as its limits allow, each twice, so that requests of one clip coincide."""
    n = min(trial.backend.limits.in_flight, MOST_AT_ONCE)
    # The backend's own limit is kept, as by an executor.
    semaphore = asyncio.Semaphore(n)

    async def send(request: Request) -> Response | None:
        async with semaphore:
            return await _send(trial, request)

    twice = [*trial.requests, *trial.requests]
    with trial.bench.trying("at once", f"{n} at once", limits=BLOCKED_LIMITS):
        together = await asyncio.gather(*map(send, twice))
        for request, one, other in zip(twice, together, [*alone, *alone], strict=True):
            if one is not None and other is not None:
                is_same = (one.text, one.status) == (other.text, other.status)
                trial.bench.must("at once", is_same, f"{request.task}: {one.text[:60]!r}, alone {other.text[:60]!r}")


async def _send(trial: _BackendTrial, request: Request) -> Response:
    """Send a request within a trial that is watched already."""
    answer = await _limited(trial.backend.generate(request), trial.bench.settings.limit_s)
    return checked_response(answer, request)


async def _try_text_only(trial: _BackendTrial) -> None:
    trial.store.requested.clear()
    await _try_request(trial, text_only(trial.requests[0]), "text")
    requested = ", ".join(sorted(trial.store.requested))
    trial.bench.must("text", not requested, f"it asked for {requested} of a text-only clip")


async def _try_inputs(trial: _BackendTrial) -> None:
    """Ask twice for the inputs of a request, and once for those of its text alone."""
    bench, backend, request = trial.bench, trial.backend, trial.requests[0]
    if not backend.can("model_inputs"):
        return
    with bench.trying("inputs", "model_inputs", limits=BLOCKED_LIMITS):
        requests = (request, request, text_only(request))
        inputs = [await _limited(backend.model_inputs(one), bench.settings.limit_s) for one in requests]
        if bench.must("inputs", all(isinstance(one, ModelInputs) for one in inputs), f"it returned {inputs[0]!r:.60}"):
            first, again, text = (one.sha256() for one in inputs)
            bench.must("inputs", first == again, "two calls for one request return different inputs")
            uses_media = backend.uses_media and not request.clip.is_text_only
            bench.must("inputs", first != text or not uses_media, "a clip's inputs are those of its text alone")


async def _try_cancelled(trial: _BackendTrial) -> None:
    """Cancel a request at once, a little later, and again if it goes on."""
    # Before the request has begun, and while it runs.
    for pause_s in (0.0, 0.005):
        task = asyncio.ensure_future(trial.backend.generate(trial.requests[0]))
        await asyncio.sleep(pause_s)
        # A request that is faster than the pause cannot be cancelled.
        was_done = task.done()
        # A handler on the way may swallow one cancellation; three ignored ones are a hang.
        for _ in range(3):
            task.cancel()
            await asyncio.wait([task], timeout=ENDING_S / 3)
        if not trial.bench.must("ends", task.done(), f"cancelled three times, it goes on after {ENDING_S:g} s"):
            return
        if task.cancelled():
            continue
        error = task.exception()
        swallowed = (
            "" if was_done else "it returned an answer" if error is None else f"it raised {type(error).__name__}"
        )
        trial.bench.must("ends", not swallowed, swallowed)


async def _try_broken(trial: _BackendTrial) -> None:
    """Send a request about a video that cannot be decoded, and then one about a sound video."""
    request = trial.requests[0]
    trial.store.give_up("golden-broken", "its file is damaged")
    broken = replace(request, id="golden-broken", clip=replace(request.clip, video_id="golden-broken"))
    trial.store.requested.clear()
    answer: object = None
    with suppress(Exception):
        # A prefetch may fail early or silently: the answer decides.
        trial.backend.prefetch(broken.clip)
    with suppress(Exception):
        answer = await _limited(trial.backend.generate(broken), trial.bench.settings.limit_s)
    # A backend that used no media cannot know that they are damaged.
    is_refused = not (isinstance(answer, Response) and answer.status == "ok" and trial.store.requested)
    trial.bench.must("broken", is_refused, f"it answered {getattr(answer, 'text', answer)!r}")
    await _try_request(trial, request, "broken")


async def _limited(work: Coroutine[Any, Any, Any], limit_s: float) -> Any:
    """Return a coroutine's result; raise ``TimeoutError`` if it does not end, even when it ignores cancellation."""
    task = asyncio.ensure_future(work)
    # asyncio.wait_for would wait without limit for a task that ignores its cancellation.
    await asyncio.wait([task], timeout=limit_s)
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=min(ENDING_S, limit_s / 2))
        raise TimeoutError(f"not done after {limit_s:g} s")
    return task.result()
