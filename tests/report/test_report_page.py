"""The report is one file that opens offline, tells what the run holds, and runs nothing that a model wrote."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from s3harness.cli import main
from s3harness.report.page import write_report
from s3harness.report.page.html import HERE
from s3harness.report.plot import COLOURS

SCRIPT = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def ran(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "oracle"
    with pytest.raises(SystemExit) as ended:
        main(["run", "--backend", "oracle", "--data", str(dataset), "--out", str(out)])
    assert not ended.value.code
    return out


def _shown(page: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def _lines(run: Path) -> list[str]:
    return (run / "responses.jsonl").read_text().splitlines()


def test_every_item_and_every_answer_is_in_it(ran: Path) -> None:
    page = write_report(ran)
    assert page == ran / "report.html"
    shown = _shown(page)
    n_items = len((ran / "items.jsonl").read_text().splitlines())
    assert sum(len(video["items"]) for video in shown["videos"]) == n_items
    answers = {json.loads(line)["id"]: json.loads(line)["text"] for line in _lines(ran)}
    assert {name: answer["text"] for name, answer in shown["answers"].items()} == answers
    prompts = [record["text"] for record in shown["sent"].values() if record["kind"] == "prompt"]
    assert all(prompt.strip() for prompt in prompts)
    assert len(prompts) > 20
    assert all(set(answer["sent"]) <= shown["sent"].keys() for answer in shown["answers"].values())
    items = [item for video in shown["videos"] for item in video["items"]]
    assert not any(
        item["wrong"] for item in items if item["kind"] in ("feature", "laterality", "sequence", "diagnosis")
    )


def test_a_score_without_an_interval_has_the_reason_beside_it(ran: Path) -> None:
    scores = json.loads((ran / "scores.json").read_text())["scores"]
    reasons = {score["interval_note"] for score in scores if score["interval"] is None} - {""}
    assert reasons
    page = write_report(ran).read_text()
    for reason in reasons:
        assert f"<small>no interval: {html.escape(reason)}</small>" in page


def test_it_needs_no_network(ran: Path) -> None:
    text = html.unescape(write_report(ran).read_text())
    assert "default-src 'none'" in text
    assert not re.findall(r"(?:src|href)=[\"'](?!#)", text)
    assert not re.findall(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", text)


def test_the_data_set_adds_intervals_and_frames_and_no_private_word(ran: Path, dataset: Path, tmp_path: Path) -> None:
    page = write_report(ran, tmp_path / "with.html", dataset)
    video = _shown(page)["videos"][0]
    assert video["frames"][0] == 0.0
    assert len(video["frames"]) > 50
    assert {label["side"] for label in video["labels"].values()} >= {"left"}
    assert not re.search(r"\bp[0-9]\b|\.mp4|" + re.escape(str(dataset)), page.read_text())


def test_videos_play_from_this_computer_and_the_page_says_so(ran: Path, dataset: Path) -> None:
    page = write_report(ran, videos=dataset / "videos")
    assert page.name == "report.local.html"
    assert "Do not pass it on" in page.read_text()
    assert len(_shown(page)["files"]) == 6


def test_what_a_model_wrote_is_text(ran: Path, tmp_path: Path) -> None:
    run = shutil.copytree(ran, tmp_path / "run")
    lines = [json.loads(line) | {"text": SCRIPT} for line in _lines(run)]
    (run / "responses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["run"]["model"]["name"] = SCRIPT
    (run / "manifest.json").write_text(json.dumps(manifest))
    text = write_report(run).read_text()
    assert SCRIPT not in text
    assert "<img" not in text
    assert text.count("<script") == 2


def test_another_data_set_is_refused(ran: Path, dataset: Path, tmp_path: Path) -> None:
    other = shutil.copytree(dataset, tmp_path / "other")
    table = (other / "features.csv").read_text()
    (other / "features.csv").write_text(table.replace(",left,", ",right,", 1))
    with pytest.raises(SystemExit) as ended:
        main(["report", str(ran), "--data", str(other)])
    assert ended.value.code == 2


def test_pages_and_charts_have_one_palette() -> None:
    style = (HERE / "theme.css").read_text()
    assert [f"--blue: {COLOURS[0]};" in style, f"--orange: {COLOURS[1]};" in style] == [True, True]
