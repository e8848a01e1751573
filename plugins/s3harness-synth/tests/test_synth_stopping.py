"""Rendering that is stopped ends at once, in every process, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

MANY = ["--videos", "500", "--seconds", "5", "--resolution", "96x54", "--fps", "2", "--no-audio"]


def until(condition, seconds=120.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def rendering(out, workers):
    """A command of its own session, as soon as it has made some videos."""
    command = [sys.executable, "-m", "s3harness", "data", "synth", "--out", out, *MANY, "--workers", str(workers)]
    started = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell that runs the tests in the background has them ignore Ctrl-C, and what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - it allocates nothing
    )
    until(lambda: len(list(out.parent.glob(".out.*.partial/videos/*.mp4"))) >= 3)
    return started


def group_is_gone(number):
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("send", [os.kill, os.killpg])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_says_so_and_leaves_nothing(number, send, workers, tmp_path):
    """Ctrl-C reaches all processes of the terminal, a cluster's job manager the first or all of them."""
    started = rendering(tmp_path / "out", workers)
    send(started.pid, number)
    _, printed = started.communicate(timeout=60)
    *progress, last = [line for line in printed.splitlines() if line]
    assert (started.returncode, last) == (1, "s3harness: stopped")
    # On a busy machine a command takes long enough to print its progress first.
    assert all(re.match(r"\d+ of 500 videos, ", line) for line in progress), printed
    assert list(tmp_path.iterdir()) == []
    until(lambda: group_is_gone(started.pid))


def test_no_process_outlives_the_one_that_began_it(tmp_path):
    started = rendering(tmp_path / "out", 2)
    started.kill()
    started.communicate(timeout=60)
    until(lambda: group_is_gone(started.pid))


KILLER = """
import sys
from pathlib import Path
from multiprocessing import active_children
from s3harness.errors import S3HarnessError
from s3harness_synth.dataset import synthesize
def kill(done, total):
    if done == 1:
        for child in active_children():
            child.kill()
if __name__ == "__main__":
    try:
        synthesize(Path(sys.argv[1]), videos=50, seed=1, resolution=(96, 54), fps=2, workers=2, progress=kill)
    except S3HarnessError as error:
        print(error)
"""


def test_a_process_that_is_killed_from_outside_is_named_as_the_cause(tmp_path):
    (tmp_path / "killer.py").write_text(KILLER)
    command = [sys.executable, str(tmp_path / "killer.py"), str(tmp_path / "made" / "out")]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "want of memory; ask for fewer" in told.stdout
    assert list((tmp_path / "made").iterdir()) == []
