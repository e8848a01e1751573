"""The published tables come back from the released predictions, every cell at the precision it is printed with."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from s3harness.paper.layout import missing_predictions, models, read_release_table
from s3harness.paper.metrics.published import Cell, published_tables


@pytest.fixture(scope="session")
def cells(release) -> list[Cell]:
    return [cell for model in models(release) for table in published_tables(release, model) for cell in table]


def test_every_cell_of_the_six_models_is_reproduced(cells):
    wrong = [f"{c.file} {c.model} {c.column}: {c.published} but {c.recomputed}" for c in cells if not c.matches]
    assert wrong == []


def test_no_table_is_passed_over(release, cells):
    """As many cells as a plain count of the filled ones in the published files, less the BERTScores."""
    counted = Counter(cell.file for cell in cells)
    expected = {}
    for path in sorted(release.published.glob("*.csv")) + sorted(release.published.glob("Task2_feature_metrics/*.csv")):
        if "rqi" in path.name:
            continue
        table = read_release_table(path, keys=("model", "model_name", "feature"))
        ignored = {"model", "model_name", "feature"}
        columns = [c for c in table.columns if c not in ignored and "bert" not in c]
        name = str(path.relative_to(release.published))
        expected[name] = sum(bool(row[column]) for row in table.rows.values() for column in columns)
        expected[name] -= "n_pairs" in columns  # How the number of a mean is made of those of the signs nobody knows.
    assert counted == expected
    assert sum(expected.values()) == 1414 + 4 * 18 + 2 * 20


def test_all_six_models_are_there_with_all_their_files(release, cells):
    assert {cell.model for cell in cells} == set(models(release))
    assert [missing_predictions(release, model) for model in models(release)] == [()] * 6


def test_a_cell_that_is_not_computed_is_a_mismatch():
    cell = Cell(file="f", model="m", column="c", published=0.5, recomputed=float("nan"))
    assert not cell.matches
    assert not replace(cell, recomputed=0.494).matches
    assert replace(cell, recomputed=0.4951).matches
    assert not replace(cell, recomputed=0.5000001, digits=None).matches
