"""Requests go clip by clip, an engine is never left idle, and a clip's first request goes alone where that helps."""

from __future__ import annotations

import asyncio
import json
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import answers, journal, run_words

from s3harness.run.admission import DecodeAdmission, PrioritySemaphore

WITNESS = """
    import asyncio
    import json
    import os
    import threading
    import time
    from dataclasses import replace

    import s3harness
    from s3harness.backends.floors_and_oracle import OracleBackend


    class WitnessBackend(OracleBackend):
        def __init__(self, model, options, media):
            super().__init__(model, {}, media)
            self.limits = s3harness.Limits(in_flight=int(options["in_flight"]))
            self.prime_each_clip = bool(options.get("warms"))
            self.clips_to_await = int(options.get("await", 0))
            self.ready, self.begun = set(), set()
            self.log = open(os.environ["WITNESS"], "a", buffering=1)

        def tell(self, event, clip):
            shown = (clip.video_id, clip.start_s, clip.end_s, clip.max_pixels, *clip.timestamps)
            self.log.write(json.dumps([event, *shown]) + "\\n")

        async def __aenter__(self):
            self.report_status("loading weights")
            await asyncio.to_thread(self.report_status, "warming up")
            self.add_note("the cache of prefixes is off")
            return self

        def prefetch(self, clip):
            assert threading.current_thread() is not threading.main_thread()
            time.sleep(0.002)
            self.ready.add(clip)
            self.tell("ready", clip)
            raise ValueError("what prefetch raises fails nothing")

        async def generate(self, request):
            assert request.clip.is_text_only or any(clip.timestamps == request.clip.timestamps for clip in self.ready)
            self.tell("ask", request.clip)
            await asyncio.sleep(0.003)
            self.begun.add(replace(request.clip, index=0))
            while len(self.ready) < min(len(self.begun) + 1, self.clips_to_await):
                await asyncio.sleep(0.001)
            self.tell("answer", request.clip)
            return await super().generate(request)


    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.backend("witness", "witness:WitnessBackend")
"""


@pytest.fixture
def witnessed(s3, dataset, cache, tmp_path):
    """Runs all tasks and gives what happened: (event, clip) one after the other."""
    s3.plugin("witness", WITNESS)

    def run(in_flight, **options):
        s3.set(WITNESS=tmp_path / "log")
        more = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        words = run_words(dataset, tmp_path / "out", cache, "-o", f"in_flight={in_flight}", *more, backend="witness")
        done = s3(*words)
        assert done.code == 0, done.err
        events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
        return [(event, tuple(clip)) for event, *clip in events], done

    return run


def under_way(events):
    """How many requests are under way, and of how many clips, after each event."""
    asked = []
    for event, clip in events:
        if event == "ask":
            asked.append(clip)
        elif event == "answer":
            asked.remove(clip)
        yield len(asked), len(set(asked))


def test_one_at_a_time_goes_clip_by_clip(witnessed):
    events, _ = witnessed(1)
    asked = [clip for event, clip in events if event == "ask"]
    assert len(asked) > 100
    runs = [clip for clip, _ in groupby(asked)]
    assert len(runs) == len(set(asked)), "no clip is come back to"


@pytest.mark.parametrize("in_flight", [1, 2, 8])
def test_the_first_request_of_a_clip_goes_alone_and_the_others_after_it(in_flight, witnessed, tmp_path, undisturbed):
    events, _ = witnessed(in_flight, warms="true")
    seen, answered = {}, {}
    for event, clip in events:
        if event == "ask":
            seen[clip] = seen.get(clip, 0) + 1
            assert seen[clip] == 1 or answered.get(clip), "a second request before the first was answered"
        if event == "answer":
            answered[clip] = answered.get(clip, 0) + 1
    assert max(n for n, _ in under_way(events)) == in_flight, "the engine is kept busy"
    if in_flight == 1:
        runs = [clip for clip, _ in groupby(clip for event, clip in events if event == "ask")]
        assert len(runs) == len(seen), "no other clip comes between a first request and its others"
    assert answers(tmp_path / "out") == answers(undisturbed["oracle"])


def test_many_at_a_time_touch_few_clips(witnessed):
    events, _ = witnessed(8)
    busy = [(requests, clips) for requests, clips in under_way(events) if requests == 8]
    assert busy, "as many are under way as may be"
    asked = [clip for event, clip in events if event == "ask"]
    spread = [len({*asked[i : i + 8]}) for i in range(0, len(asked) - 8, 8)]
    per_clip = len(asked) / len(set(asked))
    assert sum(spread) / len(spread) <= 8 / per_clip + 2


def test_the_next_clip_is_made_ready_while_this_one_is_asked(witnessed, undisturbed):
    """No clip is answered before one more is ready, so that the run would never end if none were made ready ahead."""
    sent = [json.loads(line) for line in (undisturbed["oracle"] / "sent.jsonl").read_text().splitlines()]
    events, _ = witnessed(2, **{"await": sum(record["kind"] == "media" for record in sent)})
    first_asked = {}
    for at, (event, clip) in enumerate(events):
        if event == "ask":
            first_asked.setdefault(clip, at)
    ready = {clip: at for at, (event, clip) in enumerate(events) if event == "ready"}
    assert ready.keys() == first_asked.keys()
    assert all(at < first_asked[clip] for clip, at in ready.items())
    busy = [requests for requests, _ in under_way(events)]
    assert sum(busy[at] > 0 for at in ready.values()) > len(ready) / 2, "others are asked meanwhile"
    order = sorted(first_asked, key=first_asked.__getitem__)
    ahead = [sum(ready[later] < first_asked[clip] for later in order[i + 1 :]) for i, clip in enumerate(order)]
    assert max(ahead) <= 2, "and no more than two clips wait, ready"


def test_what_the_engine_says_is_shown_as_it_loads_and_what_it_notes_at_the_end(witnessed):
    _, done = witnessed(8)
    lines = done.err.splitlines()
    assert [line.split(" (")[0] for line in lines[:2]] == ["loading weights", "warming up"]
    assert any("the cache of prefixes is off" in line for line in lines[2:])


TEXT_ONLY = """
    import s3harness


    def nothing(video, subject, **options):
        return [s3harness.Clip(video.id, 0.0, video.duration_s, (), 1000)]


    class ReaderBackend(s3harness.Backend):
        modalities = ("video", "audio")

        async def generate(self, request):
            assert request.clip.is_text_only
            return s3harness.Response(request.id, '{"answer": "ES"}')

        def prefetch(self, clip):
            raise AssertionError("there is nothing to make ready")


    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.sampler("nothing", "text_only:nothing")
        registry.backend("reader", "text_only:ReaderBackend")
"""


def test_a_clip_that_shows_nothing_is_asked_about_though_its_video_cannot_be_read(s3, here, copy, cache, tmp_path):
    import yaml

    from s3harness.specs.loading import load_task

    s3.plugin("text_only", TEXT_ONLY)
    spec = dict(load_task("7").data) | {"name": "mine/blind", "sampler": {"name": "nothing"}, "protocols": {}}
    path = tmp_path / "blind.yaml"
    path.write_text(yaml.safe_dump(spec))
    for video in (copy / "videos").iterdir():
        video.unlink()
    done = s3(*run_words(copy, tmp_path / "out", cache, "--tasks", path, backend="reader"))
    assert done.code == 0, done.err
    lines = journal(tmp_path / "out")
    assert lines
    assert {(line["status"], line["media"]) for line in lines} == {("ok", "")}


def test_a_place_goes_to_the_earliest_in_the_plan_whoever_came_first():
    async def served():
        slots, order = PrioritySemaphore(1), []

        async def take(place):
            await slots.claim(place)
            order.append(place)
            await asyncio.sleep(0)
            slots.release()

        first = slots.claim((9, 9))
        await first
        await asyncio.gather(take((1, 0)), take((0, 2)), take((0, 1)), take((2, 0)), take((0, 1)), slot_later(slots))
        return order

    async def slot_later(slots):
        await asyncio.sleep(0)
        slots.release()

    assert asyncio.run(served()) == [(0, 1), (0, 1), (0, 2), (1, 0), (2, 0)]


def test_a_place_claimed_by_who_has_gone_is_not_lost():
    async def served():
        slots = PrioritySemaphore(1)
        await slots.claim((0, 0))
        gone, waiting = slots.claim((0, 1)), slots.claim((0, 2))
        gone.cancel()
        slots.release()
        await asyncio.wait_for(waiting, 5)

    asyncio.run(served())


@settings(deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=30), st.integers(1, 4), st.integers(1, 10))
def test_the_gate_lets_in_no_more_than_it_may_and_all_in_the_end(sizes, ahead, most):
    async def pass_through():
        gate, inside, waiting = DecodeAdmission(ahead, most), [], []

        async def use(video):
            waiting.append(video)
            assert len(waiting) <= ahead
            await asyncio.sleep(0)
            gate.begin(video)
            waiting.remove(video)
            await asyncio.sleep(0)
            inside.remove(video)
            gate.leave(video)

        async with asyncio.TaskGroup() as group:
            for size in sizes:
                video = await gate.enter(size)
                inside.append(video)
                assert len(inside) == 1 or sum(v.size for v in inside) <= most
                group.create_task(use(video))
        return video.number + 1

    assert asyncio.run(asyncio.wait_for(pass_through(), 30)) == len(sizes)
