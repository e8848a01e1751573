"""Records for Every Eval Ever pass its published schema, say what the scores say, and give no withheld truth away."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from calling import call
from jsonschema import Draft7Validator
from tampering import edit

from s3harness.leaderboard.entries import entry_of
from s3harness.leaderboard.every_eval_ever import model_id, record, write_record
from s3harness.types import Interval, Score

SCHEMAS = Path(__file__).parent / "every_eval_ever"
NOW = 1_790_000_000


def _problems(schema: str, value: object) -> list[str]:
    validator = Draft7Validator(json.loads((SCHEMAS / schema).read_text()))
    return [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(value)]


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> Path:
    """A packed run of all tasks by an answerer that is sometimes wrong."""
    out = tmp_path_factory.mktemp("answered")
    told = ("-o", "answer=prevalence", "--data", dataset, "--out", out / "run")
    assert call("run", "--backend", "floors", *told).exit_code == 0
    packed = call("submit", "pack", out / "run", "--out", out / "packed", "--with-truth")
    assert packed.exit_code == 0, packed.output
    return out / "packed"


@pytest.fixture(scope="module")
def exported(answered: Path) -> Path:
    out = answered.parent / "exported"
    result = call("submit", "export", answered, "--out", out)
    assert result.exit_code == 0, result.output
    return out / "every_eval_ever"


def _files(exported: Path) -> tuple[dict[str, Any], list[dict[str, Any]], Path]:
    (path,) = exported.rglob("*.json")
    (lines,) = exported.rglob("*.jsonl")
    return json.loads(path.read_text()), [json.loads(line) for line in lines.read_text().splitlines()], lines


def test_record_and_samples_pass_the_published_schema(exported: Path) -> None:
    found, samples, _ = _files(exported)
    assert _problems("eval.schema.json", found) == []
    assert len(samples) > 300
    for sample in samples:
        assert _problems("instance_level_eval.schema.json", sample) == []


def test_the_schema_in_use_refuses_what_it_should(exported: Path) -> None:
    found, (sample, *_), _ = _files(exported)
    assert _problems("eval.schema.json", {**found, "model_info": {"name": "x"}})
    assert _problems("instance_level_eval.schema.json", {**sample, "output": None})


def test_the_record_points_at_its_samples(exported: Path) -> None:
    found, samples, lines = _files(exported)
    detail = found["detailed_evaluation_results"]
    assert exported / detail["file_path"] == lines
    assert detail["checksum"] == hashlib.sha256(lines.read_bytes()).hexdigest()
    assert detail["total_rows"] == len(samples)
    assert {sample["evaluation_id"] for sample in samples} == {found["evaluation_id"]}
    results = {result["evaluation_result_id"] for result in found["evaluation_results"]}
    assert {sample["evaluation_result_id"] for sample in samples} <= results
    assert lines.name == f"{next(exported.rglob('*.json')).stem}_samples.jsonl"


@pytest.mark.parametrize("metric", ["s3/task4_temporal_boundaries#MAE", "s3/task5_event_order#LCS-F"])
def test_the_mean_over_samples_is_the_score(exported: Path, metric: str) -> None:
    found, samples, _ = _files(exported)
    told = {r["evaluation_result_id"]: r["score_details"]["score"] for r in found["evaluation_results"]}
    own = [sample["evaluation"]["score"] for sample in samples if sample["evaluation_result_id"] == metric]
    assert fmean(own) == pytest.approx(told[metric])


def test_a_closed_answer_is_right_or_wrong(exported: Path) -> None:
    _, samples, _ = _files(exported)
    of_signs = [sample for sample in samples if sample["evaluation_name"] == "s3/task1_features"]
    assert {sample["evaluation"]["score"] for sample in of_signs} == {0.0, 1.0}
    for sample in of_signs:
        is_right = [a["extracted_value"] for a in sample["answer_attribution"]] == sample["input"]["reference"]
        assert sample["evaluation"] == {"score": float(is_right), "is_correct": is_right}


def test_withheld_truth_is_not_told_by_which_answers_are_right(tmp_path: Path, answered: Path) -> None:
    assert (
        call("submit", "pack", answered.parent / "run", "--out", tmp_path / "packed", "--without-truth").exit_code == 0
    )
    result = call("submit", "export", tmp_path / "packed", "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "withheld" in result.output
    assert list(tmp_path.glob("out/**/*.json"))
    assert not list(tmp_path.glob("out/**/*.jsonl"))


def test_the_same_entry_has_the_same_file_whenever_it_is_written(tmp_path: Path, answered: Path) -> None:
    entry = entry_of(answered)
    first, again = (write_record(entry, tmp_path, now) for now in (NOW, NOW + 1))
    assert first == again
    other = write_record(replace(entry, scores=entry.scores[1:]), tmp_path, NOW)
    assert other != first


@pytest.mark.parametrize(
    ("weights", "name", "expected"),
    [
        ("Qwen/Qwen3-VL-8B-Instruct", "qwen3-vl-8b", "Qwen/Qwen3-VL-8B-Instruct"),
        ("local:0123456789abcdef", "Mine", "unreleased/mine"),
        (None, "../../etc", "unreleased/-..-etc"),
        ("../../etc", "x", "unreleased/x"),
    ],
)
def test_a_model_has_an_address_that_is_no_path(answered: Path, weights: str | None, name: str, expected: str) -> None:
    entry = entry_of(answered)
    assert model_id(replace(entry, model={**entry.model, "weights": weights, "name": name})) == expected


@pytest.mark.parametrize(
    ("metric", "unit", "value", "low", "high"),
    [
        ("macro F1", "", 0.4, 0.0, 1.0),
        ("MCC (video)", "", -0.4, -1.0, 1.0),
        ("content informedness", "", -0.1, -1.0, 1.0),
        ("MAE", "s", 4.0, 0.0, "Infinity"),
        ("signed bias", "s", -4.0, "-Infinity", "Infinity"),
        ("Seizure-RQI", "points", 40.0, 0.0, 100.0),
        ("of a plugin", "furlongs", -3.0, "-Infinity", "Infinity"),
    ],
)
def test_every_score_lies_within_what_its_metric_can_be(
    answered: Path, metric: str, unit: str, value: float, low: object, high: object
) -> None:
    score = Score(
        task="s3/t",
        metric=metric,
        value=value,
        interval=Interval(value, value),
        floor=0.2,
        floor_name="f",
        ceiling=1.0,
        n_items=10,
        n_patients=5,
        coverage=1.0,
        lost={},
        unit=unit,
    )
    (result,) = record(replace(entry_of(answered), scores=[score]), NOW)["evaluation_results"]
    assert (result["metric_config"]["min_score"], result["metric_config"]["max_score"]) == (low, high)


def test_a_score_without_a_value_is_named_and_has_no_result(answered: Path) -> None:
    entry = entry_of(answered)
    lost = replace(entry.scores[0], value=None, interval=None)
    found = record(replace(entry, scores=[lost, *entry.scores[1:]]), NOW)
    assert _problems("eval.schema.json", found) == []
    named = f"{lost.task}#{lost.metric}"
    assert named in found["source_metadata"]["additional_details"]["undefined_scores"]
    assert named not in {result["evaluation_result_id"] for result in found["evaluation_results"]}


def test_tokens_and_time_are_told_where_every_window_tells_them(tmp_path: Path, answered: Path) -> None:
    run = Path(shutil.copytree(answered.parent / "run", tmp_path / "run"))
    edit(run / "responses.jsonl", lambda line: line | {"prompt_tokens": 100, "completion_tokens": 7, "latency_s": 0.5})
    edit(run / "manifest.json", lambda told: told.update(tokens={"prompt": 0, "completion": 0}))
    assert call("submit", "pack", run, "--out", tmp_path / "packed", "--with-truth").exit_code == 0
    assert call("submit", "export", tmp_path / "packed", "--out", tmp_path / "out").exit_code == 0
    _, samples, _ = _files(tmp_path / "out" / "every_eval_ever")
    for sample in samples:
        assert _problems("instance_level_eval.schema.json", sample) == []
        n, reads_others = len(sample["output"]["raw"]), sample["evaluation_name"] == "s3/task2_rationales"
        used = {"input_tokens": 100 * n, "output_tokens": 7 * n, "total_tokens": 107 * n}
        assert sample["token_usage"] == (None if reads_others else used)
        assert sample["performance"] == (None if reads_others else {"latency_ms": 500.0 * n})
