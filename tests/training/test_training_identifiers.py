"""No name or date is learned: training and exports are refused before anything is written."""

from __future__ import annotations

import csv
import json
import shutil

import pytest

from s3harness.cli import main
from s3harness.dataset.run_card import FILE
from s3harness.errors import UsageError
from s3harness.guard.outgoing_check import Consent
from s3harness.training.identifiers import check_training
from s3harness.training.training_set import SetSettings, build_training_set

WORDS = ("--balance", "drop", "--no-mirror", "--leave-out-constant", "--format", "trl")


@pytest.fixture
def named(data, tmp_path):
    """A data set whose every report and justification names somebody."""
    copy = shutil.copytree(data, tmp_path / "named")
    for table, column in (("reports.csv", "report"), ("features.csv", "justification")):
        with (copy / table).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            row[column] = f"Frau Meier on 14.03.2019: {row[column]}"
        with (copy / table).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return copy


@pytest.fixture
def export(capsys, tmp_path):
    def call(data, *more):
        words = ["train", "export", "--data", data, "--out", tmp_path / "out", "--tasks", "6", *WORDS, *more]
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        return int(ended.value.code or 0), capsys.readouterr().err

    return call


def test_an_export_with_names_is_refused_before_it_is_written(named, export, tmp_path):
    code, said = export(named)
    assert code == 2
    assert "would reach the model that is trained, so nothing is sent" in said
    assert "Meier" not in said
    assert not (tmp_path / "out").exists()


def test_the_reason_to_let_names_through_is_on_the_run_card(named, export, tmp_path):
    assert export(named, "--allow-identifiers", "consented")[0] == 0
    card = json.loads((tmp_path / "out" / FILE).read_text())
    assert card["identifiers"]["reason"] == "consented"
    assert card["identifiers"]["kinds"]["name"] > 0


@pytest.mark.parametrize("tasks", ["2", "6", "7"])
def test_justifications_and_reports_are_searched_wherever_they_are_learned(named, tasks):
    made = build_training_set(named, SetSettings(tasks=(tasks,), leave_out_constant=True))
    with pytest.raises(UsageError, match=r"Frau M••••"):
        check_training(named, made, Consent())


def test_what_names_nobody_is_trained_on(data):
    made = build_training_set(data, SetSettings(tasks=("6", "7"), leave_out_constant=True))
    assert check_training(data, made, Consent()) == {}
