"""A file that hangs, or is none, costs itself only: its requests fail by name, the others go on, the run ends."""

from __future__ import annotations

import fcntl
import os
import signal
import time

import pytest
from running import Here, answers, changed_table, primary, run_words

from s3harness.dataset.links import allow_links

TASKS = ("--tasks", "4,7")
HELD_S = 45
"""So long, usually, the kernel lets whoever opens a leased file wait (``/proc/sys/fs/lease-break-time``)."""


@pytest.fixture(scope="module")
def whole(dataset, cache, tmp_path_factory):
    """An undisturbed run of the same tasks."""
    out = tmp_path_factory.mktemp("whole") / "out"
    assert Here(out.parent)(*run_words(dataset, out, cache, *TASKS, backend="oracle")).code == 0
    return out


@pytest.fixture
def hang():
    """Makes opening a regular file hang, as on a mount that stalls: this process has a lease on it."""
    held, before = [], signal.signal(signal.SIGIO, signal.SIG_IGN)

    def hold(path):
        fd = os.open(path, os.O_RDWR)
        held.append(fd)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)

    yield hold
    for fd in held:
        os.close(fd)
    signal.signal(signal.SIGIO, before)


def fifo(path):
    path.unlink()
    os.mkfifo(path)


def endless(path):
    path.unlink()
    path.symlink_to("/dev/zero")
    allow_links(path.parents[1], {path.stem: "/dev/zero"})


@pytest.mark.parametrize("what", [fifo, endless], ids=lambda what: what.__name__)
@pytest.mark.parametrize("length", ["told", "not told"])
def test_what_is_no_file_is_not_even_opened(what, length, s3, copy, cache, tmp_path, whole):
    what(copy / "videos" / "v0002.mp4")
    if length == "not told":
        with changed_table(copy, "videos.csv") as rows:
            for row in rows:
                row["duration_s"] = ""
    done = s3(*run_words(copy, out := tmp_path / "out", cache, *TASKS, backend="oracle"))
    assert_only_its_own_are_lost(done, out, whole, "it is no regular file")


@pytest.mark.parametrize("length", ["told", "not told"])
def test_a_file_that_hangs_fails_after_its_time(length, s3, copy, cache, tmp_path, whole, hang):
    if length == "not told":
        with changed_table(copy, "videos.csv") as rows:
            for row in rows:
                row["duration_s"] = ""
    started = time.monotonic()
    hang(copy / "videos" / "v0002.mp4")
    words = run_words(copy, out := tmp_path / "out", cache, *TASKS, "--media", "stall_s=1.5", backend="oracle")
    done = s3(*words)
    assert time.monotonic() - started < HELD_S, "it did not wait for the file"
    assert_only_its_own_are_lost(done, out, whole, "no data came from its file for 1.5 s")


def test_files_that_all_hang_end_too(s3, copy, cache, tmp_path, hang):
    for path in (copy / "videos").iterdir():
        hang(path)
    started = time.monotonic()
    done = s3(*run_words(copy, out := tmp_path / "out", cache, *TASKS, "--media", "stall_s=1", backend="oracle"))
    assert time.monotonic() - started < HELD_S
    assert done.code == 1
    assert {line["status"] for line in answers(out).values()} == {"failed"}
    assert all(row["skill"] < 0 for row in primary(out).values()), "scored as wrong, not left out"


def test_a_stopped_run_does_not_wait_for_a_file_that_hangs(s3, copy, cache, tmp_path, hang):
    hang(copy / "videos" / "v0002.mp4")
    out = tmp_path / "out"
    started = time.monotonic()
    running = s3.start(*run_words(copy, out, cache, *TASKS, backend="oracle"))
    running.wait_until(lambda: (out / "responses.jsonl").exists() and len(answers(out)) > 10)
    stopped = running.signal(signal.SIGINT)
    assert time.monotonic() - started < HELD_S
    assert stopped.code == 1
    assert "--resume" in stopped.err
    assert "Traceback" not in stopped.err


def test_a_video_that_takes_too_long_in_all(s3, dataset, tmp_path):
    words = run_words(dataset, out := tmp_path / "out", tmp_path / "cache", *TASKS, backend="oracle")
    done = s3(*words, "--media", "total_s=0.02")
    assert done.code == 1
    errors = {line["error"] for line in answers(out).values()}
    assert all(error.endswith("decoding took longer than 0.02 s (--media total_s=…)") for error in errors)
    assert s3(*words, "--resume").code == 0


def assert_only_its_own_are_lost(done, out, whole, why):
    assert done.code == 1, done.err
    assert "Traceback" not in done.err
    wanted, found = answers(whole), answers(out)
    lost = {key for key, line in found.items() if line["status"] == "failed"}
    assert {found[key]["clip"]["video_id"] for key in lost} == {"v0002"}
    assert all(found[key]["error"].startswith("video v0002: ") and why in found[key]["error"] for key in lost)
    others = {key: line for key, line in wanted.items() if line["clip"]["video_id"] != "v0002"}
    assert {key: line for key, line in found.items() if key not in lost} == others
