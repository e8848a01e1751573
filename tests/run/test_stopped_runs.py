"""Ctrl-C and SIGTERM end a run cleanly; it says how to go on."""

from __future__ import annotations

import signal

import pytest
from running import SLOW, answers, run_words, whole_lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_how_to_go_on_and_does(number, s3, dataset, cache, tmp_path, undisturbed):
    s3.plugin("slow", SLOW)
    out = tmp_path / "out"
    words = run_words(dataset, out, cache, "-o", "pause_s=0.01", backend="slow")
    started = s3.start(*words)
    started.wait_until(lambda: len(whole_lines(out)) >= 20)
    stopped = started.signal(number)
    assert stopped.code == 1
    assert "--resume" in stopped.err
    assert "Traceback" not in stopped.err
    assert "Exception" not in stopped.err
    answered = len(answers(out))
    assert 20 <= answered < len(answers(undisturbed["oracle"]))
    assert not (out / "scores.json").exists()
    resumed = s3(*words, "--resume")
    assert resumed.code == 0, resumed.err
    assert f"{len(answers(out)) - answered} of {len(answers(out)) - answered} requests" in resumed.err
    assert answers(out) == answers(undisturbed["oracle"])
    for name in ("items.jsonl", "predictions/task5_event_order.jsonl"):
        assert (out / name).read_bytes() == (undisturbed["oracle"] / name).read_bytes()


WAITING = """
    import os
    import time
    from pathlib import Path

    import s3harness


    def wait(where):
        Path(os.environ["WAITING"]).touch()
        time.sleep(60)


    @s3harness.hookimpl
    def s3harness_register(registry):
        pass


    @s3harness.hookimpl
    def s3harness_run_started(run):
        wait("started")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_can_be_stopped_before_its_first_request(number, s3, dataset, cache, tmp_path):
    s3.plugin("waiting", WAITING)
    flag, out = tmp_path / "flag", tmp_path / "out"
    words = run_words(dataset, out, cache, "--tasks", "7")
    s3.set(WAITING=flag)
    started = s3.start(*words)
    started.wait_until(flag.exists)
    stopped = started.signal(number)
    assert stopped.code == 1
    assert "--resume" in stopped.err
    assert "Traceback" not in stopped.err
