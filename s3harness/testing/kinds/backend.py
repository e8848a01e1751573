"""What a backend promises.

One engine is loaded, asked a request of each task about two golden videos, at once, one by one, of text alone and of a
video that is broken, interrupted, and let go of.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

from s3harness.backends.base import Backend, Limits
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
    "identity": "its identity is JSON data, the same before and after an answer",
}
CHEAP_S = 5.0
WAITING_S = 2.0
"""The event loop may stand still for so long; a busy machine takes some of it."""
ENDING_S = 5.0
MOST_AT_ONCE = 8
BLOCKED_LIMITS = 2.0
"""What keeps the loop from ending it in time is interrupted after so many times the limit."""
ALL_LIMITS = 60.0
BOOLEANS = ("remote", "is_model", "sees_truth", "uses_media", "prime_each_clip")


@dataclass
class _Trial:
    bench: Bench
    backend: Backend
    store: WatchedStore
    requests: Sequence[Request]
    waited_s: float = 0.0


def try_it(bench: Bench) -> None:
    """Try a backend with ``bench.settings.options`` and the card ``bench.settings.model``."""
    made = bench.thing
    if not bench.must("form", isinstance(made, type) and issubclass(made, Backend), f"it is {made!r}"):
        return
    _look_at_flags(bench, made)
    card = ModelCard("golden", modalities=("video", "audio"))
    with bench.trying("form"):
        card = _card(bench, made)
    plan = golden_plan(card)
    requests = golden_requests(plan)
    store = prepared(plan.dataset.videos, requests)
    backend = _made(bench, card, store)
    if backend is None or not _may_be_asked(bench, backend):
        return
    with bench.trying("enters", "shown the truth"):
        if backend.sees_truth:
            backend.set_truth(golden_truth(plan))
    trial = _Trial(bench, backend, store, requests)
    with bench.trying("answers", limits=ALL_LIMITS):
        _in_a_loop(lambda: _session(trial))
    bench.must("free", trial.waited_s < WAITING_S, f"it stood still for {trial.waited_s:.1f} s")


def _look_at_flags(bench: Bench, made: type[Backend]) -> None:
    for name in BOOLEANS:
        value: object = getattr(made, name)
        bench.must("form", isinstance(value, bool | property), f"{name} is {value!r}")
    hears: object = made.modalities
    is_known = hears is None or (isinstance(hears, tuple) and set(hears) <= set(get_args(Modality)))
    bench.must("form", is_known, f"modalities is {hears!r}")
    bench.must("form", isinstance(made.limits, Limits | property), f"limits is {made.limits!r}")
    bench.must(
        "form", isinstance(made.transport_options, frozenset), f"transport_options is {made.transport_options!r}"
    )
    is_own = made.generate is not Backend.generate and asyncio.iscoroutinefunction(made.generate)
    bench.must("form", is_own, "it has no async def generate(self, request) of its own")


def _card(bench: Bench, made: type[Backend]) -> ModelCard:
    if bench.settings.model:
        return load_model(bench.settings.model)
    return ModelCard("golden", modalities=made.modalities or ("video",))


def _made(bench: Bench, card: ModelCard, store: WatchedStore) -> Backend | None:
    backend: Backend | None = None
    options = dict(bench.settings.options)
    started = time.perf_counter()
    with bench.trying("cheap", "made", options):
        backend = bench.thing(card, options, store)
        bench.must("cheap", not store.asked, f"it asked for {', '.join(sorted(store.asked))} while it was made")
    took = time.perf_counter() - started
    bench.must("cheap", took < CHEAP_S, f"it took {took:.1f} s")
    return backend


def _may_be_asked(bench: Bench, backend: Backend) -> bool:
    """Whether all that a backend may reach was permitted; nothing is sent otherwise."""
    if not isinstance(backend.hosts, tuple) or not all(isinstance(host, str) for host in backend.hosts):
        bench.broke("remote", f"hosts is {backend.hosts!r}, a tuple of names is expected")
        return False
    bench.must("remote", bool(backend.hosts) or not backend.remote, "remote is true, and hosts names none")
    unnamed = sorted(set(backend.hosts) - set(bench.settings.allow_remote))
    if unnamed or (backend.remote and not backend.hosts):
        where = ", ".join(unnamed) or "a host it does not name"
        bench.untried.append(f"it would connect to {where}; it was asked nothing (--allow-remote HOST)")
        return False
    return True


def _in_a_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run something in an event loop that in the end waits for no task and no thread."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    try:
        loop.run_until_complete(work())
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            cast("Any", task)._log_destroy_pending = False
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


async def _session(trial: _Trial) -> None:
    """All that is done with one loaded engine."""
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
    if any(answers):
        await _at_once(trial, answers)
        await _text_only(trial)
        with bench.trying("ends", limits=BLOCKED_LIMITS):
            await _cancelled(trial)
        await _broken(trial)
    watch.cancel()
    with bench.trying("facts"):
        bench.must("facts", not (wrong := writable(dict(backend.facts()))), wrong)
    after = _identity(trial)
    bench.must("identity", before == after, f"it was {before}, and is now {after}")
    with bench.trying("enters", "leaving", limits=BLOCKED_LIMITS):
        await _limited(backend.__aexit__(None, None, None), bench.settings.limit_s)


def _identity(trial: _Trial) -> dict[str, object]:
    identity: dict[str, object] = {}
    with trial.bench.trying("identity"):
        identity = dict(trial.backend.identity())
        trial.bench.must("identity", not (wrong := writable(identity)), wrong)
    return identity


async def _watch(trial: _Trial) -> None:
    """Measure for how long the loop stands still."""
    while True:
        started = time.perf_counter()
        await asyncio.sleep(0.01)
        trial.waited_s = max(trial.waited_s, time.perf_counter() - started - 0.01)


async def _one_by_one(trial: _Trial) -> list[Response | None]:
    trial.store.asked.clear()
    answers = [await _answer(trial, request) for request in trial.requests]
    asked = trial.store.asked
    trial.bench.must("flags", trial.backend.uses_media or not asked, f"uses_media is false, and it asked for {asked}")
    hears = any(request.clip.audio for request in trial.requests)
    trial.bench.must("flags", hears or "audio" not in asked, "it asked for the sound of clips without audio")
    return answers


async def _answer(trial: _Trial, request: Request, promise: str = "answers") -> Response | None:
    bench, what, found = trial.bench, request.task, None
    with bench.trying(promise, what, request, BLOCKED_LIMITS):
        trial.backend.prefetch(request.clip) if trial.backend.uses_media and not request.clip.is_text_only else None
        given = await _limited(trial.backend.generate(request), bench.settings.limit_s)
        found = checked_response(given, request)
        bench.must(promise, given.request_id == request.id, f"{what}: the response is to {given.request_id!r}")
        is_known = given.status in ("ok", "refused", "cut")
        bench.must(promise, is_known, f"{what}: status {given.status!r}; what fails is raised")
        likely = dict(given.choice_probabilities or {})
        in_bounds = all(0 <= share <= 1 for share in likely.values()) and sum(likely.values()) <= 1 + 1e-6
        bench.must("probabilities", in_bounds, f"{what}: {likely}")
    return found


async def _at_once(trial: _Trial, alone: Sequence[Response | None]) -> None:
    """As many as its limits allow, each twice, so that those of one clip meet too."""
    n = min(trial.backend.limits.in_flight, MOST_AT_ONCE)
    slots = asyncio.Semaphore(n)

    async def ask(request: Request) -> Response | None:
        async with slots:
            return await _quietly(trial, request)

    twice = [*trial.requests, *trial.requests]
    with trial.bench.trying("at once", f"{n} at once", limits=BLOCKED_LIMITS):
        together = await asyncio.gather(*map(ask, twice))
        for request, one, other in zip(twice, together, [*alone, *alone], strict=True):
            if one is not None and other is not None:
                is_same = (one.text, one.status) == (other.text, other.status)
                trial.bench.must("at once", is_same, f"{request.task}: {one.text[:60]!r}, alone {other.text[:60]!r}")


async def _quietly(trial: _Trial, request: Request) -> Response:
    """Ask within a trial that watches already."""
    given = await _limited(trial.backend.generate(request), trial.bench.settings.limit_s)
    return checked_response(given, request)


async def _text_only(trial: _Trial) -> None:
    trial.store.asked.clear()
    await _answer(trial, text_only(trial.requests[0]), "text")
    asked = ", ".join(sorted(trial.store.asked))
    trial.bench.must("text", not asked, f"it asked for {asked} of a clip that shows nothing")


async def _cancelled(trial: _Trial) -> None:
    """Cancelled at once, a little later, and again and again if it goes on."""
    for pause_s in (0.0, 0.005):
        task = asyncio.ensure_future(trial.backend.generate(trial.requests[0]))
        await asyncio.sleep(pause_s)
        was_done = task.done()
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


async def _broken(trial: _Trial) -> None:
    """A clip of a video that cannot be decoded, and one that can after it."""
    request = trial.requests[0]
    trial.store.give_up("golden-broken", "its file is damaged")
    broken = replace(request, id="golden-broken", clip=replace(request.clip, video_id="golden-broken"))
    trial.store.asked.clear()
    given: object = None
    with suppress(Exception):
        trial.backend.prefetch(broken.clip)
    with suppress(Exception):
        given = await _limited(trial.backend.generate(broken), trial.bench.settings.limit_s)
    is_refused = not (isinstance(given, Response) and given.status == "ok" and trial.store.asked)
    trial.bench.must("broken", is_refused, f"it answered {getattr(given, 'text', given)!r}")
    await _answer(trial, request, "broken")


async def _limited(work: Coroutine[Any, Any, Any], limit_s: float) -> Any:
    """What a coroutine returns; ``TimeoutError`` if it does not end, whatever it does when it is cancelled."""
    task = asyncio.ensure_future(work)
    await asyncio.wait([task], timeout=limit_s)
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=min(ENDING_S, limit_s / 2))
        raise TimeoutError(f"not done after {limit_s:g} s")
    return task.result()
