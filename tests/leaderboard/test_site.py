"""The pages rank by what is sure, show floors beside scores, open from a disk, and run nothing that was submitted."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from calling import call
from hypothesis import given
from hypothesis import strategies as st
from tampering import cover_up, edit

from s3harness.leaderboard.entries import Entry, published, published_directory, submitted
from s3harness.leaderboard.exports import as_csv, as_latex, model_card_section, rows
from s3harness.leaderboard.ranks import is_bold, mean_skill, rank_intervals, surest
from s3harness.leaderboard.site import build_site
from s3harness.types import Interval, Score

SCRIPT = "<script>document.title='owned'</script>"


def _score(value: float, low: float, high: float, *, floor: float = 0.2, more: bool = True) -> Score:
    interval = Interval(low, high)
    return Score("s3/t", "m", value, interval, floor, "always_yes", 1.0, 10, 5, 1.0, {}, more, primary=True)


def test_ranks_are_intervals() -> None:
    scores = {"a": _score(0.9, 0.8, 0.95), "b": _score(0.7, 0.6, 0.85), "c": _score(0.3, 0.2, 0.4)}
    assert {name: str(rank) for name, rank in rank_intervals(scores).items()} == {"a": "1–2", "b": "1–2", "c": "3"}


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=12))
def test_rank_intervals_count_who_is_surely_better_and_worse(ends: list[tuple[int, int, bool]]) -> None:
    scores = {str(n): _score(a, min(a, b), max(a, b), more=True) for n, (a, b, _) in enumerate(ends)}
    scores = {name: s if ends[int(name)][2] else replace(s, value=None) for name, s in scores.items()}
    bounds = {
        name: (s.interval.low, s.interval.high) if s.value is not None and s.interval else (-1.0, -1.0)
        for name, s in scores.items()
    }
    for name, rank in rank_intervals(scores).items():
        low, high = bounds[name]
        assert rank.first == 1 + sum(other_low > high for other_low, _ in bounds.values())
        assert rank.last == len(bounds) - sum(other_high < low for _, other_high in bounds.values())


def test_an_error_ranks_the_other_way_round() -> None:
    scores = {"a": _score(9, 8, 10, more=False), "b": _score(2, 1, 3, more=False)}
    assert {name: str(rank) for name, rank in rank_intervals(scores).items()} == {"a": "2", "b": "1"}


@pytest.mark.parametrize(
    ("score", "others", "bold"),
    [
        (_score(0.9, 0.8, 0.95), [_score(0.85, 0.7, 0.9)], True),
        (_score(0.9, 0.1, 0.95), [], False),
        (_score(0.5, 0.4, 0.6), [_score(0.9, 0.8, 0.95)], False),
        (_score(3, 2, 4, floor=5.0, more=False), [], True),
        (_score(3, 2, 6, floor=5.0, more=False), [], False),
    ],
)
def test_bold_is_surely_above_the_floor_with_nobody_surely_better(
    score: Score, others: list[Score], bold: bool
) -> None:
    assert is_bold(score, surest(others)) is bold


def _board(tmp_path: Path, packed: Path) -> Path:
    folder = tmp_path / "submissions"
    shutil.copytree(packed, folder / "first")
    return folder


def test_the_pages_are_built_and_link_to_each_other(tmp_path: Path, packed: Path) -> None:
    result = call("leaderboard", "build", "--submissions", _board(tmp_path, packed), "--out", tmp_path / "site")
    assert result.exit_code == 0, result.output
    pages = {path.name for path in (tmp_path / "site").glob("*.html")}
    assert {"index.html", "published.html", "model-first.html", "task1-features.html"} <= pages
    for page in pages:
        text = (tmp_path / "site" / page).read_text()
        for link in re.findall(r'href="([^"]+)"', text):
            assert (tmp_path / "site" / link).exists(), f"{page} links to {link}"
        assert not re.findall(r"https?://", re.sub(r"<dd>.*?</dd>", "", text)), f"{page} needs the network"
    assert "floor: always" in (tmp_path / "site" / "task1-features.html").read_text()


def test_a_tier_comes_from_a_verdict_on_these_very_answers(tmp_path: Path, packed: Path, dataset: Path) -> None:
    folder = _board(tmp_path, packed)
    assert [entry.tier for entry in submitted(folder)] == ["claimed"]
    assert call("leaderboard", "verify", folder / "first", "--data", dataset, "--record").exit_code == 0
    assert [entry.tier for entry in submitted(folder)] == ["re-scored"]
    edit(folder / "first" / "responses.jsonl", lambda line: line | {"text": "no"})
    cover_up(folder / "first")
    assert [entry.tier for entry in submitted(folder)] == ["claimed"]


@pytest.mark.parametrize("name", ["scores.json", "submission.json"])
def test_what_is_changed_after_its_verdict_loses_its_tier(
    tmp_path: Path, packed: Path, dataset: Path, name: str
) -> None:
    folder = _board(tmp_path, packed)
    assert call("leaderboard", "verify", folder / "first", "--data", dataset, "--record").exit_code == 0
    changes = {
        "scores.json": lambda scores: scores["scores"][0].update(value=0.999),
        "submission.json": lambda about: about.update(submitter="Somebody else"),
    }
    edit(folder / "first" / name, changes[name])
    assert [entry.tier for entry in submitted(folder)] == ["claimed"]


def test_what_was_rejected_is_not_on_the_pages(tmp_path: Path, packed: Path, dataset: Path) -> None:
    folder = _board(tmp_path, packed)
    shutil.copytree(packed, folder / "again")
    assert call("leaderboard", "verify", folder / "again", "--data", dataset, "--record").exit_code == 1
    built = call("leaderboard", "build", "--submissions", folder, "--out", tmp_path / "site")
    assert "left out, for it was rejected: again\n" in built.output
    assert "1 entry\n" in built.output
    assert not (tmp_path / "site" / "model-again.html").exists()
    edit(folder / "again" / "responses.jsonl", lambda line: line | {"text": "no"})
    assert len(list(submitted(folder))) == 2


def test_what_was_submitted_is_shown_and_never_run(tmp_path: Path, packed: Path) -> None:
    folder = _board(tmp_path, packed)
    edit(folder / "first" / "submission.json", lambda about: about.update(notes=SCRIPT, submitter=SCRIPT))
    edit(folder / "first" / "submission.json", lambda about: about["model"].update(title=SCRIPT))
    build_site(list(submitted(folder)), published(published_directory()), tmp_path / "site")
    for page in (tmp_path / "site").glob("*.html"):
        assert SCRIPT not in page.read_text()
    assert "&lt;script&gt;" in (tmp_path / "site" / "model-first.html").read_text()


def test_one_table_is_behind_all_exports(tmp_path: Path, packed: Path) -> None:
    entries = list(submitted(_board(tmp_path, packed)))
    build_site(entries, [], tmp_path / "site")
    table = rows(entries)
    exported = tmp_path / "site" / "exports"
    assert json.loads((exported / "scores.json").read_text()) == table
    with (exported / "scores.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["value"] for row in found] == ["" if row["value"] is None else str(row["value"]) for row in table]
    assert (exported / "first.eval_results.yaml").exists()
    assert "| 1 features | balanced accuracy | 1.000" in model_card_section(entries[0])


def test_exports_disarm_formulas_and_escape_latex(tmp_path: Path, packed: Path) -> None:
    entry = next(submitted(_board(tmp_path, packed)))
    bad = replace(entry, slug="=cmd()", model={**entry.model, "title": "50% & \\input{x}_$"})
    assert "'=cmd()" in as_csv(rows([bad]))
    assert "50\\% \\& \\textbackslash{}input\\{x\\}\\_\\$" in as_latex([bad])


def test_other_files_are_never_overwritten(tmp_path: Path, packed: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "thesis.tex").write_text("years of work")
    result = call("leaderboard", "build", "--submissions", _board(tmp_path, packed), "--out", tmp_path / "site")
    assert result.exit_code == 2
    assert (tmp_path / "site" / "thesis.tex").read_text() == "years of work"


def test_yardsticks_and_other_data_sets_are_not_ranked_with_models() -> None:
    def entry(slug: str, dataset: str) -> Entry:
        model = {"name": slug, "title": slug, "parameters_b": None, "modalities": ["video"], "open_weights": True}
        return Entry(slug, model, "claimed", "strict", "vllm", [_score(0.9, 0.8, 0.95)], dataset=dataset)

    assert mean_skill(entry("a", "x")) == pytest.approx((0.9 - 0.2) / 0.8)
    assert mean_skill(replace(entry("a", "x"), scores=[])) is None
    hopeless = replace(_score(60, 50, 70, floor=1.0, more=False), ceiling=0.0)
    assert mean_skill(replace(entry("a", "x"), scores=[hopeless])) == -1.0, "one task decides about all"


def test_the_published_table_is_complete() -> None:
    (table,) = published(published_directory())
    assert len(table["rows"]) == 13
    assert all(row["about"]["title"] != row["model"] for row in table["rows"]), "a model has no card"


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
    entry = replace(next(submitted(_board(tmp_path, packed))), tokens=12345, seconds=67.0)
    unknown = replace(entry, slug="second", tokens=None, seconds=None)
    build_site([entry, unknown], [], tmp_path / "site")
    for page in ("index.html", "task1-features.html"):
        text = (tmp_path / "site" / page).read_text()
        assert text.count('<td data-value="12345">12,345</td><td data-value="67">67</td>') == 1
        assert text.count('<td data-value="–">–</td><td data-value="–">–</td>') == 1
    assert "12,345 tokens, 67 seconds" in (tmp_path / "site" / "model-first.html").read_text()
