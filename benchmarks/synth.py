"""What synthetic videos cost, and whether anything but the seizure tells their diagnosis.

``speed``: seconds of video per second of one core. ``memory``: the peak of a process that makes one video, by its
length. ``parallel``: 100 videos in ever more processes. ``shortcut``: how well the light, length, bit rate and size of
the files tell ES from NES, with and without ``--balance-nuisance``.

    python benchmarks/synth.py speed | memory | parallel [PROCESSES …] | shortcut [VIDEOS]
"""

from __future__ import annotations

import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import numpy as np

from s3harness.synth import synthesize
from s3harness.synth.dataset import plan_takes
from s3harness.synth.prior import load_prior
from s3harness.synth.production import Format, Take, Wishes, film

FULL = Format((640, 360), 25, True)
SPEED_SECONDS = 20.0
LENGTHS_S = (20.0, 60.0, 300.0)


def speed() -> None:
    """One video of each kind of event."""
    takes = plan_takes(60, 1, Wishes(load_prior("s3"), SPEED_SECONDS))
    kinds = {take.script.archetype: take for take in reversed(takes)}
    print("| kind of event | CPU s for 20 s of video | times real time |\n| --- | ---: | ---: |")
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        film(takes[0], Path(folder) / "warm.mp4", Format((160, 90), 5, True))
        for kind, take in sorted(kinds.items()):
            seconds = _cpu_seconds(take, Path(folder) / f"{kind}.mp4")
            rates.append(SPEED_SECONDS / seconds)
            print(f"| {kind} | {seconds:.2f} | {rates[-1]:.1f} |")
    print(f"| all, mean | | {len(rates) / sum(1 / rate for rate in rates):.1f} |")


def memory() -> None:
    """A process of its own for each length."""
    print("| seconds of video | peak MB |\n| ---: | ---: |")
    for seconds in LENGTHS_S:
        command = [sys.executable, __file__, "one", str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"| {seconds:g} | {done.stdout.strip()} |", flush=True)


def one(seconds: str) -> None:
    """Makes one video and says what it took at most."""
    take = plan_takes(3, 1, Wishes(load_prior("s3"), float(seconds)))[0]
    with tempfile.TemporaryDirectory() as folder:
        film(take, Path(folder) / "one.mp4", FULL)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


def parallel(*processes: str) -> None:
    """100 videos of 10 s."""
    print(f"{os.cpu_count()} cores\n| processes | wall s | times real time |\n| ---: | ---: | ---: |")
    for workers in map(int, processes or ("1", "2")):
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            synthesize(Path(folder) / "out", videos=100, seed=1, duration_s=10.0, workers=workers)
            wall = time.perf_counter() - begin
        print(f"| {workers} | {wall:.1f} | {1000 / wall:.1f} |", flush=True)


def shortcut(videos: str = "120") -> None:
    """Grouped by patient, five folds; a forest and a logistic regression on what needs no look at the patient."""
    print("| data set | classifier | AUC |\n| --- | --- | ---: |")
    for balanced in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out"
            size = {"resolution": (320, 180), "fps": 5}
            synthesize(out, videos=int(videos), seed=1, balance_nuisance=balanced, **size)
            table = _metadata(out)
        for name, auc in _separability(*table).items():
            print(f"| {'balanced' if balanced else 'as the prior has it'} | {name} | {auc:.2f} |", flush=True)


def _cpu_seconds(take: Take, path: Path) -> float:
    begin = time.process_time()
    film(take, path, FULL)
    return time.process_time() - begin


def _metadata(data: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of the files, whether each is of an epileptic seizure, and whose it is."""
    with (data / "videos.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    features = [_file_features(data / row["file"]) for row in rows]
    return (
        np.array(features),
        np.array([row["diagnosis"] == "ES" for row in rows]),
        np.array([r["patient_id"] for r in rows]),
    )


def _file_features(path: Path) -> list[float]:
    """Mean, spread and colour of the light in nine moments, seconds, bytes, bits per second of video and of sound."""
    size = path.stat().st_size
    with av.open(str(path)) as container:
        seconds = float(container.duration) / av.time_base
        stored = {stream.type: 0 for stream in container.streams}
        for packet in container.demux():
            stored[packet.stream.type] += packet.size
        pictures = []
        for share in np.linspace(0.1, 0.9, 9):
            container.seek(int(share * seconds * av.time_base))
            pictures.append(next(container.decode(video=0)).to_ndarray(format="rgb24").astype(float))
    light = np.stack([[p.mean(), p.std(), p[..., 0].mean() - p[..., 2].mean()] for p in pictures])
    return [*light.mean(axis=0), light[:, 0].std(), seconds, size, *(8 * b / seconds for b in stored.values())]


def _separability(features: np.ndarray, epileptic: np.ndarray, patients: np.ndarray) -> dict[str, float]:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    kinds = {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced")),
        "random forest": RandomForestClassifier(300, min_samples_leaf=3, class_weight="balanced", random_state=0),
    }
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    chances = {
        name: cross_val_predict(kind, features, epileptic, groups=patients, cv=folds, method="predict_proba")[:, 1]
        for name, kind in kinds.items()
    }
    return {name: float(roc_auc_score(epileptic, chance)) for name, chance in chances.items()}


if __name__ == "__main__":
    {"speed": speed, "memory": memory, "parallel": parallel, "shortcut": shortcut, "one": one}[sys.argv[1]](
        *sys.argv[2:]
    )
