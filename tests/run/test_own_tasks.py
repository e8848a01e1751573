"""A task of one's own is answered and shown by the kind of its items, whatever its name is."""

from __future__ import annotations

import json

import pytest
import yaml
from running import journal, run_words

from s3harness.specs.loading import load_task


@pytest.mark.parametrize(
    ("of", "kind"),
    [("4", "boundary"), ("5", "sequence"), ("6", "report"), ("7", "diagnosis")],
)
def test_a_task_of_another_name_is_answered_by_its_kind(of, kind, here, dataset, cache, tmp_path):
    spec = dict(load_task(of).data) | {"name": "ward/question_of_ours"}
    path = tmp_path / "ours.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    words = run_words(dataset, out := tmp_path / "out", cache, "--tasks", path, "--limit", "2", backend="kinematics")
    done = here(*words)
    assert done.code == 0, done.err
    assert {line["status"] for line in journal(out)} == {"ok"}
    (primary,) = [row for row in json.loads((out / "scores.json").read_text())["scores"] if row["primary"]]
    assert primary["coverage"] == 1
    assert here("report", out).code == 0
    page = (out / "report.html").read_text()
    assert ("The model's own diagnoses" in page) == (kind == "diagnosis")
    assert ("This run has no task that asks for reports" in page) == (kind != "report")
