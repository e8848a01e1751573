"""What synthetic videos cost, and whether anything but the seizure tells their diagnosis.

``speed``: seconds of video per second of one core. ``memory``: the peak of a process that makes one video, by its
length. ``parallel``: 100 videos of 10 s in ever more processes. ``shortcut``: how well the light, length, bit rate and
size of the files tell ES from NES with ``--balance-nuisance``, or without (``plain``), in small pictures, one a
second, at the bit rate of large ones, and with sound if it is asked for. ``sizes``: whether the small ones have the
light and the bit rate that large ones have.

    python benchmarks/synth.py speed | memory | parallel [PROCESSES …] | shortcut [VIDEOS [plain] [sound]] | sizes
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from math import prod
from pathlib import Path

import av
import numpy as np
from s3harness_synth.dataset import plan_takes, synthesize
from s3harness_synth.prior import load_prior
from s3harness_synth.production import Format, Take, Wishes, film
from scipy.stats import spearmanr

FULL = Format((640, 360), 25, True)
SMALL = Format((160, 90), 1, False)
SPEED_SECONDS, PARALLEL_SECONDS = 20.0, 10.0
SHORTCUT_SEED, RESAMPLES = 3, 1000
FEATURES = ("light", "contrast", "colour", "change of light", "seconds", "bytes", "video bits/s", "audio bits/s")
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
    """Make one video and says what it took at most."""
    take = plan_takes(3, 1, Wishes(load_prior("s3"), float(seconds)))[0]
    with tempfile.TemporaryDirectory() as folder:
        film(take, Path(folder) / "one.mp4", FULL)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


def parallel(*processes: str) -> None:
    """100 videos of 10 s at 640 × 360, 25 frames a second, with sound."""
    print(f"{os.cpu_count()} cores\n| processes | wall s | times real time |\n| ---: | ---: | ---: |")
    for workers in map(int, processes or ("1", "2")):
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            synthesize(Path(folder) / "out", videos=100, seed=1, duration_s=PARALLEL_SECONDS, workers=workers)
            wall = time.perf_counter() - begin
        print(f"| {workers} | {wall:.1f} | {100 * PARALLEL_SECONDS / wall:.1f} |", flush=True)


def shortcut(videos: str = "600", *kinds: str) -> None:
    """Grouped by patient, five folds; a forest and a logistic regression on what needs no look at the patient."""
    kind = "plain" if "plain" in kinds else "balanced"
    takes = plan_takes(int(videos), SHORTCUT_SEED, Wishes(load_prior("s3"), balanced=kind == "balanced"))
    form = replace(SMALL, audio="sound" in kinds)
    with ProcessPoolExecutor(2) as pool:
        features = list(pool.map(_filmed_features, takes, [form] * len(takes), chunksize=4))
    epileptic = np.array([take.script.diagnosis == "ES" for take in takes])
    table = np.array(features), epileptic, np.array([take.patient.id for take in takes])
    print(f"{kind}: {videos} videos of {len(set(table[2]))} patients, {table[1].sum()} of them ES")
    print("| told by | classifier | AUC | 95 % interval |\n| --- | --- | ---: | ---: |")
    known = FEATURES if "sound" in kinds else FEATURES[:-1]
    for told, columns in {"all": known, **{name: (name,) for name in known}}.items():
        chosen = table[0][:, [FEATURES.index(column) for column in columns]]
        for classifier, (auc, low, high) in _separability(chosen, *table[1:]).items():
            print(f"| {told} | {classifier} | {auc:.2f} | {low:.2f}–{high:.2f} |", flush=True)


def sizes() -> None:
    """The same videos, large and small: rank correlation of what ``shortcut`` looks at."""
    takes = plan_takes(24, SHORTCUT_SEED, Wishes(load_prior("s3"), SPEED_SECONDS, balanced=True))
    found = [np.array([_filmed_features(take, replace(form, audio=True)) for take in takes]) for form in (SMALL, FULL)]
    print("| | rank correlation |\n| --- | ---: |")
    for name, small, large in zip(FEATURES, *(table.T for table in found), strict=True):
        told = "the same in all" if np.ptp(small) == np.ptp(large) == 0 else f"{spearmanr(small, large).statistic:.2f}"
        print(f"| {name} | {told} |")


def _cpu_seconds(take: Take, path: Path) -> float:
    begin = time.process_time()
    film(take, path, FULL)
    return time.process_time() - begin


def _filmed_features(take: Take, form: Format) -> list[float]:
    """Of the file that the take becomes at the bit rate that it has at full size."""
    if take.bits_per_pixel is not None:
        shrunk = prod(FULL.resolution) * FULL.fps / (prod(form.resolution) * form.fps)
        take = replace(take, bits_per_pixel=shrunk * take.bits_per_pixel)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.mp4"
        film(take, path, form)
        return _file_features(path)


def _file_features(path: Path) -> list[float]:
    """One number for each of :data:`FEATURES`; the light is that of nine moments."""
    size = path.stat().st_size
    with av.open(str(path)) as container:
        seconds = float(container.duration) / av.time_base
        stored = {"video": 0, "audio": 0}
        for packet in container.demux():
            stored[packet.stream.type] += packet.size
        pictures = []
        for share in np.linspace(0.1, 0.9, 9):
            container.seek(int(share * seconds * av.time_base))
            frame = next(frame for frame in container.decode(video=0) if frame.time >= share * seconds - 1)
            pictures.append(frame.to_ndarray(format="rgb24").astype(float))
    light = np.stack([[p.mean(), p.std(), p[..., 0].mean() - p[..., 2].mean()] for p in pictures])
    return [*light.mean(axis=0), light[:, 0].std(), seconds, size, *(8 * b / seconds for b in stored.values())]


def _separability(
    features: np.ndarray, epileptic: np.ndarray, patients: np.ndarray
) -> dict[str, tuple[float, float, float]]:
    """The AUC of each classifier, with an interval that resamples patients."""
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
    rng = np.random.default_rng(0)
    own = [np.flatnonzero(patients == patient) for patient in np.unique(patients)]
    drawn = [np.concatenate([own[k] for k in rng.integers(len(own), size=len(own))]) for _ in range(RESAMPLES)]
    found = {}
    for name, kind in kinds.items():
        chances = cross_val_predict(kind, features, epileptic, groups=patients, cv=folds, method="predict_proba")[:, 1]
        resampled = [roc_auc_score(epileptic[rows], chances[rows]) for rows in drawn]
        low, high = np.quantile(resampled, (0.025, 0.975))
        found[name] = float(roc_auc_score(epileptic, chances)), float(low), float(high)
    return found


if __name__ == "__main__":
    jobs = {"speed": speed, "memory": memory, "parallel": parallel, "shortcut": shortcut, "sizes": sizes, "one": one}
    jobs[sys.argv[1]](*sys.argv[2:])
