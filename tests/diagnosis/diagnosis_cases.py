"""Made-up cases, and data sets of tables alone, without a video file."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from s3harness.diagnosis.cases import Cases
from s3harness.specs.features import vocabulary

SIGNS = vocabulary().names


def cases_of(vectors, truth, patients=None, signs=SIGNS, splits=None) -> Cases:
    """Cases by their vectors and truths; a patient per case if none are said."""
    vectors = np.asarray(vectors, dtype=np.float64)
    patients = np.arange(len(vectors)) if patients is None else np.asarray(patients)
    return Cases(
        signs=tuple(signs[: vectors.shape[1]]),
        videos=tuple(f"v{number:04d}" for number in range(len(vectors))),
        patients=patients.astype(np.int64),
        vectors=vectors,
        truth=np.asarray(truth, dtype=np.float64),
        splits=tuple(splits) if splits else ("",) * len(vectors),
        marks={int(patient): frozenset([f"patient {patient}"]) for patient in patients},
    )


def telling(patients=30, videos=3, signs=6, seed=0, clarity=0.85) -> Cases:
    """ES and NES in turn; the first sign speaks for ES, the second for NES, the others say nothing."""
    draw = np.random.default_rng(seed)
    who = np.repeat(np.arange(patients), videos)
    truth = who % 2 == 0
    vectors = draw.random((len(who), signs)) < 0.5
    vectors[:, 0] = np.where(draw.random(len(who)) < clarity, truth, ~truth)
    vectors[:, 1] = np.where(draw.random(len(who)) < clarity, ~truth, truth)
    return cases_of(vectors, truth, who)


def patient_noise(seed, patients=28, signs=10) -> Cases:
    """Every patient has a look of his own, much the same in all his videos, and a diagnosis that it does not tell."""
    draw = np.random.default_rng(seed)
    look, label = draw.random((patients, signs)) < 0.5, draw.random(patients) < 0.6
    label[:8] = np.arange(8) % 2
    who = np.repeat(np.arange(patients), 1 + draw.geometric(0.3, patients).clip(max=12))
    flicker = draw.random((len(who), signs)) < 0.03
    return cases_of(look[who] ^ flicker, label[who], who)


def with_vectors(cases: Cases, vectors) -> Cases:
    return replace(cases, vectors=np.asarray(vectors, dtype=np.float64))


def write_data(folder: Path, cases: Cases, *, name="made up", patient="p{:04d}", first=0, report="Report {}.") -> Path:
    """A data set directory of tables with the signs and diagnoses of the cases, and no video files."""
    folder.mkdir(parents=True)
    about = {"schema": "s3harness/dataset/v1", "name": name, "version": "1", "licence": "none"}
    (folder / "dataset.json").write_text(json.dumps(about), encoding="utf-8")
    videos, features, reports = [], [], []
    for n, number in enumerate(cases.patients.tolist()):
        video = f"v{first + n:04d}"
        label = {1.0: "ES", 0.0: "NES"}.get(cases.truth[n], "")
        videos.append([video, patient.format(first + number), "", label, cases.splits[n], 30])
        reports.append([video, report.format(f"{first}-{n}")])
        for sign, value in zip(cases.signs, cases.vectors[n], strict=True):
            word = {1.0: "yes", 0.0: "no", -1.0: "untested"}[value]
            features.append(
                [video, sign, word, 5 if word == "yes" else "", 20 if word == "yes" else "", f"Seen {first}-{n}."]
            )
    _write(folder / "videos.csv", ["video_id", "patient_id", "file", "diagnosis", "split", "duration_s"], videos)
    _write(folder / "features.csv", ["video_id", "feature", "present", "start_s", "end_s", "justification"], features)
    _write(folder / "reports.csv", ["video_id", "report"], reports)
    return folder


def write_answers(path: Path, cases: Cases, says=None) -> Path:
    """What a model might have said, as a table of recorded answers: the signs of the cases, and to Task 7 ``says``."""
    words = {1.0: "yes", 0.0: "no", -1.0: "na"}
    rows = [
        [f"s3/task1_features/{video}/{sign}", json.dumps({"answer": words[value], "justification": "Seen."})]
        for video, vector in zip(cases.videos, cases.vectors, strict=True)
        for sign, value in zip(cases.signs, vector, strict=True)
        if value in words
    ]
    for video, truth in zip(cases.videos, cases.truth, strict=True):
        for subject in ("video", "video_and_report"):
            said = says or ("ES" if truth else "NES")
            rows.append([f"s3/task7_diagnosis/{video}/{subject}", said])
    _write(path, ["item", "text"], rows)
    return path


def run_words(data, answers, out, tasks="1,7", *more):
    """The words of a run that gets its answers from a table; it needs no video file."""
    words = ["run", "--backend", "recorded", "-o", f"path={answers}", "--data", data, "--out", out, "--tasks", tasks]
    return [*words, *more]


def _write(path: Path, header, rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
