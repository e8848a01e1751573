"""What a run costs is told before it, by a dry run, and after it, from what was measured."""

from __future__ import annotations

import json

import pytest
from running import journal, run_words

from s3harness.report.page.costs import costs, duration, latency_line

FEW = ("--tasks", "1,7", "--limit", "2")


@pytest.fixture
def ran(here, dataset, cache, tmp_path):
    done = here(*run_words(dataset, tmp_path / "out", cache, *FEW))
    assert done.code == 0, done.err
    return tmp_path / "out", done.out


def _with_latencies(out, tokens):
    """The journal with latencies of 1, 2, 3 … seconds and so many tokens an answer."""
    lines = [
        line | {"latency_s": float(number), "completion_tokens": tokens}
        for number, line in enumerate(journal(out), start=1)
    ]
    (out / "responses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return len(lines)


def test_latencies_are_shown_by_task_and_in_all(ran):
    out, _ = ran
    n = _with_latencies(out, 10)
    *_, whole = costs(out)
    assert (whole["task"], whole["requests"]) == ("all tasks", str(n))
    assert whole["seconds"] == f"{n * (n + 1) / 2:,.1f}"
    assert whole["median"] == f"{(n + 1) / 2:.2f} s"
    assert whole["p95"] == f"{-(-95 * n // 100):.2f} s"
    assert whole["tokens/s"] == f"{10 * n / (n * (n + 1) / 2):,.0f}"
    line = latency_line(out, 7200.0)
    assert f"median {whole['median']}, 95 % within {whole['p95']}" in line
    assert "2.0 h in all" in line


def test_run_and_score_tell_them(ran, here):
    out, printed = ran
    assert "Time per answer: median" in printed
    assert "Time per answer: median" in here("score", out).out


@pytest.mark.parametrize(("seconds", "told"), [(42, "42 s"), (720, "12 min"), (12600, "3.5 h")])
def test_durations_are_said_as_people_say_them(seconds, told):
    assert duration(seconds) == told


def test_a_dry_run_refuses_an_option_that_the_backend_does_not_take(here, dataset, cache, tmp_path):
    words = run_words(dataset, tmp_path / "out", cache, *FEW, "--dry-run", "-o", "colour=red", backend="kinematics")
    refused = here(*words)
    assert refused.code == 2
    assert "colour" in refused.err
    assert not (tmp_path / "out").exists()


def test_a_dry_run_tells_the_hours_at_a_stated_rate(here, dataset, cache, tmp_path):
    words = run_words(dataset, tmp_path / "out", cache, *FEW, "--dry-run", "--json")
    plan = here(*words).json()
    assert "hours" not in plan
    timed = here(*words, "--rate", "2").json()
    assert timed["hours"] == pytest.approx(plan["requests"] / 120)


def test_a_dry_run_takes_the_rate_of_an_earlier_run(ran, here, dataset, cache, tmp_path):
    out, _ = ran
    session = json.loads((out / "manifest.json").read_text())["session"]
    timed = here(*run_words(dataset, tmp_path / "more", cache, *FEW, "--dry-run", "--json", "--rate", out)).json()
    assert timed["requests_a_minute"] == pytest.approx(60 * session["asked"] / session["seconds"])


@pytest.mark.parametrize(
    ("rate", "said"), [("0", "above 0"), ("nan", "above 0"), ("no-such-run", "not a run directory")]
)
def test_a_rate_that_is_none_is_a_wrong_call(rate, said, here, dataset, cache, tmp_path):
    refused = here(*run_words(dataset, tmp_path / "out", cache, *FEW, "--dry-run", "--rate", rate))
    assert refused.code == 2
    assert said in refused.err
