"""A run killed at any instant goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from functools import partial

import pytest
from running import SLOW, Harness, answers, assert_same_run, run_words, whole_lines

KILLS = 20


def test_a_run_killed_twenty_times_on_its_way_has_lost_nothing(s3, dataset, cache, tmp_path):
    s3.plugin("slow", SLOW)
    few = ("--limit", "3")
    words = run_words(dataset, out := tmp_path / "out", cache, *few, "-o", "pause_s=0.02", backend="slow")
    oracle = tmp_path / "oracle"
    assert s3(*run_words(dataset, oracle, cache, *few, backend="oracle")).code == 0
    draw = random.Random(1)
    known: set[object] = set()
    for _ in range(KILLS):
        wanted = len(known) + draw.randrange(1, 7)
        killed = s3.start(*words, "--resume").kill_when(partial(_has_lines, out, wanted, draw.uniform(0, 0.02)))
        assert killed.code == -signal.SIGKILL
        found = {line["id"] for line in whole_lines(out)}
        assert len(found) == len(whole_lines(out)), "a request was answered twice"
        assert known < found, "an answer was lost"
        known = found
    assert len(known) < len(answers(oracle))
    done = s3(*words, "--resume")
    assert done.code == 0, done.err
    assert answers(out) == answers(oracle)
    assert (out / "items.jsonl").read_bytes() == (oracle / "items.jsonl").read_bytes()
    for path in oracle.glob("predictions/*"):
        assert (out / "predictions" / path.name).read_bytes() == path.read_bytes()
    whole = run_words(dataset, tmp_path / "whole", cache, *few, "-o", "pause_s=0.001", backend="slow")
    assert s3(*whole).code == 0
    assert (out / "scores.json").read_bytes() == (tmp_path / "whole" / "scores.json").read_bytes()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.8, 0.9])
def test_a_run_killed_at_a_random_instant_of_its_life_ends_as_an_undisturbed_one(
    share, s3, dataset, cache, tmp_path, undisturbed, life_s
):
    until = time.monotonic() + life_s * random.Random(share).uniform(share - 0.1, share + 0.1)
    words = run_words(dataset, out := tmp_path / "out", cache)
    s3.start(*words).kill_when(lambda: time.monotonic() >= until)
    assert s3(*words, "--resume").code == 0
    assert_same_run(out, undisturbed["floors"])


@pytest.fixture(scope="module")
def life_s(dataset, cache, tmp_path_factory):
    """How long an undisturbed run takes here and now, in seconds."""
    folder = tmp_path_factory.mktemp("timed")
    began = time.monotonic()
    assert Harness(folder)(*run_words(dataset, folder / "out", cache)).code == 0
    return time.monotonic() - began


def test_a_run_killed_before_and_after_each_file_it_puts_in_place(s3, dataset, cache, tmp_path):
    few = ("--tasks", "7", "--limit", "2")
    assert s3(*run_words(dataset, tmp_path / "whole", cache, *few)).code == 0
    steps = 0
    while True:
        words = run_words(dataset, out := tmp_path / f"out-{steps}", cache, *few)
        done = s3(*words, first=partial(kill_at_step, str(out), steps))
        if done.code != -signal.SIGKILL:
            break
        resumed = s3(*words, "--resume")
        assert resumed.code == 0, resumed.err
        assert_same_run(out, tmp_path / "whole")
        steps += 1
    assert done.code == 0
    assert steps > len(list((tmp_path / "whole").rglob("*.json*"))), "the hook saw too little"


def kill_at_step(folder: str, number: int) -> None:
    """Have this process killed as it is about to open or rename a file under ``folder`` for the n-th time."""
    seen = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event in ("open", "os.rename", "os.mkdir") and str(arguments[0]).startswith(folder):
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1

    sys.addaudithook(watch)


def _has_lines(out, wanted: int, pause: float) -> bool:
    if len(whole_lines(out)) < wanted:
        return False
    time.sleep(pause)
    return True
