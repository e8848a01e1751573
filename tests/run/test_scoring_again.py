"""Scoring is offline and repeatable: a run directory is all that it takes, and gives the same bytes for ever."""

from __future__ import annotations

import json
import shutil

import pytest


@pytest.fixture
def run(undisturbed, tmp_path):
    """A finished run of the floors, to be changed, far from its data set."""
    return shutil.copytree(undisturbed["floors"], tmp_path / "run")


def test_the_same_bytes_without_data_set_and_engine(here, run, undisturbed):
    wanted = (run / "scores.json").read_bytes()
    (run / "scores.json").unlink()
    shutil.rmtree(run / "predictions")
    done = here("score", run, "--json")
    assert done.code == 0, done.err
    assert (run / "scores.json").read_bytes() == wanted
    assert json.loads(done.out) == json.loads(wanted)
    for path in (undisturbed["floors"] / "predictions").iterdir():
        assert (run / "predictions" / path.name).read_bytes() == path.read_bytes()


def test_the_order_of_the_journal_does_not_matter(here, run):
    wanted = (run / "scores.json").read_bytes()
    lines = (run / "responses.jsonl").read_text().splitlines(keepends=True)
    (run / "responses.jsonl").write_text("".join(reversed(lines)))
    assert here("score", run).code == 0
    assert (run / "scores.json").read_bytes() == wanted


def test_an_answer_that_is_taken_out_is_missing_not_dropped(here, run):
    lines = (run / "responses.jsonl").read_text().splitlines(keepends=True)
    (run / "responses.jsonl").write_text("".join(line for line in lines if '/v0001/video"' not in line))
    assert here("score", run).code == 0
    rows = json.loads((run / "scores.json").read_text())["scores"]
    row = next(row for row in rows if row["task"] == "s3/task7_diagnosis" and row["primary"])
    assert row["lost"] == {"missing": 1}
    assert row["n_items"] == 6


@pytest.mark.parametrize(
    ("name", "said", "code"),
    [("manifest.json", "no run directory", 2), ("items.jsonl", "items.jsonl", 2), ("responses.jsonl", ":1: ", 1)],
)
def test_a_file_that_cannot_be_read_is_named(name, said, code, here, run):
    (run / name).write_bytes(b"garbage \xff\n")
    done = here("score", run)
    assert done.code == code
    assert said in done.err
    assert str(run) in done.err
