"""Detection in whole recordings: runs from the tables to the scores and the report, and errors in the tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner

from s3harness.cli import cli

MINUTES, PATIENTS = 20, 8
SEIZURES = ((100.0, 160.0), (900.0, 1000.0))
"""The first ends in the second window, which begins at 110 s."""


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ward") / "ward"
    folder.mkdir()
    with av.open(str(folder / "v.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=1)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for n in range(MINUTES * 60):
            pixels = np.full((32, 32, 3), 100 + n % 50, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode(None))
    names = [f"v{n:04d}" for n in range(PATIENTS)]
    rows = [f"{name},p{n},v.mp4,ES,test,{MINUTES * 60},23:50:00" for n, name in enumerate(names)]
    header = "video_id,patient_id,file,diagnosis,split,duration_s,start_clock"
    (folder / "videos.csv").write_text("\n".join([header, *rows]) + "\n")
    # The last two recordings show none; that nobody has a fit there is stated by rows without times.
    fits = [f"{name},{a},{b}" for name in names[:-2] for a, b in SEIZURES] + [f"{name},," for name in names[-2:]]
    (folder / "seizures.csv").write_text("\n".join(["video_id,onset_s,offset_s", *fits]) + "\n")
    (folder / "features.csv").write_text("video_id,feature,present,start_s,end_s,side,justification\n")
    (folder / "reports.csv").write_text("video_id,report\n")
    (folder / "dataset.json").write_text(json.dumps({"schema": "s3harness/dataset/v1", "name": "ward"}))
    return folder


def run(ward: Path, out: Path, *arguments: str) -> Mapping[str, float]:
    """Return the scores of a run by their labels."""
    command = ["run", "--data", str(ward), "--tasks", "s3/task8_detection", "--out", str(out), *arguments]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0, result.output
    scores = json.loads((out / "scores.json").read_text())["scores"]
    return {score["metric"]: score["value"] for score in scores}


def test_the_truth_is_perfect_and_seizures_across_windows_are_one(ward: Path, tmp_path: Path) -> None:
    scores = run(ward, tmp_path / "oracle", "--backend", "oracle")
    assert scores["event F1"] == scores["event sensitivity"] == scores["event precision"] == 1
    assert scores["sample F1"] == 1 and scores["latency"] == scores["false alarms per 24 h"] == 0
    lines = (tmp_path / "oracle" / "responses.jsonl").read_text().splitlines()
    # Windows of 120 s that begin every 110 s; all of 1200 s.
    assert len(lines) == PATIENTS * 11


def test_the_report_of_a_run_names_the_task(ward: Path, tmp_path: Path) -> None:
    run(ward, tmp_path / "run", "--backend", "oracle")
    page = tmp_path / "report.html"
    result = CliRunner().invoke(cli, ["report", str(tmp_path / "run"), "--out", str(page)])
    assert result.exit_code == 0, result.output
    assert "event F1" in page.read_text()


def test_a_run_without_named_tasks_does_not_ask_it(ward: Path, tmp_path: Path) -> None:
    command = ["run", "--data", str(ward), "--backend", "oracle", "--out", str(tmp_path / "all"), "--dry-run"]
    result = CliRunner().invoke(cli, command)
    assert "detection" not in result.output.lower()
    named = CliRunner().invoke(cli, [*command, "--tasks", "s3/task8_detection"])
    assert "detection" in named.output.lower()


def test_a_wrong_table_of_seizures_is_named_with_its_place(ward: Path, tmp_path: Path) -> None:
    for name in ("videos.csv", "features.csv", "reports.csv", "dataset.json"):
        (tmp_path / name).write_bytes((ward / name).read_bytes())
    (tmp_path / "v.mp4").write_bytes((ward / "v.mp4").read_bytes())
    wrong = "video_id,onset_s,offset_s\nv0000,50,40\nv0001,10,40\nv0001,30,60\nv0002,9000,9010\nv9999,1,2\n"
    (tmp_path / "seizures.csv").write_text(wrong)
    result = CliRunner().invoke(cli, ["data", "validate", str(tmp_path)])
    assert result.exit_code != 0
    for part in ("later offset", "overlaps another", "outside the video", "'v9999' is not in videos.csv"):
        assert part in result.output, result.output
