"""Scoring reads a run some videos at a time: what comes of it is the same, and a large run is never in memory."""

from __future__ import annotations

import gc
import json
import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
from made_up_run import write_data, write_run

from s3harness.dataset.load import load_dataset
from s3harness.metrics.base import ItemMean
from s3harness.plugins.manager import manager
from s3harness.plugins.registry import RegistryEntry
from s3harness.scoring import score_run as scoring
from s3harness.scoring.above_floor import corrected
from s3harness.scoring.score_run import read_run, score_run
from s3harness.scoring.score_task import score_task


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("scored") / "all", 12)


def files(run):
    score_run(run, resamples=40)
    score_run(run, resamples=40, profile="paper")
    return {path.relative_to(run): path.read_bytes() for path in run.rglob("*") if path.is_file()}


@pytest.mark.parametrize("pairs", [1, 50, 333])
def test_the_same_bytes_however_many_pairs_come_at_a_time(pairs, run, monkeypatch):
    wanted = files(run)
    assert len(wanted) == 4 + 2 * (1 + 7)
    monkeypatch.setattr(scoring, "PART", pairs)
    assert files(run) == wanted


def test_a_run_scores_as_its_items_do_at_once(run, monkeypatch):
    monkeypatch.setattr(scoring, "PART", 1)
    tasks = read_run(run).values()
    at_once = [score for t in tasks for score in score_task(t.spec, t.references, t.predictions, resamples=40)]
    assert score_run(run, resamples=40) == corrected(at_once)


def test_answers_that_two_tasks_read_are_read_once(run, monkeypatch):
    read = []
    monkeypatch.setattr(scoring, "_answers", lambda *given: read.append(given[2:]) or original(*given))
    original = _answers
    score_run(run, resamples=2)
    assert len(read) == len(set(read))
    assert {task for task, _ in read} == {f"s3/{name}" for name in ASKED}


_answers = scoring._answers
ASKED = (
    "task1_features",
    "task3_laterality",
    "task4_temporal_boundaries",
    "task5_event_order",
    "task6_report",
    "task7_diagnosis",
)


def right(pair):
    return float(pair.prediction.value == pair.reference.truth)


@dataclass(frozen=True)
class Met(ItemMean):
    """Accuracy, and how many pairs came with each."""

    def statistics(self, pairs):
        return np.column_stack([super().statistics(pairs), np.full(len(pairs), float(len(pairs)))])

    def parts(self, totals):
        return {"pairs met": float(totals[2] / totals[1])}


class AllAtOnce(Met):
    by_video = False


@pytest.mark.parametrize(("make", "met"), [("some", 2), ("all_at_once", 24)])
def test_a_metric_that_does_not_say_that_it_goes_by_video_is_given_all_pairs(make, met, tmp_path, monkeypatch):
    run = write_run(tmp_path / "run", 12, ("7",))
    monkeypatch.setattr(scoring, "PART", 1)
    monkeypatch.setitem(
        manager().registry.entries,
        ("metric", "met"),
        RegistryEntry(kind="metric", name="met", target=f"{__name__}:{make}", package="p", version="1"),
    )
    manifest = json.loads((run / "manifest.json").read_text())
    (task,) = manifest["run"]["tasks"].values()
    task["spec"]["metrics"] = ["met"]
    (run / "manifest.json").write_text(json.dumps(manifest))
    (score,) = score_run(run, resamples=2)
    assert score.parts == {"pairs met": met}


def some():
    return Met(right)


def all_at_once():
    return AllAtOnce(right)


def held(work):
    """How many bytes were held at most, and at the end beside what the work returned; imports and caches aside."""
    work()
    gc.collect()
    tracemalloc.start()
    try:
        kept = work()
        now, most = tracemalloc.get_traced_memory()
        return most, now, kept
    finally:
        tracemalloc.stop()


def test_loading_holds_little_but_the_videos(tmp_path):
    data = write_data(tmp_path / "data", 400)
    most, videos, _ = held(lambda: load_dataset(data))
    assert most < 1.5 * videos
