"""The page of a comparison opens offline, holds the tables of the terminal, and runs nothing that a model wrote."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path

import pytest

from s3harness.cli import main

SCRIPT = "</script><script>document.title='owned'</script>"


def _call(*arguments: object) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert not ended.value.code


@pytest.fixture(scope="module")
def runs(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    out = tmp_path_factory.mktemp("compared")
    for name in ("floors", "oracle"):
        _call("run", "--backend", name, "--data", dataset, "--out", out / name, "--tasks", "1,3,4,5")
    return out / "floors", out / "oracle"


@pytest.fixture(scope="module")
def text(runs: tuple[Path, Path]) -> str:
    page = runs[0].parent / "page.html"
    _call("compare", *runs, "--html", page)
    return page.read_text(encoding="utf-8")


def _shown(text: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data: dict[str, object] = json.loads(found[1])
    return data


def test_it_holds_every_task_and_sign(text: str) -> None:
    for words in (
        "1 features: balanced accuracy",
        "4 temporal boundaries: MAE",
        "Tonic stiffening",
        "no significance possible",
    ):
        assert words in text
    assert text.count('class="gain"') > 10
    rows = _shown(text)["rows"]
    assert isinstance(rows, list)
    assert len(rows) > 50
    assert {tuple(row["best"]) for row in rows} == {("oracle",)}, "nobody beats the truth"


def test_it_calls_the_runs_by_their_names_and_says_why_there_is_no_interval(text: str) -> None:
    assert "Differences are oracle minus floors" in text
    assert "<th>floors</th><th>oracle</th>" in text
    assert "<th>oracle better</th><th>floors better</th><th>equal</th>" in text
    assert not re.search(r"\b(earlier|later)\b", text.partition("<script")[0])
    assert "No interval: too few patients (" in text
    assert "Least p that is possible with these patients after the correction" in text


def test_three_runs_are_called_by_their_names_in_the_table_of_each_pair(
    dataset: Path, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    third = tmp_path / "guesses"
    words = ("run", "--backend", "floors", "-o", "answer=prevalence", "--data", dataset, "--out", third)
    _call(*words, "--tasks", "1,3,4,5")
    _call("compare", *runs, third, "--html", tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8").partition("<script")[0]
    for first, second in (("floors", "oracle"), ("floors", "guesses"), ("oracle", "guesses")):
        assert f"<h3>{first} → {second}</h3>" in text
        assert f"<th>{first}</th><th>{second}</th>" in text
        assert f"<th>{second} better</th><th>{first} better</th><th>equal</th>" in text
    assert "named" not in text


def test_it_needs_no_network(text: str) -> None:
    text = html.unescape(text)
    assert "default-src 'none'" in text
    assert not re.findall(r"(?:src|href)=[\"'](?!#)", text)
    assert not re.findall(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", text)


def test_what_a_model_wrote_and_how_runs_are_called_is_text(runs: tuple[Path, Path], tmp_path: Path) -> None:
    named = shutil.copytree(runs[0], tmp_path / "<img src=x>")
    lines = [json.loads(line) for line in (named / "responses.jsonl").read_text().splitlines()]
    lines = [line | {"text": SCRIPT} for line in lines]
    (named / "responses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    _call("compare", named, runs[1], "--html", tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert SCRIPT not in text
    assert "<img" not in text
    assert text.count("<script") == 2


def test_runs_of_one_name_are_told_apart_without_their_whole_path(runs: tuple[Path, Path], tmp_path: Path) -> None:
    first = shutil.copytree(runs[0], tmp_path / "before" / "run")
    second = shutil.copytree(runs[1], tmp_path / "after" / "run")
    _call("compare", first, second, "--html", tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "before/run and after/run" in text
    assert str(tmp_path) not in text
