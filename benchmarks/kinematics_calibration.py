"""Calibrates the kinematics baseline: fits its weights to synthetic videos and writes ``parameters.json``.

    python benchmarks/kinematics_calibration.py                  # renders, measures, fits: about an hour of one core
    python benchmarks/kinematics_calibration.py --data DIR       # on a data set that is there already

The videos are the training split of ``s3harness data synth`` with :data:`SEED`, at half the frame rate (12) to save
rendering; nothing of the test split is looked at. Measurements are kept beside the data (``measured-*.pickle``), so
that a second fit takes a minute; ``--again`` measures anew. The same data give the same file.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import s3harness_kinematics as kinematics
from s3harness_kinematics.changes import change_features
from s3harness_kinematics.diagnosis import is_usable
from s3harness_kinematics.measure import Measurements, measure
from s3harness_kinematics.onset import FARTHEST, median, probabilities
from s3harness_kinematics.parameters import FARTHEST as FARTHEST_NUMBER
from s3harness_kinematics.parameters import FILE, SCHEMA, rooted, to_json
from s3harness_kinematics.side import signed_numbers
from s3harness_kinematics.summary import summarise
from s3harness_kinematics.voice import RATE, measure_voice
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss
from sklearn.model_selection import GroupKFold

from s3harness.dataset.load import load_dataset
from s3harness.dataset.references import truths
from s3harness.media import MediaStore
from s3harness.samplers import event_clip, onset_window, sliding_windows, uniform_frames
from s3harness.specs.features import vocabulary
from s3harness.types import Clip, Video

SEED, VIDEOS, FPS = 101, 150, 12
RATES = (1.0, 2.0, 4.0, 10.0)
"""Frames a second that detectors are calibrated for: those of the paper's ablation."""

TASK_RATE = 2.0
WINDOWS_S = (10.0, 30.0, 60.0)
"""Windows seen in training at :data:`TASK_RATE`, at the other rates the middle one alone; to save time every second one
of those that no task shows."""

FOLDS = 8
STRENGTHS = (0.03, 0.1, 0.3, 1.0)
"""Inverse strengths of the L1 penalty that cross-validation by patient chooses among."""

LEAST_S = 2.0
"""A clip shows a sign if it holds so many seconds of it, or half of it; with less than that it is no example."""

SHARED_PENALTY, OWN_PENALTY, BLUR_S = 30.0, 20.0, 1.0
"""Of the moments: what all onsets share is penalised as one more subject; the truth is blurred by a second."""

OFFSET = "seizure_offset"
"""The one end among the beginnings: it shares nothing with them, and is the last of the subjects."""

CACHE_BYTES = 16_000_000_000
"""Room for the frames of one video of ten minutes at all the rates; they go when it is measured."""

NEGLIGIBLE = 0.004
NEVER = -6.0
"""The score of a sign that no example shows."""


@dataclass(frozen=True)
class Example:
    """A clip that was measured, why, and of which patient."""

    kind: str
    subject: str
    truth: Any
    video: str
    patient: str
    clip: Clip
    measured: Measurements


def main() -> None:
    """Render, measure, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a synthetic data set; made in --work if absent")
    parser.add_argument("--work", type=Path, default=Path("kinematics-calibration"))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="measure anew")
    parser.add_argument("--out", type=Path, default=Path(kinematics.__file__).parent / FILE)
    said = parser.parse_args()
    directory = said.data or _rendered(said.work / f"seed-{SEED}", said.workers)
    dataset = load_dataset(directory)
    videos = [video for video in dataset.videos if video.split == "train"]
    said.work.mkdir(parents=True, exist_ok=True)
    examples = _measured(videos, said.work, said.workers, said.again)
    fitted = fit(examples, {video.id: video for video in videos})
    about = {"data": dataset.name, "split": "train", "videos": len(videos)}
    # Seizures are calibrated on recordings of hours, by kinematics_seizures.py.
    seizures = json.loads(said.out.read_text(encoding="utf-8"))["seizures"]
    text = to_json({"schema": SCHEMA, "calibrated_on": about, **fitted, "seizures": seizures})
    said.out.write_text(text + "\n", encoding="utf-8")
    print(f"{said.out}: {len(text) / 1000:.0f} kB")


def fit(examples: Sequence[Example], videos: dict[str, Video]) -> dict[str, Any]:
    """All the parameters."""
    return {
        "presence": {f"{rate:g}": _fit_presence(examples, videos, rate) for rate in RATES},
        "moments": _fit_moments([e for e in examples if e.kind == "moment"]),
        "sides": _fit_sides(examples, videos),
        "diagnosis": _fit_diagnosis([e for e in examples if e.kind == "whole"]),
    }


def _rendered(directory: Path, workers: int) -> Path:
    from s3harness_synth.dataset import synthesize

    if not (directory / "dataset.json").exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        synthesize(directory, videos=VIDEOS, seed=SEED, fps=FPS, workers=workers)
    return directory


def _measured(videos: Sequence[Video], work: Path, workers: int, again: bool) -> list[Example]:
    """The examples of all videos, each video's kept in a file of its own."""
    jobs = [(video, work, again) for video in videos]
    with get_context("spawn").Pool(workers) as pool:
        found: list[Example] = []
        for number, path in enumerate(pool.imap(_measure_video, jobs), start=1):
            found += pickle.loads(path.read_bytes())
            if number % 10 == 0:
                print(f"measured {number} of {len(jobs)} videos", flush=True)
    return found


def _measure_video(job: tuple[Video, Path, bool]) -> Path:
    video, work, again = job
    path = work / f"measured-{video.id}.pickle"
    if again or not path.exists():
        wanted = list(_wanted(video))
        seen: dict[Any, Measurements] = {}
        with TemporaryDirectory(dir=work) as cache:
            store = MediaStore(Path(cache), CACHE_BYTES)
            store.prepare(video, [clip for *_, clip in wanted])
            examples = [
                Example(kind, subject, truth, video.id, video.patient, clip, _measure(store, clip, seen))
                for kind, subject, truth, clip in wanted
            ]
        path.write_bytes(pickle.dumps(examples))
    return path


def _wanted(video: Video) -> Iterator[tuple[str, str, Any, Clip]]:
    """Kind, subject and truth of every clip that is measured: as the tasks show them, windows at every rate."""
    both = ("video", "audio")
    for rate in RATES:
        for window in WINDOWS_S if rate == TASK_RATE else (WINDOWS_S[1],):
            stride = window * 25 // 30
            clips = sliding_windows(video, "", window_s=window, stride_s=stride, fps=rate, audio=True)
            is_asked = rate <= TASK_RATE and window == WINDOWS_S[1]
            yield from (("window", f"{rate:g}", None, clip) for clip in clips[:: 1 if is_asked else 2])
    for subject, truth in truths(video, "boundary", both):
        yield from (("moment", subject, truth, clip) for clip in onset_window(video, subject, fps=1, audio=True))
    for subject, truth in truths(video, "laterality", both):
        if subject != "onset_body_part":
            yield from (("side", subject, truth, c) for c in event_clip(video, subject, margin_s=2, fps=2, audio=True))
    yield from (("whole", "", video.diagnosis, clip) for clip in uniform_frames(video, "", frames=60, audio=True))


def _measure(store: MediaStore, clip: Clip, seen: dict[Any, Measurements]) -> Measurements:
    key = (clip.start_s, clip.end_s, clip.timestamps)
    if key not in seen:
        pixels, timestamps = store.frames(clip)
        times = np.asarray(timestamps, np.float64) - clip.start_s
        voice = measure_voice(store.audio(clip, RATE))
        seen[key] = measure(pixels, times, clip.end_s - clip.start_s, voice)
    return seen[key]


def _fit_presence(examples: Sequence[Example], videos: dict[str, Video], rate: float) -> dict[str, Any]:
    windows = [e for e in examples if e.kind == "window" and e.subject == f"{rate:g}"]
    names, table, scales = _table([summarise(e.measured) for e in windows])
    of_task = np.array([round(e.clip.end_s - e.clip.start_s) <= WINDOWS_S[1] for e in windows])
    of_task &= _on_grid(windows)
    patients = np.array([e.patient for e in windows])
    signs = {}
    for sign in vocabulary().names:
        labels = [_shows(videos[e.video], sign, e.clip) for e in windows]
        known = np.array([label is not None for label in labels])
        truth = np.array([bool(label) for label in labels])
        chances, entry = _logistic(table, truth, known, patients, names)
        entry["threshold"] = _threshold(sign, windows, chances, of_task, videos)
        signs[sign] = entry
    print(f"presence at {rate:g} frames a second: {len(windows)} windows", flush=True)
    used = {name for entry in signs.values() for name in entry["weights"]}
    return {"scales": {n: s for n, s in scales.items() if n in used}, "signs": signs}


def _on_grid(windows: Sequence[Example]) -> np.ndarray:
    """Which windows are those that the tasks show: 30 s every 25 s."""
    return np.array([abs(e.clip.start_s - e.clip.index * 25.0) < 0.01 for e in windows])


def _shows(video: Video, sign: str, clip: Clip) -> bool | None:
    """Whether a clip shows a sign; ``None`` where that is not known, or too little of it is there to be an example."""
    label = video.features[sign]
    if label.present == "untested" or (sign == "occur_during_sleep" and clip.index):
        return None
    if label.present == "no" or label.start_s is None or label.end_s is None:
        return label.present == "yes"
    shown = min(label.end_s, clip.end_s) - max(label.start_s, clip.start_s)
    if shown <= 0:
        return False
    return True if shown >= min(LEAST_S, 0.5 * (label.end_s - label.start_s)) else None


def _threshold(
    sign: str, windows: Sequence[Example], chances: np.ndarray, of_task: np.ndarray, videos: dict[str, Video]
) -> float:
    """The probability that gives the best F1 of whole videos, which show a sign if any window does, out of fold."""
    highest: dict[str, float] = {}
    for example, chance, counts in zip(windows, chances, of_task, strict=True):
        if counts and not (sign == "occur_during_sleep" and example.clip.index):
            highest[example.video] = max(highest.get(example.video, 0.0), float(chance))
    asked = [v for v in highest if videos[v].features[sign].present != "untested"]
    truth = np.array([videos[v].features[sign].present == "yes" for v in asked])
    found = np.array([highest[v] for v in asked])
    if len(set(truth.tolist())) < 2:
        return 0.5
    cuts = np.unique(np.quantile(found, np.linspace(0.02, 0.98, 97)))
    scores = np.array([f1_score(truth, found >= cut, zero_division=0) for cut in cuts])
    smooth = np.convolve(np.pad(scores, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    return round(float(cuts[int(smooth.argmax())]), 4)


def _fit_diagnosis(wholes: Sequence[Example]) -> dict[str, Any]:
    numbers = [{name: n for name, n in summarise(e.measured).items() if is_usable(name)} for e in wholes]
    names, table, scales = _table(numbers)
    truth = np.array([e.truth == "NES" for e in wholes])
    patients = np.array([e.patient for e in wholes])
    chances, entry = _logistic(table, truth, np.ones(len(truth), bool), patients, names)
    cuts = np.unique(chances)
    balanced = [np.mean([np.mean(chances[truth] >= c), np.mean(chances[~truth] < c)]) for c in cuts]
    smooth = np.convolve(np.pad(balanced, 3, mode="edge"), np.ones(7) / 7, mode="valid")
    entry["threshold"] = round(float(cuts[int(np.argmax(smooth))]), 4)
    return entry | {"scales": {name: scale for name, scale in scales.items() if name in entry["weights"]}}


def _fit_sides(examples: Sequence[Example], videos: dict[str, Video]) -> dict[str, Any]:
    """Left against right for each sign that has sides: from its own clips, or from the windows that show it."""
    rows: dict[str, list[tuple[dict[str, float], bool]]] = {}
    for example in examples:
        if example.kind == "side":
            rows.setdefault(example.subject, []).append((signed_numbers(example.measured), example.truth == "left"))
        elif example.kind == "window" and example.subject == f"{TASK_RATE:g}":
            for sign, label in videos[example.video].features.items():
                is_sided = label.side in ("left", "right") and sign not in ("head_turning", "arm_movement")
                if is_sided and _shows(videos[example.video], sign, example.clip):
                    rows.setdefault(sign, []).append((signed_numbers(example.measured), label.side == "left"))
    return {sign: _side(of_sign) for sign, of_sign in rows.items() if len(of_sign) >= 12}


def _side(rows: Sequence[tuple[dict[str, float], bool]]) -> dict[str, Any]:
    """A logistic regression without intercept on each clip and its mirror image."""
    names = sorted(rows[0][0])
    table = np.array([[numbers[name] for name in names] for numbers, _ in rows])
    spreads = np.sqrt((table**2).mean(0)) + 1e-6
    mirrored = np.concatenate([table, -table]) / spreads
    left = np.array([is_left for _, is_left in rows])
    model = LogisticRegression(C=0.03, fit_intercept=False, max_iter=1000).fit(mirrored, np.concatenate([left, ~left]))
    weights = dict(zip(names, model.coef_[0], strict=True))
    return {
        "weights": {name: round(float(w), 4) for name, w in weights.items()},
        "spreads": {name: round(float(s), 6) for name, s in zip(names, spreads, strict=True)},
    }


def _table(rows: Sequence[dict[str, float]]) -> tuple[list[str], np.ndarray, dict[str, list[float]]]:
    """Names, standardised numbers (rows × names) and scales, as :func:`~.parameters.standardised` makes them."""
    names = sorted(rows[0])
    table = np.array([[rooted(row[name]) for name in names] for row in rows])
    usual, spread = table.mean(0).round(5), (table.std(0) + 1e-6).round(6)
    standard = np.clip((table - usual) / spread, -FARTHEST_NUMBER, FARTHEST_NUMBER)
    return names, standard, {n: [float(u), float(s)] for n, u, s in zip(names, usual, spread, strict=True)}


def _logistic(
    table: np.ndarray, truth: np.ndarray, known: np.ndarray, patients: np.ndarray, names: Sequence[str]
) -> tuple[np.ndarray, dict[str, Any]]:
    """Out-of-fold probabilities with the best penalty, and the weights fitted with it to all that is known."""
    if len(set(truth[known].tolist())) < 2:
        return truth.astype(np.float64), {"intercept": NEVER if not truth.any() else -NEVER, "weights": {}}
    _, groups = np.unique(patients, return_inverse=True)
    best: tuple[float, float, np.ndarray] | None = None
    for strength in STRENGTHS:
        chances = np.full(len(truth), float(truth[known].mean()))
        for train, test in GroupKFold(min(FOLDS, len(set(groups)))).split(table, truth, groups):
            seen = train[known[train]]
            if len(set(truth[seen].tolist())) == 2:
                chances[test] = _model(strength).fit(table[seen], truth[seen]).predict_proba(table[test])[:, 1]
        loss = log_loss(truth[known], chances[known], labels=[False, True])
        if best is None or loss < best[0]:
            best = loss, strength, chances
    assert best is not None
    model = _model(best[1]).fit(table[known], truth[known])
    weights = {n: round(float(w), 4) for n, w in zip(names, model.coef_[0], strict=True) if abs(w) > NEGLIGIBLE}
    return best[2], {"intercept": round(float(model.intercept_[0]), 4), "weights": weights}


def _model(strength: float) -> LogisticRegression:
    return LogisticRegression(
        l1_ratio=1.0, solver="liblinear", C=strength, intercept_scaling=10.0, max_iter=300, random_state=0
    )


def _fit_moments(examples: Sequence[Example]) -> dict[str, Any]:
    """Conditional logits over the moments of each window; the subjects' weights are drawn towards what they share."""
    found = [change_features(e.measured) for e in examples]
    names = found[0][2]
    stacked = np.concatenate([features for _, features, _ in found])
    usual, spread = stacked.mean(0).round(4), (stacked.std(0) + 1e-4).round(4)
    subjects = sorted({e.subject for e in examples})
    subjects.remove(OFFSET)
    subjects.append(OFFSET)
    numbers = np.array([subjects.index(e.subject) for e in examples])
    cases = [
        (np.clip((features - usual) / spread, -FARTHEST, FARTHEST), _blurred(edges, e.truth - e.clip.start_s))
        for e, (edges, features, _) in zip(examples, found, strict=True)
    ]
    _report_moments(examples, found, cases, numbers, len(subjects))
    weights = _descend(_loss(cases, numbers, len(subjects)), (len(subjects) + 1, len(names)))
    return {
        "scales": {n: [float(u), float(s)] for n, u, s in zip(names, usual, spread, strict=True)},
        "subjects": {
            subject: {n: round(float(w), 3) for n, w in zip(names, weights[0] * (subject != OFFSET) + own, strict=True)}
            for subject, own in zip(subjects, weights[1:], strict=True)
        },
    }


def _report_moments(examples: Any, found: Any, cases: Any, numbers: np.ndarray, count: int) -> None:
    """Print the error on patients that were held out."""
    _, groups = np.unique([e.patient for e in examples], return_inverse=True)
    train, test = next(iter(GroupKFold(5).split(numbers, groups=groups)))
    shape = (count + 1, cases[0][0].shape[1])
    weights = _descend(_loss([cases[i] for i in train], numbers[train], count), shape)
    shares = numbers != count - 1
    errors = [
        abs(
            median(found[i][0], probabilities(cases[i][0] @ (weights[0] * shares[i] + weights[1 + numbers[i]])))
            - (examples[i].truth - examples[i].clip.start_s)
        )
        for i in test
    ]
    print(f"moments: {np.mean(errors):.2f} s off in {len(test)} windows held out", flush=True)


def _blurred(edges: np.ndarray, truth_s: float) -> np.ndarray:
    """The truth as chances of the moments between the edges."""
    middle = (edges[1:] + edges[:-1]) / 2
    chances = np.exp(-0.5 * ((middle - truth_s) / BLUR_S) ** 2) + 1e-12
    return np.asarray(chances / chances.sum())


def _loss(
    cases: Sequence[tuple[np.ndarray, np.ndarray]], numbers: np.ndarray, count: int
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    longest, width = max(len(chances) for _, chances in cases), cases[0][0].shape[1]
    features = np.zeros((len(cases), longest, width), np.float32)
    truth, is_there = np.zeros((len(cases), longest)), np.zeros((len(cases), longest), bool)
    for row, (of_case, chances) in enumerate(cases):
        features[row, : len(of_case)], truth[row, : len(of_case)] = of_case, chances
        is_there[row, : len(of_case)] = True

    shares = (numbers != count - 1)[:, None]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(count + 1, width)
        scores = np.einsum("ntk,nk->nt", features, (weights[0] * shares + weights[1 + numbers]).astype(np.float32))
        scores = np.where(is_there, scores, -1e9).astype(np.float64)
        scores -= scores.max(1, keepdims=True)
        total = np.exp(scores).sum(1, keepdims=True)
        off = np.exp(scores) / total - truth
        gradient = np.einsum("nt,ntk->nk", off.astype(np.float32), features).astype(np.float64)
        by_subject = np.zeros_like(weights)
        by_subject[0] = (gradient * shares).sum(0)
        np.add.at(by_subject, 1 + numbers, gradient)
        penalty = np.full((count + 1, 1), OWN_PENALTY)
        penalty[0] = SHARED_PENALTY
        fit = -(truth * np.where(is_there, scores - np.log(total), 0.0)).sum()
        return float(fit + 0.5 * (penalty * weights**2).sum()), (by_subject + penalty * weights).ravel()

    return loss


def _descend(loss: Callable[[np.ndarray], tuple[float, np.ndarray]], shape: tuple[int, int]) -> np.ndarray:
    start = np.zeros(shape[0] * shape[1])
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x.reshape(shape))


if __name__ == "__main__":
    main()
