"""Calibrates the kinematics baseline for seizures in recordings of hours, and writes them into ``parameters.json``.

    s3harness data synth --recording 4 --seizures-per-day 30 --videos 14 --seed 301 --resolution 320x180 --fps 10 \\
      --out R
    python benchmarks/kinematics_seizures.py R

Windows are those of ``s3/task8_detection``. Weights are fitted moment by moment, the threshold is the one with the best
event F1 of the same recordings, out of fold by patient. Judge it on recordings of another seed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import s3harness_kinematics as kinematics
from s3harness_kinematics.measure import measure
from s3harness_kinematics.parameters import FARTHEST, FILE, rooted, to_json
from s3harness_kinematics.seizures import BRIDGED_S, SHORTEST_S, moment_numbers
from s3harness_kinematics.series import stretches
from s3harness_kinematics.voice import SILENCE
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from s3harness.dataset.load import load_dataset
from s3harness.media import MediaStore
from s3harness.metrics.detection import EventRules, count_events
from s3harness.samplers import sliding_windows
from s3harness.spans import union
from s3harness.types import Video

WINDOW_S, STRIDE_S, RATE, PIXELS = 120, 110, 0.5, 200_704
FOLDS, STRENGTH = 7, 0.1


@dataclass(frozen=True)
class Window:
    """The moments of one window: times in seconds from the recording's start, numbers (moments × names), truth."""

    video: int
    start_s: float
    times: np.ndarray
    table: np.ndarray
    truth: np.ndarray


def main() -> None:
    """Measure, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path(kinematics.__file__).parent / FILE)
    arguments = parser.parse_args()
    dataset = load_dataset(arguments.data)
    windows: list[Window] = []
    names: list[str] = []
    for number, video in enumerate(dataset.videos):
        of_video, names = _measured(number, video)
        windows += of_video
        print(f"measured {number + 1} of {len(dataset.videos)} recordings", flush=True)
    entry = _fitted(windows, names, dataset.videos)
    content = json.loads(arguments.out.read_text(encoding="utf-8"))
    content["seizures"] = {"calibrated_on": dataset.name, **entry}
    arguments.out.write_text(to_json(content) + "\n", encoding="utf-8")


def _measured(number: int, video: Video) -> tuple[list[Window], list[str]]:
    windows, names = [], list[str]()
    with TemporaryDirectory() as cache:
        store = MediaStore(Path(cache), 16_000_000_000)
        clips = sliding_windows(video, "", window_s=WINDOW_S, stride_s=STRIDE_S, fps=RATE, max_pixels=PIXELS)
        store.prepare(video, clips)
        for clip in clips:
            pixels, timestamps = store.frames(clip)
            times = np.asarray(timestamps, np.float64) - clip.start_s
            numbers = moment_numbers(measure(pixels, times, clip.end_s - clip.start_s, SILENCE))
            names = list(numbers)
            table = np.array([[rooted(float(value)) for value in numbers[name]] for name in names]).T
            seizures = video.seizures or ()
            truth = np.array([any(a <= clip.start_s + t < b for a, b in seizures) for t in times])
            windows.append(Window(number, clip.start_s, times, table, truth))
    return windows, names


def _fitted(windows: Sequence[Window], names: Sequence[str], videos: Sequence[Video]) -> dict[str, object]:
    table = np.concatenate([window.table for window in windows])
    usual, spread = table.mean(0).round(5), (table.std(0) + 1e-6).round(6)
    standard = [np.clip((window.table - usual) / spread, -FARTHEST, FARTHEST) for window in windows]
    of_video = np.array([window.video for window in windows])
    chances: list[np.ndarray] = [np.zeros(0)] * len(windows)
    for train, test in GroupKFold(FOLDS).split(of_video, groups=of_video):
        model = _model(np.concatenate([standard[i] for i in train]), np.concatenate([windows[i].truth for i in train]))
        for i in test:
            chances[i] = model.predict_proba(standard[i])[:, 1]
    cuts = np.linspace(0.05, 0.95, 46)
    scores = [_event_f1(windows, chances, videos, cut) for cut in cuts]
    smooth = np.convolve(np.pad(scores, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    best = int(np.argmax(smooth))
    print(f"event F1 out of fold: {scores[best]:.3f} at {cuts[best]:.2f}")
    model = _model(np.concatenate(standard), np.concatenate([window.truth for window in windows]))
    return {
        "intercept": round(float(model.intercept_[0]), 4),
        "threshold": round(float(cuts[best]), 4),
        "weights": {name: round(float(w), 4) for name, w in zip(names, model.coef_[0], strict=True)},
        "scales": {n: [float(u), float(s)] for n, u, s in zip(names, usual, spread, strict=True)},
    }


def _model(table: np.ndarray, truth: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=STRENGTH, max_iter=2000).fit(table, truth)


def _event_f1(windows: Sequence[Window], chances: Sequence[np.ndarray], videos: Sequence[Video], cut: float) -> float:
    claimed: dict[int, list[tuple[float, float]]] = {n: [] for n in range(len(videos))}
    for window, chance in zip(windows, chances, strict=True):
        spans = stretches(window.times, chance >= cut, BRIDGED_S)
        claimed[window.video] += [(window.start_s + a, window.start_s + b) for a, b in spans if b - a >= SHORTEST_S]
    counts = [
        count_events(video.seizures or (), union(claimed[n]), video.duration_s or 0.0, EventRules())
        for n, video in enumerate(videos)
    ]
    true, hits, false = (sum(getattr(one, name) for one in counts) for name in ("true", "hits", "false"))
    return 2 * hits / max(hits + true + false, 1)


if __name__ == "__main__":
    main()
