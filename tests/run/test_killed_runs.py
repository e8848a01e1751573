"""A run killed at any instant goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import sys
import time

from running import answers, assert_same_run, journal, run_words

SLOW = """
    import asyncio

    import s3harness
    from s3harness.backends.floors import OracleBackend


    class SlowBackend(OracleBackend):
        async def generate(self, request):
            await asyncio.sleep(0.1)
            return await super().generate(request)


    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.backend("slow", "slow:SlowBackend")
"""
KILLS = 20


def test_a_run_killed_twenty_times_on_its_way(s3, dataset, cache, tmp_path, undisturbed):
    s3.plugin("slow", SLOW)
    words = run_words(dataset, out := tmp_path / "out", cache, backend="slow")
    draw = random.Random(1)
    known: set[str] = set()
    for _ in range(KILLS):
        before = _size(out)
        lines = draw.randrange(12)
        pause = draw.uniform(0, 0.05)
        started = s3.start(*words, "--resume")
        done = started.kill_when(lambda: _size(out) > before + 300 * lines and time.sleep(pause) is None)
        assert done.code == -signal.SIGKILL
        whole = {line["id"] for line in _whole_lines(out)}
        assert known <= whole, "an answer was lost"
        known = whole
    assert 0 < len(known) < len(answers(undisturbed["oracle"]))
    done = s3(*words, "--resume")
    assert done.code == 0, done.err
    assert answers(out) == answers(undisturbed["oracle"])
    assert s3(*run_words(dataset, tmp_path / "whole", cache, backend="slow")).code == 0
    assert_same_run(out, tmp_path / "whole")
