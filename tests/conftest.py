"""What several areas of tests share: the authors' release, and a tiny data set of real video files."""

from __future__ import annotations

import csv
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from s3harness_synth.dataset import synthesize

settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")
"""A busy machine is no failure; how long things take is measured in ``benchmarks/``."""

RELEASE = Path(__file__).parents[2] / "shared" / "s3-release"


@pytest.fixture(scope="session")
def release() -> Path:
    """The private checkout of the authors' release, next to this repository; nothing of it may be copied here."""
    if not RELEASE.is_dir():
        pytest.fail(f"the authors' release is not at {RELEASE}: put a checkout of it there, or leave these tests out")
    return RELEASE


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six videos of 36 s, two windows each, with both diagnoses and with both sides of each sign that has one.

    Tests only read it; ``copy_dataset`` gives one to change.
    """
    out = tmp_path_factory.mktemp("data") / "tiny"
    synthesize(out, videos=6, seed=4, resolution=(96, 54), fps=2, duration_s=36.0)
    _every_class(out)
    return out


def _every_class(data: Path) -> None:
    """Have every class occur, whatever was drawn, so that no score is undefined."""
    with (data / "features.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = {(v, sign): side for sign in ("head_turning", "arm_movement") for v, side in _sides(rows)}
    kept = [row for row in rows if (row["video_id"], row["feature"]) not in wanted]
    made = [
        {**dict.fromkeys(rows[0], ""), "video_id": v, "feature": sign, "present": "yes", "start_s": "8", "end_s": "12"}
        | {"side": side, "justification": f"It was the {side} side."}
        for (v, sign), side in wanted.items()
    ]
    with (data / "features.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept + made)
    _rewrite_diagnoses(data / "videos.csv")


def _sides(rows: list[dict[str, str]]) -> list[tuple[str, str]]:
    videos = sorted({row["video_id"] for row in rows})
    return list(zip(videos, ("left", "right") * len(videos), strict=False))


def _rewrite_diagnoses(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row["diagnosis"] = ("ES", "NES")[number % 2]
        row["patient_id"] = f"p{number // 2}"
        row["split"] = "test"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def listening() -> Iterator[tuple[int, list[bytes]]]:
    """A port of this machine, and what comes to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard: list[bytes] = []

        def listen() -> None:
            try:
                while True:
                    connection, _ = server.accept()
                    with connection:
                        heard.append(connection.recv(1000))
            except OSError:
                return

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield server.getsockname()[1], heard
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)
