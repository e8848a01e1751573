"""``data deidentify``: identifiers are replaced as a person has confirmed, and what only looks like one is kept."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_data import plant

from s3harness.cli import cli
from s3harness.dataset.deidentify import PROPOSALS, apply_proposals, propose
from s3harness.dataset.load import load_dataset
from s3harness.dataset.validate import validate_dataset
from s3harness.errors import DatasetError, UsageError


@pytest.fixture
def named(data: Path) -> Path:
    """A data set with a name in a report and a justification, and a word that only looks like a place."""
    plant(data, "reports.csv", "The head turns.", "Frau Hagedorn turns the head. Hagedorn lives in Ashford.")
    plant(data, "features.csv", '"The arm, stiff"', "Stiff as on 14.03.2021 and Hagedorn silent")
    return data


def _change(directory: Path, text: str, **cells: str) -> None:
    """Edit the row of an identifier in the table of proposals, as a person does."""
    with (directory / PROPOSALS).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if text in row["text"]:
            row.update(cells)
    with (directory / PROPOSALS).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _code(directory: Path) -> str:
    with pytest.raises(UsageError) as caught:
        apply_proposals(directory, "00000000")
    return str(caught.value).rpartition("which is ")[2][:8]


def test_names_and_dates_are_replaced_wherever_they_stand(named):
    problems = len(validate_dataset(named)[1])
    proposals, code = propose(named)
    assert problems > 0
    assert (named / PROPOSALS).stat().st_mode & 0o077 == 0
    assert apply_proposals(named, code).still_open == 0
    texts = [video.report for video in load_dataset(named).videos]
    texts += [s.justification for video in load_dataset(named).videos for s in video.features.values()]
    assert "Stiff as on [date] and [name] silent" in texts
    assert not any(word in text for text in texts for word in ("Hagedorn", "2021", "Ashford"))
    assert validate_dataset(named)[1] == []
    assert "Hagedorn" in (named / "private" / "identified_reports.csv").read_text()
    assert {one.kind for one in proposals} >= {"name", "date"}


def test_other_columns_and_rows_stay_as_they_are(named):
    before = {video.id: video.features for video in load_dataset(named).videos}
    apply_proposals(named, propose(named)[1])
    for video in load_dataset(named).videos:
        for name, label in video.features.items():
            old = before[video.id][name]
            assert (label.present, label.start_s, label.end_s, label.side) == (
                old.present,
                old.start_s,
                old.end_s,
                old.side,
            )


def test_a_replacement_is_the_one_that_the_person_wrote_and_a_likely_one_may_be_kept(named):
    proposals, _ = propose(named)
    (likely,) = [one for one in proposals if one.tier == "likely" and "Ashford" in one.text]
    _change(named, likely.text, decision="keep")
    _change(named, "14.03.2021", replacement="[day 1]")
    done = apply_proposals(named, _code(named))
    assert (done.kept, done.still_open) == (1, 0)
    assert "Ashford" in (named / "reports.csv").read_text()
    assert "[day 1]" in (named / "features.csv").read_text()
    assert validate_dataset(named)[1] == []


def test_the_table_that_was_read_is_the_one_that_is_applied(named):
    _, code = propose(named)
    _change(named, "14.03.2021", replacement="[day 1]")
    with pytest.raises(UsageError, match="read the table, then confirm that code"):
        apply_proposals(named, code)
    assert "2021" in (named / "features.csv").read_text()


def test_a_certain_identifier_cannot_be_kept_and_an_unknown_decision_is_named(named):
    propose(named)
    _change(named, "14.03.2021", decision="keep")
    with pytest.raises(DatasetError, match="a date of this form cannot be kept"):
        apply_proposals(named, _code(named))
    _change(named, "14.03.2021", decision="perhaps")
    with pytest.raises(DatasetError, match="'perhaps' is not replace or keep"):
        apply_proposals(named, _code(named))


def test_the_terminal_shows_kinds_and_no_identifier(named):
    result = CliRunner().invoke(cli, ["data", "deidentify", str(named)])
    assert result.exit_code == 0
    assert "Hagedorn" not in result.output
    assert "certain" in result.output
    code = json.loads(CliRunner().invoke(cli, ["data", "deidentify", str(named), "--json"]).stdout)["code"]
    done = CliRunner().invoke(cli, ["data", "deidentify", str(named), "--confirmed", code])
    assert done.exit_code == 0
    assert "0 still open" in done.output
