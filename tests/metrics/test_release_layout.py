"""Reading a checkout of the release: a small made-up one, with every oddity the real one or its copies may have."""

from __future__ import annotations

import pytest

from s3harness.errors import DatasetError
from s3harness.paper.layout import (
    clock_seconds,
    missing_predictions,
    model_key,
    models,
    open_release,
    patient_of,
    read_diagnoses,
    read_features,
    read_predictions,
    read_release_table,
    video_of_window,
)
from s3harness.paper.metrics.published import published_tables
from s3harness.paper.metrics.released import diagnosis_pairs, feature_pairs

VIDEOS = [f"P000{n}@x@y@tag_{n}.mp4" for n in range(4)]


@pytest.fixture
def checkout(tmp_path):
    def write(path, text, encoding="utf-8"):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode(encoding))

    header = "file_name,tonic,justification_for_tonic,start_time_for_tonic,end_time_for_tonic"
    labels = ["yes,stiff,01:10:00,1:30", "No,calm,,", ",nobody looked,,", "YES,stiff again,0:05,"]
    rows = "".join(f"{video},{label}\r\n" for video, label in zip(VIDEOS, labels, strict=True))
    write("result/ground_truth/task12_annotation.csv", f"{header}\r\n{rows}", "utf-8-sig")
    diagnoses = "".join(
        f"{video},{label}\n" for video, label in zip(VIDEOS, ("ES", "NES", "Sample", "ES"), strict=True)
    )
    write("result/ground_truth/task7_annotation.csv", f"file_name,label\n{diagnoses}")
    answers = "".join(
        f"{video},{word},{word}\n" for video, word in zip(VIDEOS, ("ES", "fail", "ES", "NES"), strict=True)
    )
    own = "test_dataset/vlm_inference_test/Model-1.5-Instruct"
    table = f"video_name,prediction_with_report,prediction_without_report\n{answers}{VIDEOS[0]},NES,NES\n,ES,ES\n"
    write(f"{own}/Task7_Model-1.5-Instruct_all.csv", f"{table}P0009@other.mp4,ES,ES\nP0008@x,café\n", "latin-1")
    write(f"{own}/Task12_Model-1.5-Instruct_all_merged.csv", f"file_name,tonic\n{VIDEOS[0]},Yes\n{VIDEOS[1]},yes\n")
    columns = ",".join(f"{statistic}_with_report" for statistic in ("precision", "recall", "f1", "accuracy"))
    published = f"model,{columns}\nmodel-1_5,1.0,0.50,0.67,0.50\n"
    write("test_dataset/metrics_test/Task7_precision_recall_f1_accuracy.csv", published)
    return open_release(tmp_path)


def test_a_folder_that_is_no_checkout_is_named(tmp_path):
    with pytest.raises(DatasetError, match="result/ground_truth"):
        open_release(tmp_path / "nowhere")


def test_labels_and_times_are_read_for_what_they_are(checkout):
    labels = {video: features["tonic"] for video, features in read_features(checkout).items()}
    assert [labels[video].present for video in VIDEOS] == ["yes", "no", "untested", "yes"]
    assert (labels[VIDEOS[0]].start_s, labels[VIDEOS[0]].end_s) == (70.0, 90.0)
    assert (labels[VIDEOS[3]].start_s, labels[VIDEOS[3]].end_s) == (5.0, None)
    assert labels[VIDEOS[2]].justification == "nobody looked"
    assert read_diagnoses(checkout)[VIDEOS[2]] == "Sample"


def test_what_is_odd_about_a_table_is_noted_and_nothing_is_joined_silently(checkout):
    table = read_predictions(checkout, "Model-1.5-Instruct", "diagnosis")
    assert table.column("prediction_with_report")[VIDEOS[0]] == "ES"
    notes = [str(problem) for problem in table.problems]
    assert any("Latin-1" in note for note in notes)
    assert any(":6:" in note and "earlier row" in note for note in notes)
    assert any(":7:" in note and "without a name" in note for note in notes)
    assert any(":9:" in note and "2 cells under 3 columns" in note for note in notes)
    assert len(notes) == 4


def test_a_missing_column_file_or_key_is_named(checkout):
    table = read_predictions(checkout, "Model-1.5-Instruct", "features")
    with pytest.raises(DatasetError, match=r"no column 'clonic'; it has file_name, tonic"):
        table.column("clonic")
    with pytest.raises(DatasetError, match=r"task5_sequence_annotation.csv cannot be read"):
        read_release_table(checkout.truth / "task5_sequence_annotation.csv")
    with pytest.raises(DatasetError, match=r"no column patient; it has file_name, label"):
        read_release_table(checkout.truth / "task7_annotation.csv", keys=("patient",))
    assert read_predictions(checkout, "Model-1.5-Instruct", "report") is None
    assert missing_predictions(checkout, "Model-1.5-Instruct")[:2] == ("rationales", "head_turning")


def test_pairs_join_on_names_drop_the_rest_and_hide_the_names(checkout):
    pairs = [p for p in diagnosis_pairs(checkout, "Model-1.5-Instruct") if p.reference.subject == "video_and_report"]
    assert [(p.reference.truth, p.prediction.value) for p in pairs] == [
        ("ES", "ES"),
        ("NES", None),
        ("Sample", "ES"),
        ("ES", "NES"),
    ]
    assert [p.reference.cluster for p in pairs] == [0, 1, 2, 3]
    assert not any("@" in str(p) for p in pairs)
    assert [p.prediction.value for p in feature_pairs(checkout, "Model-1.5-Instruct")] == ["yes", "yes"]


def test_published_tables_are_found_under_another_spelling_of_the_model(checkout):
    assert models(checkout) == ("Model-1.5-Instruct",)
    tables = published_tables(checkout, "Model-1.5-Instruct")
    cells = {cell.column: cell for table in tables for cell in table}
    assert set(cells) == {f"{s}_with_report" for s in ("precision", "recall", "f1", "accuracy")}
    assert all(cell.matches for cell in cells.values())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Qwen2.5-VL-32B-Instruct", "Qwen2_5-VL-32B"),
        ("Qwen3-Omni-30B-A3B-Instruct", "Qwen3-Omni-30B"),
        ("InternVL3_5-38B", "InterVL3.5-38B"),
        ("seizure_omni_3", "Seizure-Omni 3"),
        ("audio-flamingo-3", "AF3"),
    ],
)
def test_spellings_of_a_model(one, other):
    assert model_key(one) == model_key(other)
    assert model_key(one) != model_key(one.replace("3", "7"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("01:10:00", 70.0), ("1:10:00", 70.0), ("0:05", 5.0), ("12:34", 754.0), ("", None), ("N/A", None), ("70", None)],
)
def test_annotated_times(text, seconds):
    assert clock_seconds(text) == seconds


def test_names():
    assert video_of_window("P0001@x@y@tag_1_segment_12.mp4") == "P0001@x@y@tag_1.mp4"
    assert video_of_window("P0001@x@y@tag_1.mp4") == "P0001@x@y@tag_1.mp4"
    assert patient_of(VIDEOS[2]) == "P0002"
