"""Comparing runs: on shared items, paired by patient, corrected for multiplicity."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from s3harness.analysis.compare import Report, compare
from s3harness.analysis.systems import join, read_runs
from s3harness.errors import UsageError
from s3harness.evaluation.execute import execute
from s3harness.evaluation.prepare import prepare
from s3harness.evaluation.settings import RunSettings
from s3harness.run.executor import Progress

TASKS = ("1", "4", "7")


def compare_runs(directories: list[Path]) -> Report:
    return compare(join(read_runs(directories)))


@pytest.fixture(scope="module")
def runs(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("compared")
    made = {}
    for name, backend, options in (
        ("oracle", "oracle", {}),
        ("yes", "floors", {"answer": "constant"}),
        ("blind", "floors", {"answer": "prevalence"}),
    ):
        made[name] = folder / name
        settings = RunSettings(
            backend=backend, data=dataset, out=made[name], tasks=TASKS, options=options, cache_dir=folder / "cache"
        )
        execute(prepare(settings), Progress())
    return made


def test_the_better_run_is_better_on_every_task(runs):
    report = compare_runs([runs["yes"], runs["oracle"]])
    assert [c.task for c in report.tasks] == [
        "s3/task1_features",
        "s3/task4_temporal_boundaries",
        "s3/task7_diagnosis",
    ]
    for c in report.tasks:
        if c.difference is not None:
            assert (c.difference > 0) == c.higher_is_better, c.task
            assert c.difference == pytest.approx(c.second_value - c.first_value)


def test_correction_never_makes_a_p_value_smaller(runs):
    report = compare_runs([runs["yes"], runs["blind"], runs["oracle"]])
    compared = [c for c in (*report.tasks, *report.features) if c.p is not None]
    assert compared
    for c in compared:
        assert c.p_adjusted is not None
        assert c.p - 1e-12 <= c.p_adjusted <= 1.0


def test_the_oracle_ranks_first(runs):
    report = compare_runs([runs["yes"], runs["blind"], runs["oracle"]])
    for ranks in report.ranks.values():
        assert ranks["oracle"].rank == min(rank.rank for rank in ranks.values())


def test_equal_answers_do_not_differ(runs, tmp_path):
    again = tmp_path / "again"
    shutil.copytree(runs["blind"], again)
    for c in compare_runs([runs["blind"], again]).tasks:
        if c.difference is not None:
            assert c.difference == 0.0
            assert c.p == 1.0


def test_only_shared_items_are_compared(runs, tmp_path):
    fewer = tmp_path / "fewer"
    shutil.copytree(runs["blind"], fewer)
    lines = (fewer / "items.jsonl").read_text().splitlines()
    kept = [line for line in lines if json.loads(line)["task"] != "s3/task7_diagnosis"][:-3]
    (fewer / "items.jsonl").write_text("".join(f"{line}\n" for line in kept))
    report = compare_runs([fewer, runs["oracle"]])
    assert "s3/task7_diagnosis" not in {c.task for c in report.tasks}
    assert sum(c.n_items for c in report.tasks) == len(kept)


def test_runs_that_disagree_about_the_truth_are_refused(runs, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(runs["oracle"], other)
    lines = [json.loads(line) for line in (other / "items.jsonl").read_text().splitlines()]
    first = next(line for line in lines if line["task"] == "s3/task7_diagnosis")
    first["truth"] = "NES" if first["truth"] == "ES" else "ES"
    (other / "items.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with pytest.raises(UsageError, match=r"oracle and other disagree about the truth of 1 of .* were changed after"):
        compare_runs([runs["oracle"], other])


def test_a_run_is_not_compared_with_itself(runs):
    with pytest.raises(UsageError, match="with itself"):
        compare_runs([runs["oracle"], runs["oracle"]])
