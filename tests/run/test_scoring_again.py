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
    [("manifest.json", "not a run directory", 2), ("items.jsonl", "items.jsonl", 2), ("responses.jsonl", ":1: ", 1)],
)
def test_a_file_that_cannot_be_read_is_named(name, said, code, here, run):
    (run / name).write_bytes(b"garbage \xff\n")
    done = here("score", run)
    assert done.code == code
    assert said in done.err
    assert str(run) in done.err


# the task, what of its spec in the manifest is replaced, and what must be said
FOREIGN_SPECS = {
    "a schema that refers to a server": (
        "s3/task1_features",
        {"answer": {"parser": "json_answer", "schema": {"$ref": "http://127.0.0.1:9/x.json"}}},
        "answer.schema.$ref: 'http://127.0.0.1:9/x.json' is not supported",
    ),
    "a schema that refers to itself": (
        "s3/task1_features",
        {"answer": {"parser": "json_answer", "schema": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}}},
        "refers to itself",
    ),
    "a schema in a protocol": (
        "s3/task7_diagnosis",
        {"protocols": {"paper": {"answer": {"schema": {"$ref": "file:///etc/passwd"}}}}},
        "protocols.paper.answer.schema.$ref",
    ),
    "no metrics": ("s3/task7_diagnosis", {"metrics": "all"}, "metrics: 'all' is no array"),
    "an item that is none": ("s3/task7_diagnosis", {"item": ["x"]}, "item: ['x'] is not one of"),
}


@pytest.mark.parametrize(("task", "changes", "said"), FOREIGN_SPECS.values(), ids=FOREIGN_SPECS)
def test_a_manifest_of_a_stranger_is_checked_before_it_is_used(task, changes, said, here, run):
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["run"]["tasks"][task]["spec"].update(changes)
    (run / "manifest.json").write_text(json.dumps(manifest))
    done = here("score", run)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
