"""A run over Ray actors leaves the files of a local one, whichever workers are lost on the way."""

from __future__ import annotations

import json
import os
import signal

import pytest
from ray_commands import (
    Commands,
    actors,
    answers,
    assert_same_files,
    descendants,
    finished,
    is_running,
    wait_for,
    whole_lines,
)
from s3harness_synth.dataset import synthesize

TASKS = ("--tasks", "1,4,7")
RAY = ("--executor", "ray", "-x", "workers=2")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Eight small videos."""
    out = tmp_path_factory.mktemp("data") / "eight"
    synthesize(out, videos=8, seed=4, resolution=(96, 54), fps=4, duration_s=20.0)
    return out


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def s3(tmp_path):
    return Commands(tmp_path / "plugins")


@pytest.fixture(scope="module")
def local(data, cache, tmp_path_factory):
    """The directory of a local run."""
    folder = tmp_path_factory.mktemp("local")
    done = Commands(folder)(*words(data, folder / "out", cache))
    assert done.returncode == 0, done.stderr
    return folder / "out"


def words(data, out, cache, *more, backend="kinematics"):
    return ["run", "--backend", backend, "--data", data, "--out", out, "--cache", cache, *TASKS, *more]


def test_two_workers_leave_the_files_of_one(s3, data, cache, local, tmp_path):
    process = s3.start(*words(data, out := tmp_path / "out", cache, *RAY))
    assert len(wait_for(process, lambda: len(actors(process.pid)) == 2 and actors(process.pid))) == 2
    done = finished(process)
    assert done.returncode == 0, done.stderr
    assert_same_files(out, local)
    assert "ray" in json.loads((out / "manifest.json").read_text())["environment"]["versions"]
    assert not {"Traceback", "WARNING", "usage"} & set(done.stderr.replace(":", " ").split())


SLOW = """
    import asyncio
    import os

    import s3harness
    from s3harness_kinematics.backend import KinematicsBackend


    class SlowBackend(KinematicsBackend):
        limits = s3harness.Limits(in_flight=2)

        def __init__(self, model, options, media):
            super().__init__(model, {}, media)
            self.faults = dict(options)

        async def __aenter__(self):
            self.report_status("loading weights")
            self.add_note("noted by the engine")
            if self.faults.get("fault") == "load":
                raise RuntimeError("no such accelerator")
            return self

        async def generate(self, request):
            await asyncio.sleep(0.05)
            if request.clip.video_id == self.faults.get("deadly"):
                os.kill(os.getpid(), 9)
            return await super().generate(request)


    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.backend("slow", "slow:SlowBackend")
"""


@pytest.fixture
def slow(s3):
    s3.plugin("slow", SLOW)
    return s3


def same_answers(out, local):
    """The answers are those of the local run, and so is what came of them."""
    assert answers(out) == answers(local)
    for path in local.glob("predictions/*"):
        assert (out / "predictions" / path.name).read_bytes() == path.read_bytes()
    assert scores(out) == scores(local)


def scores(out):
    rows = json.loads((out / "scores.json").read_text())["scores"]
    return [{key: row[key] for key in ("task", "metric", "value", "interval", "coverage", "lost")} for row in rows]


def test_requests_of_a_killed_worker_go_to_others_and_nothing_is_lost(slow, data, cache, local, tmp_path):
    process = slow.start(*words(data, out := tmp_path / "out", cache, *RAY, backend="slow"))
    wait_for(process, lambda: len(actors(process.pid)) == 2 and len(whole_lines(out)) >= 20)
    os.kill(actors(process.pid)[0], signal.SIGKILL)
    before = {line["id"] for line in whole_lines(out)}
    done = finished(process)
    assert done.returncode == 0, done.stderr
    assert len(before) < len(answers(local)), "there was something left to lose"
    assert "of 2 was lost; what it had not answered went to others" in done.stderr
    assert "worker 1 of 2: loading weights" in done.stderr
    assert "noted by the engine" in done.stderr
    same_answers(out, local)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_no_process_behind_and_goes_on(number, slow, data, cache, local, tmp_path):
    process = slow.start(*words(data, out := tmp_path / "out", cache, *RAY, backend="slow"))
    wait_for(process, lambda: len(whole_lines(out)) >= 10)
    theirs = descendants(process.pid)
    assert theirs
    process.send_signal(number)
    stopped = finished(process)
    assert stopped.returncode == 1
    assert "--resume" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert not [pid for pid in theirs if is_running(pid)]
    assert 10 <= len(answers(out)) < len(answers(local))
    resumed = slow(*words(data, out, cache, "--resume", backend="slow"))
    assert resumed.returncode == 0, resumed.stderr
    same_answers(out, local)


def test_a_video_that_kills_its_workers_fails_by_name_and_the_rest_is_answered(slow, data, cache, local, tmp_path):
    deadly = ("-o", "deadly=v0003", "--media", "ahead=1")
    done = slow(*words(data, out := tmp_path / "out", cache, *RAY, "-x", "restarts=9", *deadly, backend="slow"))
    assert done.returncode == 1
    failed = {key: line for key, line in answers(out).items() if line["status"] == "failed"}
    assert {line["clip"]["video_id"] for line in failed.values()} >= {"v0003"}
    assert {line["error"].partition(": ")[2] for line in failed.values()} == {"3 workers were lost while they had it"}
    expected = answers(local)
    assert {k: v for k, v in answers(out).items() if k not in failed} == {
        k: v for k, v in expected.items() if k not in failed
    }


def test_a_run_that_loses_all_workers_ends_and_can_be_resumed(slow, data, cache, local, tmp_path):
    process = slow.start(*words(data, out := tmp_path / "out", cache, *RAY, "-x", "restarts=0", backend="slow"))
    for n in (5, 10):
        wait_for(process, lambda n=n: len(whole_lines(out)) >= n and actors(process.pid))
        os.kill(actors(process.pid)[0], signal.SIGKILL)
        wait_for(process, lambda: True)
    done = finished(process)
    assert done.returncode == 1
    assert "all workers were lost" in done.stderr
    assert "Traceback" not in done.stderr
    resumed = slow(*words(data, out, cache, "--resume", backend="slow"))
    assert resumed.returncode == 0, resumed.stderr
    same_answers(out, local)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("-o", "fault=load"), 1, "SlowBackend cannot be loaded: RuntimeError: no such accelerator"),
        (("-x", "gpus=1"), 2, "2 workers with 1 GPU each need 2, the Ray cluster has 0"),
        (("-x", "speed=9"), 2, "the ray executor has no option 'speed'; known: workers"),
        (("-x", "workers=-1"), 2, "option workers: a whole number from 0"),
        (("-x", "address=127.0.0.1:1"), 1, "there is no Ray at 127.0.0.1:1"),
        (("-x", "address=192.0.2.99:6379"), 2, "add --allow-remote 192.0.2.99"),
        (("-x", "address=somewhere"), 2, "address=somewhere"),
    ],
)
def test_a_wrong_call_ends_the_run_with_the_reason(options, code, message, slow, data, cache, tmp_path):
    done = slow(*words(data, tmp_path / "out", cache, *RAY, *options, backend="slow"))
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert message in done.stderr
