"""A run that is stopped, whenever that is, ends in order and leaves no process of vLLM behind."""

from __future__ import annotations

import signal

import pytest
from vllm_processes import children, lines, stopped, words


def imports(_, said):
    """vLLM is being imported; it has no process of its own yet."""
    return any(line.startswith("loading vLLM") for line in said)


def starts(process, said):
    """The engine's own process is there, and loads."""
    return any(line.startswith("starting the engine") for line in said) and len(children(process.pid)) > 1


@pytest.mark.parametrize(("is_time", "number"), [(imports, signal.SIGTERM), (starts, signal.SIGINT)])
def test_a_run_that_is_stopped_while_it_loads_leaves_nothing_behind(
    is_time, number, data, card, tiny, environment, tmp_path
):
    command = words(data, tmp_path / "run", card, "--weights", tiny)
    code, said = stopped(command, environment, is_time, number)
    assert code == 1, said
    assert "--resume" in said
    assert "Traceback" not in said
    assert not lines(tmp_path / "run")


def test_ctrl_c_while_answers_come_loses_none_and_fails_none(data, card, tiny, environment, tmp_path):
    out = tmp_path / "run"
    command = words(data, out, card, "--weights", tiny, "-o", "in_flight=8")
    code, said = stopped(command, environment, lambda *_: len(lines(out)) >= 3, signal.SIGINT)
    assert code == 1, said
    assert "Traceback" not in said
    assert len(lines(out)) >= 3
    assert {line["status"] for line in lines(out)} <= {"ok", "cut"}
