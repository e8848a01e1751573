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
from s3harness.report.page.html import HERE
from s3harness.report.page.write import ReportSources, write_report
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
    page = write_report(ran, tmp_path / "with.html", ReportSources(data=dataset))
    video = _shown(page)["videos"][0]
    assert video["frames"][0] == 0.0
    assert len(video["frames"]) > 50
    assert {label["side"] for label in video["labels"].values()} >= {"left"}
    assert not re.search(r"\bp[0-9]\b|\.mp4|" + re.escape(str(dataset)), page.read_text())


def test_videos_play_from_this_computer_and_the_page_says_so(ran: Path, dataset: Path) -> None:
    page = write_report(ran, sources=ReportSources(videos=dataset / "videos"))
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


def _with_status(run: Path, target: Path, subject: str, status: str) -> Path:
    """Copy a run with another status of all answers about a sign in Task 1, and score it."""
    shutil.copytree(run, target)
    lines = [json.loads(line) for line in _lines(run)]
    is_one = [line["subject"] == subject and line["task"] == "s3/task1_features" for line in lines]
    changed = [line | {"status": status, "text": ""} if one else line for line, one in zip(lines, is_one, strict=True)]
    (target / "responses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in changed))
    with pytest.raises(SystemExit) as ended:
        main(["score", str(target), "--resamples", "50"])
    assert not ended.value.code
    return target


def test_refusals_are_counted_as_such(ran: Path, tmp_path: Path) -> None:
    run = _with_status(ran, tmp_path / "refusing", "head_turning", "refused")
    text = html.unescape(write_report(run).read_text())
    scores = json.loads((run / "scores.json").read_text())["scores"]
    total = sum(score["n_items"] for score in scores if score["primary"])
    # The rationales are read from the same answers.
    assert f"<li>12 of {total} items refused: 1 features 6, 2 rationales 6</li>" in text
    row = re.search(r"<tr><td>Head turning</td>.*?</tr>", text, re.DOTALL)
    assert row is not None
    assert re.findall(r"<td>(\d+)</td>", row[0])[-2:] == ["6", "0"], "refused, unread"


def test_an_item_that_annotators_left_open_is_neither_right_nor_wrong(ran: Path) -> None:
    items = [item for video in _shown(write_report(ran))["videos"] for item in video["items"]]
    untested = [item for item in items if item["truth"] == "untested"]
    assert untested
    assert all(item["open"] and not item["wrong"] for item in untested)
    assert not any(item["open"] for item in items if item["truth"] in ("yes", "no"))


def test_the_summary_is_a_forest_plot_of_skill_with_the_best_and_worst_signs(ran: Path) -> None:
    text = write_report(ran).read_text()
    assert text.count("aria-label='skill 1.00") == 7, "the truth has a skill of 1 in each task"
    assert "<h3>Best at</h3><ul>" in text
    assert "has a readable answer" in text
    assert "10 epileptologists" in text
    assert "no comparison" in text


def test_stills_are_shown_only_when_wanted_and_hold_no_more_than_a_blur(
    ran: Path, dataset: Path, tmp_path: Path
) -> None:
    import base64
    import io

    from PIL import Image

    assert _shown(write_report(ran, tmp_path / "plain.html", ReportSources(data=dataset)))["stills"] == {}
    assert "img-src" not in (tmp_path / "plain.html").read_text()
    page = write_report(ran, tmp_path / "blurred.html", ReportSources(data=dataset, frames="blurred"))
    stills = _shown(page)["stills"]
    assert len(stills) == 6
    for still in (still for of_video in stills.values() for still in of_video):
        image = Image.open(io.BytesIO(base64.b64decode(still["image"].removeprefix("data:image/png;base64,"))))
        assert image.width == 24
    assert "img-src data:" in html.unescape(page.read_text())
    silhouettes = write_report(ran, tmp_path / "s.html", ReportSources(data=dataset, frames="silhouette"))
    still = _shown(silhouettes)["stills"]["v0001"][0]["image"]
    image = Image.open(io.BytesIO(base64.b64decode(still.removeprefix("data:image/png;base64,"))))
    assert image.convert("L").getextrema()[0] == 0


@pytest.mark.parametrize("arguments", [["--frames", "blurred"], ["--frames", "no-such-transform", "--data", "DATA"]])
def test_stills_need_the_data_set_and_a_transform(ran: Path, dataset: Path, arguments: list[str]) -> None:
    before = (ran / "report.html").read_text() if (ran / "report.html").exists() else ""
    with pytest.raises(SystemExit) as ended:
        main(["report", str(ran), *(str(dataset) if word == "DATA" else word for word in arguments)])
    assert ended.value.code == 2
    assert before == ((ran / "report.html").read_text() if (ran / "report.html").exists() else "")


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
