"""A tiny checkout in the layout of the authors' release, with invented names and every oddity the real one has."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from s3harness.specs.features import vocabulary

SIGNS = vocabulary().names
VIDEOS = [f"P000{n}@x@y@{'sz' if n % 2 else 'nes'}_v1_1.mp4" for n in range(1, 7)]
SAMPLE = "P0001@x@y@sz_v1.1_0.mp4"
MODEL = "Model-7B-Instruct"
TURNS = ["left", "right ", "left", "N/A", "left", "N/A"]
ARMS = ["right", "left", "", "N/A", "right", "N/A"]
PARTS = ["head", "amrs", "leg", "N/A", "full body", "head"]


class Checkout:
    """The folder, and a way to write a table of it; ``rows`` are lists of cells."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.own = root / "test_dataset" / "vlm_inference_test" / MODEL

    def write(self, path: str | Path, header: list[str], rows: list[list[object]], encoding: str = "utf-8") -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerows([header, *rows])
        target.write_bytes(text.getvalue().encode(encoding))
        return target

    def predict(self, name: str, header: list[str], rows: list[list[object]], encoding: str = "utf-8") -> Path:
        return self.write(self.own / name, header, rows, encoding)

    def edit(self, path: Path, old: str, new: str) -> None:
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


def make_checkout(root: Path) -> Checkout:
    made = Checkout(root)
    _annotations(made)
    _predictions(made)
    _published(made)
    return made


def has(sign: str, number: int) -> bool:
    """Whether video ``number`` shows a sign: half of the videos each, another half for each sign."""
    return (number + SIGNS.index(sign)) % 2 == 0


def onset(sign: str) -> str:
    return f"{SIGNS.index(sign) // 60}:{SIGNS.index(sign) % 60:02d}"


def _annotations(made: Checkout) -> None:
    truth = "result/ground_truth"
    columns = [c for s in SIGNS for c in (s, f"start_time_for_{s}", f"end_time_for_{s}", f"justification_for_{s}")]
    made.write(f"{truth}/task12_annotation.csv", ["file_name", *columns], [_signs(n) for n in range(7)], "utf-8-sig")
    made.write(
        f"{truth}/task3_spatial_annotation.csv",
        [
            *("file_name", "left_right_head_turning", "start_time_for_head_turning", "end_time_for_head_turning"),
            *("left_right_arm_movement", "arm_movement_start_time", "arm_moverment_end_time", "body_region_onset"),
        ],
        [
            [video, turn, "0:01", "0:05", arm, "0:27", "0:20" if arm == "left" else "0:31", part]
            for video, turn, arm, part in zip(VIDEOS, TURNS, ARMS, PARTS, strict=True)
        ],
    )
    clips = [(video, word) for video in [*VIDEOS, SAMPLE] for word in ("start", "end")]
    clips += [(VIDEOS[0], "tonic"), (VIDEOS[1], "clonic")]
    made.write(
        f"{truth}/Task4_time_annotation.csv",
        ["file_name", "target_time", "feature"],
        [[clip_name(video, word), 12 if word == "tonic" else 30, word] for video, word in clips],
    )
    for name, heard in (("task5_sequence_annotation", True), ("task5_sequence_annotation_vlm", False)):
        rows = [[video, ", ".join(sequence(n, heard=heard))] for n, video in enumerate(VIDEOS)]
        made.write(f"{truth}/{name}.csv", ["file_name", "event_sequence"], rows)
    reports = [[video, "Arms stiffen." if n < 2 else f"Report {n}: the head turns."] for n, video in enumerate(VIDEOS)]
    made.write(f"{truth}/task6_report_annotation.csv", ["file_name", "report"], [*reports, [SAMPLE, "None."]])
    made.write(f"{truth}/task6_report_modified.csv", STRUCTURE, [structure(n) for n in range(6)])
    labels = [[video, "ES" if "@sz" in video else "NES"] for video in VIDEOS]
    made.write(f"{truth}/task7_annotation.csv", ["file_name", "label"], [*labels, [SAMPLE, "Sample"]])
    folds = [[v, label, v[:5], 0 if n < 4 else 1] for n, (v, label) in enumerate(labels)]
    made.write("finetune/datasplit/all_folds.csv", ["file_name", "label", "patient_id", "fold"], folds)


def clip_name(video: str, word: str) -> str:
    return f"{video.removesuffix('.mp4')}_{word}.mp4"


def sequence(number: int, *, heard: bool) -> list[str]:
    later = [sign for sign in SIGNS if sign != "occur_during_sleep" and has(sign, number)]
    return [s for s in later if heard or s not in ("verbal_responsiveness", "ictal_vocalization")]


STRUCTURE = [
    "file_name",
    "structural_completeness",
    "event_sequence",
    "localizing_features",
    "content_analysis",
    "report_length",
]


def structure(number: int, *more: str) -> list[object]:
    """What is extracted of a report that names one sign that the video shows, after ``more`` that it may not."""
    content = {"has_safety_issues": False, "includes_non_seizure": False}
    events = [*more, "tonic" if has("tonic", number) else "clonic"]
    return [VIDEOS[number], '["onset"]', json.dumps(events), '{"head_turning": "left"}', json.dumps(content), 20]


def _signs(number: int) -> list[object]:
    row: list[object] = [[*VIDEOS, SAMPLE][number]]
    for sign in SIGNS:
        yes = has(sign, number)
        word = "Yes" if yes and number == 0 else "yes" if yes else "no"
        if sign == "verbal_responsiveness" and not yes:
            word = ""
        timed = yes and sign != "occur_during_sleep"
        start = onset(sign) if number else f"{onset(sign)}:00"
        row += [word, start if timed else "", _end(sign, number) if timed else "", f"reason {sign} {word}"]
    return row


def _end(sign: str, number: int) -> str:
    """Minutes and seconds, once with hours, and once before the start."""
    if sign == "clonic":
        return "0:01:30"
    return "0:00" if sign == "tonic" and number == 1 else "1:10"


def _predictions(made: Checkout) -> None:
    test = [*VIDEOS[:4], SAMPLE]
    seen = SIGNS[:18]
    columns = [c for s in seen for c in (s, f"justification_for_{s}")]
    windows = [
        [v.replace(".mp4", f"_segment_{w}.mp4"), *(c for s in seen for c in (_said(n, s, w), f"saw {s} {w}"))]
        for n, v in enumerate(test)
        for w in (0, 1)
    ]
    merged = [_merged(n, v, seen) for n, v in enumerate(test)]
    made.predict(f"Task1_{MODEL}_all.csv", ["file_name", *columns], windows)
    made.predict(f"Task12_{MODEL}_all_merged.csv", ["file_name", *columns], merged)
    made.predict(f"Task12_{MODEL}_all_merged_llmmerge.csv", ["file_name", *columns], merged)
    made.predict(f"Task3_HT_{MODEL}.csv", ["video_name", "head_turning_direction"], [[v, "left"] for v in test[:3]])
    made.predict(
        f"Task3_AM_{MODEL}.csv", ["video_name", "arm_movement_direction"], [[test[0], "N/A"], [test[1], "fail"]]
    )
    made.predict(f"Task3_L_{MODEL}.csv", ["file_name", "onset_body_part"], [[v, "head"] for v in test])
    clips = [[clip_name(v, word), word, "00:30"] for v in test for word in ("start", "end")]
    clips += [[clip_name(VIDEOS[0], "tonic"), "tonic", "N/A"], [clip_name(VIDEOS[0], "figure4"), "figure4", "00:01"]]
    made.predict(f"Task4_{MODEL}_all.csv", ["file_name", "feature", "timestamp"], clips)
    made.predict(
        f"Task5_{MODEL}_all.csv",
        ["file_name", "event_sequence"],
        [
            [v.replace(".mp4", f"_segment_{w}.mp4"), text]
            for v in test
            for w, text in enumerate(("tonic, clonic", "clonic, tonic"))
        ],
    )
    made.predict(
        f"Task5_{MODEL}_all_merge.csv", ["file_name", "feature_list"], [[v, "tonic,clonic,tonic"] for v in test]
    )
    made.predict(f"Task6_{MODEL}_all_merged.csv", ["file_name", "report"], [[v, "The arms stiffen."] for v in test])
    made.predict(f"Task6_{MODEL}_all_merged_modified.csv", STRUCTURE, [structure(n) for n in range(4)])
    answers = [[test[0], "ES", "ES"], [test[1], "NES", "fail"], [test[2], "ES", "{'N/A'}"], [SAMPLE, "ES", "ES"]]
    answers.append(["P0099@x@y@sz_v1_1.mp4", "ES", "ES"])
    made.predict(
        f"Task7_{MODEL}_all.csv", ["file_name", "prediction_with_report", "prediction_without_report"], answers
    )


def _said(number: int, sign: str, window: int) -> str:
    """Yes in the second window where the sign is there; video 2 gave no answer on tonic."""
    if sign == "tonic" and number == 2:
        return "fail"
    return "yes" if has(sign, number) and window == 1 else "no"


def _merged(number: int, video: str, seen: tuple[str, ...]) -> list[object]:
    row: list[object] = [video]
    for sign in seen:
        said = [_said(number, sign, window) for window in (0, 1)]
        kept = [w for w in (0, 1) if said[w] == "yes"] or [0, 1]
        kept = [0] if sign == "occur_during_sleep" else kept
        row += ["yes" if "yes" in said else "no", " || ".join(f"saw {sign} {w}" for w in kept)]
    return row


def _published(made: Checkout) -> None:
    """Task 7 by hand: with the report 2 of 2 ES and 1 of 1 NES right; without, 1 of 1 ES."""
    tables = "test_dataset/metrics_test"
    header = [f"{s}_{w}" for w in ("with_report", "without_report") for s in ("precision", "recall", "f1", "accuracy")]
    made.write(
        f"{tables}/Task7_precision_recall_f1_accuracy.csv",
        ["model", *header],
        [["Model-7B", *["1.00"] * 8], ["Elsewhere-9B", *["0.50"] * 8]],
    )
    made.write(f"{tables}/task6_report_rqi.csv", ["model", "RQI"], [[MODEL, RQI]])
    details = [[video, RQI] for video in VIDEOS[:4]]
    made.write(f"{tables}/task6rqi_test/task6_{MODEL}_rqi_test.csv", ["file_name", "seizure_rqi"], details)


RQI = 100.0
"""The released structures equal the expert's."""
