"""Scores made in another way are another file, and what a score was made with is named where it is missing."""

from __future__ import annotations

import json
import shutil

import pytest


@pytest.fixture
def run(undisturbed, tmp_path):
    return shutil.copytree(undisturbed["floors"], tmp_path / "run")


@pytest.mark.parametrize(
    ("words", "file"),
    [
        ((), "scores.json"),
        (("--profile", "strict"), "scores.json"),
        (("--profile", "paper"), "scores-paper.json"),
        (("--rqi", "paper"), "scores-rqi-paper.json"),
        (("--profile", "paper", "--rqi", "strict+length"), "scores-paper-rqi-strict-2+length.json"),
    ],
)
def test_each_way_of_scoring_has_its_file_and_says_which(here, run, words, file):
    strict = (run / "scores.json").read_bytes()
    predictions = {path.name: path.read_bytes() for path in (run / "predictions").iterdir()}
    done = here("score", run, *words)
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == f"written to {run / file}"
    data = json.loads((run / file).read_text(encoding="utf-8"))
    assert data["profile"] == ("paper" if "scores-paper" in file else "strict")
    named = words[-1].replace("strict+", "strict-2+") if "--rqi" in words else ""
    assert (data["rqi"] or "") == named
    assert data["rqi_preset"] == (named or ("paper" if "--profile" in words and "paper" in words else "strict-2"))
    assert (run / "scores.json").read_bytes() == strict
    assert {path.name: path.read_bytes() for path in (run / "predictions").iterdir()} == predictions


def test_a_run_scored_as_the_paper_still_has_its_strict_scores(s3, dataset, cache, tmp_path):
    out = tmp_path / "out"
    words = ("run", "--backend", "floors", "--data", dataset, "--out", out, "--cache", cache, "--tasks", "7")
    done = s3(*words, "--profile", "paper", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["profile"] == "paper"
    files = {name: json.loads((out / name).read_text()) for name in ("scores.json", "scores-paper.json")}
    assert {name: data["profile"] for name, data in files.items()} == {
        "scores.json": "strict",
        "scores-paper.json": "paper",
    }


LENGTHS = """
    import s3harness


    def report_length():
        return s3harness.ItemMean(lambda pair: float(len(str(pair.prediction.value))), unit="characters")


    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.metric("report_length", "lengths:report_length")
"""


def test_a_metric_whose_plugin_is_gone_names_the_plugin_and_the_remedy(s3, here, dataset, cache, tmp_path):
    from s3harness.specs.loading import load_task

    s3.plugin("lengths", LENGTHS)
    spec = json.loads(json.dumps(load_task("6").data))
    spec["metrics"].append({"name": "report_length"})
    (tmp_path / "mine.yaml").write_text(json.dumps(spec | {"name": "mine/task6_report"}), encoding="utf-8")
    out = tmp_path / "out"
    words = ("run", "--backend", "floors", "--data", dataset, "--out", out, "--cache", cache)
    done = s3(*words, "--tasks", tmp_path / "mine.yaml")
    assert done.code == 0, done.err
    copy = shutil.copytree(out, tmp_path / "copy")
    for words in (("score", out), ("compare", out, copy)):
        done = here(*words)
        assert done.code == 2
        assert "metric 'report_length'" in done.err
        assert "made with lengths 1.0, which is not installed: pip install lengths==1.0" in done.err
