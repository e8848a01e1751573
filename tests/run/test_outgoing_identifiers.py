"""No name or date of a report reaches a model: the call is refused before anything is asked or written."""

from __future__ import annotations

import json
import re

import pytest
from running import changed_table, run_words

REPORT = "Frau Meier (geb. 14.03.1974) hebt den Arm."
LIKELY = "Then Beate turns the head and the left arm jerks."


@pytest.fixture
def named(copy):
    """A data set whose first report names its patient."""
    return with_report(copy, REPORT)


def with_report(data, report):
    with changed_table(data, "reports.csv") as rows:
        rows[0]["report"] = report
    return data


@pytest.mark.parametrize("backend", ["oracle", "floors", "kinematics"])
@pytest.mark.parametrize("more", [(), ("--dry-run",), ("--resume",)], ids=["run", "dry run", "resume"])
def test_a_run_is_refused_with_a_table_before_anything_is_written(here, named, cache, tmp_path, backend, more):
    done = here(*run_words(named, tmp_path / "out", cache, "--tasks", "7", *more, backend=backend))
    assert done.code == 2
    assert re.search(r"v0001 +report +refused +what looks like a person's name +Frau M•••• ", done.err)
    assert re.search(r"v0001 +report +refused +a date", done.err)
    assert "--allow-identifiers REASON" in done.err
    assert "s3harness data validate" in done.err
    assert "Meier" not in done.err
    assert "1974" not in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "command",
    [("sweep", "--transforms", "none,mirror"), ("probe", "mirror"), ("probe", "all")],
    ids=" ".join,
)
def test_sweeps_and_probes_are_refused_alike(here, named, cache, tmp_path, command):
    words = run_words(named, tmp_path / "out", cache, "--tasks", "7", backend="oracle")[1:]
    done = here(*command, *words)
    assert done.code == 2
    assert "would reach the model, so nothing is sent" in done.err
    assert not (tmp_path / "out").exists()


def test_a_task_that_shows_no_report_is_not_refused(here, named, cache, tmp_path):
    assert here(*run_words(named, tmp_path / "out", cache, "--tasks", "3", backend="oracle")).code == 0


def test_the_reason_to_let_identifiers_through_is_kept_and_shown(here, named, cache, tmp_path):
    out = tmp_path / "out"
    words = run_words(named, out, cache, "--tasks", "7", "--allow-identifiers", "ethics vote 12", backend="oracle")
    assert here(*words).code == 0
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["identifiers"] == {"reason": "ethics vote 12", "kinds": {"date": 1, "name": 1}}
    started = json.loads((out / "audit.jsonl").read_text().splitlines()[0])
    assert started["identifiers"]["reason"] == "ethics vote 12"
    assert "with the user's consent (1 × date, 1 × name): ethics vote 12" in here("audit", out).out
    assert here("report", out).code == 0
    assert "ethics vote 12" in (out / "report.html").read_text()
    assert here(*words, "--resume").code == 0
    assert here(*run_words(named, out, cache, "--tasks", "7", "--resume", backend="oracle")).code == 2


def test_what_only_looks_like_a_name_is_confirmed_once(here, copy, cache, tmp_path):
    data = with_report(copy, LIKELY)
    words = run_words(data, tmp_path / "out", cache, "--tasks", "7", backend="oracle")
    refused = here(*words)
    assert refused.code == 2
    assert "please review" in refused.err
    code = re.search(r"--reviewed (\w{8})", refused.err)[1]
    assert here(*words, "--reviewed", "00000000").code == 2
    assert here(*words, "--reviewed", code).code == 0
    assert here(*words, "--resume").code == 0
    assert here("data", "validate", data).code == 0


def test_validation_says_the_same_as_a_run(here, named):
    done = here("data", "validate", named)
    assert done.code == 1
    assert "reports.csv:2: report: holds what looks like a person's name (Frau M••••" in done.out
    assert "reports.csv:2: report: holds a date" in done.out
    assert "Meier" not in done.out


def test_a_judge_is_not_shown_names(here, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.txt").write_text(REPORT)
    (tmp_path / "expert.txt").write_text("The arm rises.")
    (tmp_path / "answers.csv").write_text("item,text\n")
    words = ("--judge", "structure", "--judge-backend", "recorded", "-o", "path=answers.csv")
    done = here("rqi", "score", "--report", "report.txt", "--expert", "expert.txt", *words)
    assert done.code == 2
    assert "would reach the judge, so nothing is sent" in done.err
    assert not (tmp_path / "judges").exists()
