"""The pages show floors beside scores, open from a disk, and run nothing that was submitted."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

from calling import call
from tampering import edit

from s3harness.leaderboard.entries import entry_of, published
from s3harness.leaderboard.exports import as_csv, as_latex, model_card_section, rows
from s3harness.leaderboard.site import build_site
from s3harness.package_data import published_directory

SCRIPT = "<script>document.title='owned'</script>"


def _board(tmp_path: Path, packed: Path) -> Path:
    folder = tmp_path / "submissions"
    shutil.copytree(packed, folder / "first")
    return folder


def test_the_pages_are_built_and_link_to_each_other(tmp_path: Path, packed: Path, dataset: Path) -> None:
    board = ("--submissions", _board(tmp_path, packed), "--data", dataset)
    result = call("leaderboard", "build", *board, "--out", tmp_path / "site")
    assert result.exit_code == 0, result.output
    pages = {path.name for path in (tmp_path / "site").glob("*.html")}
    assert {"index.html", "published.html", "claimed.html", "model-first.html", "task1-features.html"} <= pages
    for page in pages:
        text = (tmp_path / "site" / page).read_text()
        for link in re.findall(r'href="([^"]+)"', text):
            assert (tmp_path / "site" / link).exists(), f"{page} links to {link}"
        assert not re.findall(r"https?://", re.sub(r"<dd>.*?</dd>", "", text)), f"{page} needs the network"
    floor = entry_of(packed).primary["s3/task1_features"].floor_name.replace("_", " ")
    assert f"floor: {floor}" in (tmp_path / "site" / "task1-features.html").read_text()


def test_what_was_submitted_is_shown_and_never_run(tmp_path: Path, packed: Path) -> None:
    folder = _board(tmp_path, packed)
    edit(folder / "first" / "submission.json", lambda about: about.update(notes=SCRIPT, submitter=SCRIPT))
    edit(folder / "first" / "submission.json", lambda about: about["model"].update(title=SCRIPT))
    shown = entry_of(folder / "first", "re-scored")
    build_site([shown], published(published_directory()), tmp_path / "site", claimed=[replace(shown, slug="claimed")])
    for page in (tmp_path / "site").glob("*.html"):
        assert SCRIPT not in page.read_text()
    assert "&lt;script&gt;" in (tmp_path / "site" / "model-first.html").read_text()


def test_one_table_is_behind_all_exports(tmp_path: Path, packed: Path) -> None:
    entries = [entry_of(_board(tmp_path, packed) / "first", "re-scored")]
    build_site(entries, [], tmp_path / "site")
    table = rows(entries)
    exported = tmp_path / "site" / "exports"
    assert json.loads((exported / "scores.json").read_text()) == table
    with (exported / "scores.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["value"] for row in found] == ["" if row["value"] is None else str(row["value"]) for row in table]
    assert "| 1 features | balanced accuracy | 1.000" in model_card_section(entries[0])


def test_exports_disarm_formulas_and_escape_latex(tmp_path: Path, packed: Path) -> None:
    entry = entry_of(_board(tmp_path, packed) / "first")
    bad = replace(entry, slug="=cmd()", model={**entry.model, "title": "50% & \\input{x}_$"})
    assert "'=cmd()" in as_csv(rows([bad]))
    assert "50\\% \\& \\textbackslash{}input\\{x\\}\\_\\$" in as_latex([bad])


def test_other_files_are_never_overwritten(tmp_path: Path, packed: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "thesis.tex").write_text("years of work")
    result = call("leaderboard", "build", "--submissions", _board(tmp_path, packed), "--out", tmp_path / "site")
    assert result.exit_code == 2
    assert (tmp_path / "site" / "thesis.tex").read_text() == "years of work"


def test_the_published_table_is_complete() -> None:
    table, readers = published(published_directory())
    assert len(table["rows"]) == 13
    assert all(row["about"]["title"] != row["model"] for row in table["rows"]), "a model has no card"
    # People on other patients: the page has to say so, and no model's card describes them.
    assert "other patients" in readers["note"]
    assert {row["about"]["weights"] for row in readers["rows"]} == {None}


def test_released_predictions_stand_beside_what_the_paper_printed(tmp_path: Path, release: Path) -> None:
    chosen = ("--models", "Lingshu-32B", "--tasks", "5", "--resamples", "50", "--all", "--json")
    scored = call("score-release", release, *chosen)
    assert scored.exit_code == 0, scored.output
    (tmp_path / "released.json").write_text(scored.output[scored.output.index("{") :])
    (tmp_path / "submissions").mkdir()
    told = ("--released", tmp_path / "released.json", "--submissions", tmp_path / "submissions")
    assert call("leaderboard", "build", *told, "--out", tmp_path / "site").exit_code == 0
    for page in ("task5-event-order.html", "model-released-lingshu-32b.html"):
        text = (tmp_path / "site" / page).read_text()
        assert "As published" in text
        assert "29.92" in text, "the published edit distance"
    assert "floor: " in (tmp_path / "site" / "task5-event-order.html").read_text()
    assert ">re-scored</td>" in (tmp_path / "site" / "index.html").read_text()


def test_tokens_and_seconds_are_shown_where_they_are_known(tmp_path: Path, packed: Path) -> None:
    entry = replace(entry_of(_board(tmp_path, packed) / "first"), tokens=12345, seconds=67.0)
    unknown = replace(entry, slug="second", tokens=None, seconds=None)
    build_site([entry, unknown], [], tmp_path / "site")
    for page in ("index.html", "task1-features.html"):
        text = (tmp_path / "site" / page).read_text()
        assert text.count('<td data-value="12345">12,345</td><td data-value="67">67</td>') == 1
        assert text.count('<td data-value="–">–</td><td data-value="–">–</td>') == 1
    assert "12,345 tokens, 67 seconds" in (tmp_path / "site" / "model-first.html").read_text()
