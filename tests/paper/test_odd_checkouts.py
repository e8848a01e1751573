"""Other people's checkouts: whatever is odd about a model's files is named and counted, and takes nothing else down."""

from __future__ import annotations

import csv
import io
import shutil

import pytest
from click.testing import CliRunner
from release_checkout import MODEL, STRUCTURE, VIDEOS, structure

from s3harness.cli import cli
from s3harness.errors import S3HarnessError
from s3harness.paper.annotations import read_annotations
from s3harness.paper.layout import models, open_release

FILES = {
    "features": f"Task12_{MODEL}_all_merged.csv",
    "report": f"Task6_{MODEL}_all_merged.csv",
    "diagnosis": f"Task7_{MODEL}_all.csv",
}


def said(checkout, *options):
    """What the command prints, in the paper profile and in the strict one."""
    profiles = (["--profile", "paper"], ["--resamples", "10"])
    results = [CliRunner().invoke(cli, ["score-release", str(checkout.root), *p, *options]) for p in profiles]
    for result in results:
        assert result.exception is None or isinstance(result.exception, SystemExit | S3HarnessError), result.exception
    return [f"{r.output}{r.exception if isinstance(r.exception, S3HarnessError) else ''}".rstrip() for r in results]


def rewrite(path, change, encoding="utf-8", newline="\r\n"):
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    text = io.StringIO()
    csv.writer(text, lineterminator=newline).writerows(change(rows))
    path.write_bytes(text.getvalue().encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_marks_and_line_ends_change_nothing(checkout, encoding, newline):
    wanted = said(checkout)
    for path in checkout.own.iterdir():
        rewrite(path, lambda rows: rows, encoding, newline)
    assert said(checkout) == wanted


def test_further_columns_and_empty_lines_change_no_number(checkout):
    wanted = said(checkout)[0].splitlines()[-1]
    for path in checkout.own.iterdir():
        rewrite(path, lambda rows: [*([*row, "x"] for row in rows), []])
    assert said(checkout)[0].splitlines()[-1] == wanted


def test_another_encoding_is_named(checkout):
    for path in checkout.own.iterdir():
        rewrite(path, lambda rows: [[*rows[0], "note"], *([*row, "é"] for row in rows[1:])], "latin-1")
    for output in said(checkout):
        assert f"{FILES['report']}: not UTF-8; read as Latin-1" in output


@pytest.mark.parametrize("kind", FILES)
def test_rows_given_twice_and_torn_rows_are_counted_and_left_out(checkout, kind):
    path = checkout.own / FILES[kind]
    before = said(checkout)[0].splitlines()[-1]
    rewrite(path, lambda rows: [*rows, rows[1], ["torn"]])
    output = said(checkout)[0]
    assert f"{FILES[kind]}:" in output and "the name of an earlier row again; left out" in output
    assert "1 cells under" in output
    assert output.splitlines()[-1] == before


def test_predictions_for_unknown_videos_are_counted_in_both_profiles(checkout):
    stranger = "Z9999@x@y@sz_v1_1.mp4"
    rewrite(checkout.own / FILES["report"], lambda rows: [*rows, [stranger, "The head turns."]])
    paper, strict = said(checkout)
    assert f"{FILES['report']}: 1 row is of an unknown video" in paper
    assert f"{FILES['report']}: 1 prediction of no known video, not scored (row " in strict
    assert stranger not in paper + strict


def test_a_model_that_lacks_windows_is_partial_and_the_lack_counted(checkout):
    path = checkout.own / f"Task1_{MODEL}_all.csv"
    rewrite(path, lambda rows: [row for row in rows if row[0] != VIDEOS[0].replace(".mp4", "_segment_0.mp4")])
    assert "17 partial" in said(checkout, "--tasks", "1")[1]


def test_a_file_that_is_empty_or_no_table_is_named_and_the_rest_is_scored(checkout):
    (checkout.own / FILES["features"]).write_bytes(b"")
    (checkout.own / f"Task3_HT_{MODEL}.csv").write_bytes(bytes(range(256)) * 9)
    rewrite(checkout.own / FILES["report"], lambda rows: rows[:1])
    paper, strict = said(checkout)
    assert f"{FILES['features']}: no column file_name or video_name; it has no header" in paper
    assert f"{FILES['report']}: no rows under its header" in paper
    assert "could not be read" in paper.splitlines()[-1]
    assert f"Task3_HT_{MODEL}.csv: no column" in strict
    assert "6 report: 4 missing" in strict


def test_utf_16_is_read_and_named(checkout):
    wanted = said(checkout)[0].splitlines()[-1]
    rewrite(checkout.own / FILES["diagnosis"], lambda rows: rows, "utf-16")
    for output in said(checkout):
        assert f"{FILES['diagnosis']}: not UTF-8; read as UTF-16" in output
    assert said(checkout)[0].splitlines()[-1] == wanted


def test_of_two_columns_of_one_name_the_first_counts(checkout):
    wanted = said(checkout)[0].splitlines()[-1]
    rewrite(
        checkout.own / FILES["diagnosis"],
        lambda rows: [[*row, row[1] if n == 0 else "NES"] for n, row in enumerate(rows)],
    )
    for output in said(checkout):
        assert f"{FILES['diagnosis']}:1: prediction_with_report: there are two columns of this name" in output
    assert said(checkout)[0].splitlines()[-1] == wanted


def test_a_row_with_more_cells_than_columns_is_left_out_and_lines_with_one_fault_are_one_note(checkout):
    rewrite(checkout.own / FILES["diagnosis"], lambda rows: [rows[0], *([*row, "too much"] for row in rows[1:])])
    for output in said(checkout, "--tasks", "7"):
        note = f"{FILES['diagnosis']}: 4 cells under 3 columns; left out (5 times, in lines 2, 3, 4, 5, 6)"
        assert output.count(note) == 1


def test_two_folders_of_one_model_are_both_scored(checkout):
    shutil.copytree(checkout.own, checkout.own.with_name(MODEL.lower()))
    for options in ([], ["--models", MODEL]):
        paper, strict = said(checkout, *options)
        assert f"[1] {MODEL}" in paper and f"[2] {MODEL.lower()}" in paper
        assert strict.count("missing: ") == 0 and f"\n{MODEL.lower()}\n" in strict


def test_what_lies_in_a_model_s_folder_unread_is_named(checkout):
    (checkout.own / "older").mkdir()
    (checkout.own / FILES["diagnosis"]).rename(checkout.own / "Task7_answers.csv")
    for output in said(checkout):
        assert "in its folder, not read: Task7_answers.csv, older/" in output


def test_a_model_without_a_published_row_is_named_and_nothing_compared_is_a_failure(checkout):
    table = checkout.root / "test_dataset" / "metrics_test" / "Task7_precision_recall_f1_accuracy.csv"
    rewrite(table, lambda rows: [rows[0], rows[2]])
    options = ["score-release", str(checkout.root), "--profile", "paper"]
    assert CliRunner().invoke(cli, options).exit_code == 0
    alone = CliRunner().invoke(cli, [*options, "--tasks", "7"])
    assert f"the published tables have no row of it: {table.name}" in alone.output
    assert alone.exit_code == 1


def test_a_published_cell_without_a_number_is_not_compared(checkout):
    table = checkout.root / "test_dataset" / "metrics_test" / "Task7_precision_recall_f1_accuracy.csv"
    before = int(said(checkout)[0].splitlines()[-1].split()[0])
    rewrite(table, lambda rows: [rows[0], [rows[1][0], "N/A", "nan", *rows[1][3:]]])
    assert said(checkout)[0].splitlines()[-1].startswith(f"{before - 2} published cells compared, 0 mismatches")


def test_annotations_with_rows_given_twice_are_named_in_both_profiles(checkout):
    rewrite(checkout.root / "result/ground_truth/task7_annotation.csv", lambda rows: [*rows, rows[1]])
    for output in said(checkout):
        assert "annotations: task7_annotation.csv:9: the name of an earlier row again; left out" in output


def test_a_cell_that_should_be_a_number_is_named_with_its_row(checkout):
    rows = [structure(n) for n in range(4)]
    rows[2][-1] = "many"
    path = checkout.predict(f"Task6_{MODEL}_all_merged_modified.csv", STRUCTURE, rows)
    paper = said(checkout)[0]
    assert f"{path.name}: row 3: column 'report_length': 'many' is not a number of words" in paper
    checkout.predict(path.name, STRUCTURE, [structure(n) for n in range(4)])
    checkout.edit(checkout.root / "test_dataset/metrics_test/task6_report_rqi.csv", "100.0", "about 100")
    assert "task6_report_rqi.csv: column 'RQI': 'about 100' is not a number" in said(checkout)[0]


def test_a_folder_under_another_name_says_what_it_lacks(checkout):
    checkout.own.rename(checkout.own.with_name("Another-9B"))
    paper, strict = said(checkout)
    assert "Another-9B: no file of features, rationales, head turning" in paper
    assert "missing: no file of features" in strict
    assert "in the published tables, but without predictions here: Model-7B" in paper


def test_another_spelling_of_the_folder_s_name_is_the_same_model(checkout):
    wanted = said(checkout)[0].splitlines()[-1]
    checkout.own.rename(checkout.own.with_name("model-7b"))
    assert said(checkout)[0].splitlines()[-1] == wanted


def test_what_is_no_model_is_no_model(checkout):
    (checkout.own.parent / ".cache").mkdir()
    (checkout.own.parent / "notes.txt").write_text("x")
    assert models(open_release(checkout.root)) == (MODEL,)


@pytest.mark.parametrize("name", ["task6_report_modified.csv", "task5_sequence_annotation.csv", "task7_annotation.csv"])
def test_annotations_that_are_missing_are_named(checkout, name):
    (checkout.root / "result" / "ground_truth" / name).unlink()
    assert name in said(checkout)[0]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("task12_annotation.csv", "tonic"),
        ("task3_spatial_annotation.csv", "left_right_arm_movement"),
        ("Task4_time_annotation.csv", "feature"),
        ("task5_sequence_annotation.csv", "event_sequence"),
        ("task6_report_annotation.csv", "report"),
        ("task7_annotation.csv", "label"),
    ],
)
def test_annotations_that_lack_a_column_are_named_by_every_command(checkout, tmp_path, name, column):
    path = checkout.root / "result" / "ground_truth" / name
    rewrite(path, lambda rows: [[cell if cell != column else "other" for cell in rows[0]], *rows[1:]])
    words = ["data", "import", "s3-release", str(checkout.root), "--out", str(tmp_path / "data")]
    result = CliRunner().invoke(cli, words)
    for output in (*said(checkout), f"{result.output}{result.exception}"):
        assert name in output and column in output


def test_annotations_without_reasons_are_imported_and_the_lack_named(checkout):
    path = checkout.root / "result" / "ground_truth" / "task12_annotation.csv"
    rewrite(path, lambda rows: [[c if c != "end_time_for_tonic" else "" for c in rows[0]], *rows[1:]])
    quirks = read_annotations(open_release(checkout.root)).quirks
    assert "task12_annotation.csv:1: end_time_for_tonic: no such column; left empty" in map(str, quirks.tables)
