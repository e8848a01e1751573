"""A run that is stopped, whenever that is, ends in order and leaves no process of vLLM behind."""

from __future__ import annotations

import signal

import pytest
from vllm_processes import children, journal, run_command, stop_run


def imports(_, messages):
    """vLLM is being imported; it has no process of its own yet."""
    return any(line.startswith("loading vLLM") for line in messages)


def starts(process, messages):
    """The engine's own process is there, and loads."""
    return any(line.startswith("starting the engine") for line in messages) and len(children(process.pid)) > 1


@pytest.mark.parametrize(("is_time", "number"), [(imports, signal.SIGTERM), (starts, signal.SIGINT)])
def test_a_run_that_is_stopped_while_it_loads_leaves_nothing_behind(
    is_time, number, data, card, tiny, environment, tmp_path
):
    command = run_command(data, tmp_path / "run", card, "--weights", tiny)
    code, messages = stop_run(command, environment, is_time, number)
    assert code == 1, messages
    assert "--resume" in messages
    assert "Traceback" not in messages
    assert not journal(tmp_path / "run")


def test_ctrl_c_while_answers_come_loses_none_and_fails_none(data, card, tiny, environment, tmp_path):
    out = tmp_path / "run"
    command = run_command(data, out, card, "--weights", tiny, "-o", "in_flight=8")
    code, messages = stop_run(command, environment, lambda *_: len(journal(out)) >= 3, signal.SIGINT)
    assert code == 1, messages
    assert "Traceback" not in messages
    assert len(journal(out)) >= 3
    assert {line["status"] for line in journal(out)} <= {"ok", "cut"}
