"""The paper profile: every published number comes back, and what does not is named."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from release_checkout import MODEL, SAMPLE, STRUCTURE, VIDEOS, sequence, structure

from s3harness.cli import cli
from s3harness.metrics.order import temporal_f1
from s3harness.paper.layout import models, open_release
from s3harness.paper.metrics.order import lcs_ratio
from s3harness.paper.reproduce import check_paper, mismatch_lines, table_of, task_of, without_predictions
from s3harness.paper.windows import split_tokens, window_number

TABLE = "test_dataset/metrics_test/Task7_precision_recall_f1_accuracy.csv"
UNKNOWN = (f"Task7_{MODEL}_all.csv: 1 row is of an unknown video, compared with nothing",)


@pytest.fixture
def check(checkout):
    return lambda tasks=range(1, 8): check_paper(open_release(checkout.root), MODEL, tasks)


def run(checkout, *options):
    return CliRunner().invoke(cli, ["score-release", str(checkout.root), "--profile", "paper", *options])


def test_published_numbers_and_merged_windows_of_a_small_checkout_come_back(check):
    made = check()
    assert mismatch_lines([made]) == []
    assert made.counts() == {
        "Task7_precision_recall_f1_accuracy.csv": (8, 0, 0),
        "task6rqi_test": (4, 0, 0),
        "task6_report_rqi.csv": (1, 0, 0),
        "Task12 merged windows": (5 * 18 * 2, 0, 0),
        "Task5 merged windows": (5, 0, 0),
    }
    assert made.missing == made.unread == ()
    assert made.problems == (f"Task4_{MODEL}_all.csv: 1 row is of an unknown clip, compared with nothing", *UNKNOWN)


def test_tasks_are_chosen_by_number(check):
    assert set(check([7]).counts()) == {"Task7_precision_recall_f1_accuracy.csv"}
    assert set(check([1, 5]).counts()) == {"Task12 merged windows", "Task5 merged windows"}


@pytest.mark.parametrize(
    ("file", "old", "new", "place"),
    [
        (TABLE, "1.00", "0.99", "precision_with_report"),
        (f"test_dataset/metrics_test/task6rqi_test/task6_{MODEL}_rqi_test.csv", "100.0", "99.99999999", "row 1"),
        (f"test_dataset/vlm_inference_test/{MODEL}/Task12_{MODEL}_all_merged.csv", ",yes,", ",no,", "row 1, "),
        (f"test_dataset/vlm_inference_test/{MODEL}/Task12_{MODEL}_all_merged.csv", "saw ", "SAW ", "reason"),
        (f"test_dataset/vlm_inference_test/{MODEL}/Task5_{MODEL}_all_merge.csv", "clonic,tonic", "clonic", "row 1"),
    ],
)
def test_one_changed_cell_is_one_mismatch_with_its_place(checkout, check, file, old, new, place):
    checkout.edit(checkout.root / file, old, new)
    lines = mismatch_lines([check()])
    assert len(lines) == 1
    assert place in lines[0]
    assert not any(name in lines[0] for name in VIDEOS)
    result = run(checkout)
    if "vlm_inference_test" in file:
        assert "0 mismatches" in result.output and "1 differ" in result.output
    else:
        assert "1 mismatches" in result.output and "0 differ" in result.output
        assert result.exit_code == 1


def test_a_side_with_a_blank_behind_it_is_no_side_as_the_authors_compare_them(checkout, check):
    """One truth is written "right ": the authors drop its video, so that two of three sides are compared."""
    rows = [[video, "left"] for video in VIDEOS[:3]]
    checkout.predict(f"Task3_HT_{MODEL}.csv", ["video_name", "head_turning_direction"], rows)
    header = ["model", "left_right_head_turning_accuracy"]
    for printed, wrong in (("1.00", 0), ("0.67", 1)):
        checkout.write("test_dataset/metrics_test/Task3_spatial_metrics.csv", header, [[MODEL, printed]])
        assert check([3]).counts()["Task3_spatial_metrics.csv"] == (1, wrong, 0)


@pytest.mark.parametrize("name", ["task7_precision_recall_f1_accuracy.csv", "TASK7_Precision_Recall_F1_Accuracy.csv"])
def test_a_published_table_is_found_in_any_case(checkout, check, name):
    path = checkout.root / TABLE
    path.rename(path.with_name(name))
    assert check([7]).counts() == {name: (8, 0, 0)}


def test_the_tables_of_the_question_list_are_found_by_their_other_names(checkout, check):
    folder = "test_dataset/metrics_test"
    checkout.write(
        f"{folder}/middle_results/{MODEL}__per_video_feature_scores.csv",
        ["file_name", "tonic"],
        [[VIDEOS[0], 0.7], [VIDEOS[1], 0.3]],
    )
    other_names = ("Task2_feature-level__per_feature_mean_scores.csv", "Task2_model-level__overall_scores.csv")
    checkout.write(f"{folder}/{other_names[0]}", ["model_name", "tonic"], [[MODEL, "0.50"]])
    checkout.write(f"{folder}/{other_names[1]}", ["model_name", "question_list_score"], [[MODEL, "0.50"]])
    assert check([2]).counts() == dict.fromkeys(other_names, (1, 0, 0))


def test_published_tables_that_nothing_was_compared_with_are_named(checkout):
    checkout.write("test_dataset/metrics_test/Task9_new.csv", ["model", "x"], [[MODEL, "1"]])
    checkout.write("test_dataset/metrics_test/more/odd.csv", ["model", "x"], [[MODEL, "1"]])
    assert "published tables without anything to compare with: Task9_new.csv, more/" in run(checkout).output


def test_numbers_of_other_predictions_than_were_released_are_explained_and_counted_apart(checkout, check):
    path = f"test_dataset/metrics_test/Task2_feature_metrics/{MODEL}_feature_summary.csv"
    header = ["feature", "n_pairs", "bleu_corpus", "rouge1_f1_mean", "rougeL_f1_mean"]
    columns = ["file_name", "tonic", "justification_for_tonic"]
    checkout.predict(f"Task12_{MODEL}_all_merged_llmmerge.csv", columns, [[v, "yes", "stiff"] for v in VIDEOS[:3]])
    checkout.write(path, header, [["tonic", 2, 1.5, 0.1, 0.1], ["AVG_1", "", 1.5, 0.1, 0.1]])
    assert check([2]).counts()["Task2_feature_metrics"] == (7, 0, 7)
    result = run(checkout)
    assert "4 cells differ: published of 2 pairs, 3 were released" in result.output
    assert "0 mismatches (7 more come from other predictions than those released)" in result.output
    assert result.exit_code == 0
    checkout.write(path, header, [["tonic", 3, 1.5, 0.1, 0.1]])
    assert check([2]).counts()["Task2_feature_metrics"] == (4, 3, 0)


def test_a_published_mean_that_is_not_that_of_the_published_scores_is_explained(checkout, check):
    checkout.edit(checkout.root / "test_dataset/metrics_test/task6_report_rqi.csv", "100.0", "90.0")
    made = check([6])
    assert (made.mismatches, [one.reason for one in made.explained]) == (
        [],
        ["the mean of the 4 published scores by video is 100.000"],
    )
    details = checkout.root / f"test_dataset/metrics_test/task6rqi_test/task6_{MODEL}_rqi_test.csv"
    details.unlink()
    assert [one.place for one in check([6]).mismatches] == ["RQI"]


def test_a_published_mean_may_be_cut_after_its_last_decimal_instead_of_rounded(checkout, check):
    folder = checkout.root / "test_dataset" / "metrics_test"
    rows = [structure(0, *["head_turning"] * 8), *(structure(n) for n in (1, 2, 3))]
    checkout.predict(f"Task6_{MODEL}_all_merged_modified.csv", STRUCTURE, rows)
    (folder / "task6rqi_test" / f"task6_{MODEL}_rqi_test.csv").unlink()
    mean = next(float(one.remade) for one in check().published if one.place == "RQI")
    cut, rounded = f"{int(mean * 1000) / 1000:.3f}", f"{mean:.3f}"
    assert cut != rounded
    for printed, wrong in ((cut, 0), (rounded, 0), (f"{mean - 0.0021:.3f}", 1)):
        checkout.write("test_dataset/metrics_test/task6_report_rqi.csv", ["model", "RQI"], [[MODEL, printed]])
        assert len(check().mismatches) == wrong


def test_a_failed_window_is_merged_as_the_authors_did(checkout, check):
    """Its reason joins those of the windows that say yes, unless one says no."""
    columns = ["file_name", "tonic", "justification_for_tonic"]
    name = VIDEOS[0].replace(".mp4", "_segment_{}.mp4")
    windows = [[name.format(0), "yes", "stiff"], [name.format(1), "fail", "fail"], [name.format(2), "", ""]]
    checkout.predict(f"Task1_{MODEL}_all.csv", columns, windows)
    merged = [[VIDEOS[0], "yes", "stiff || fail || nan"]]
    checkout.predict(f"Task12_{MODEL}_all_merged.csv", columns, merged)
    assert check([1]).counts() == {"Task12 merged windows": (2, 0, 0)}
    checkout.predict(f"Task1_{MODEL}_all.csv", columns, [*windows, [name.format(10), "no", "calm"]])
    checkout.predict(f"Task12_{MODEL}_all_merged.csv", columns, [[VIDEOS[0], "yes", "stiff"]])
    assert check([1]).counts() == {"Task12 merged windows": (2, 0, 0)}


def test_missing_files_and_odd_tables_are_named_and_the_rest_is_compared(checkout, check):
    (checkout.own / f"Task6_{MODEL}_all_merged_modified.csv").unlink()
    (checkout.own / f"Task3_HT_{MODEL}.csv").unlink()
    path = checkout.own / f"Task7_{MODEL}_all.csv"
    path.write_bytes(path.read_bytes() + f"{VIDEOS[0]},NES,NES\r\nP0098@é,ES,ES\r\n".encode("latin-1"))
    made = check()
    assert made.missing == ("head turning", "report structures")
    assert any("Latin-1" in problem for problem in made.problems)
    assert any("earlier row" in problem for problem in made.problems)
    assert made.counts()["Task7_precision_recall_f1_accuracy.csv"] == (8, 0, 0)


def test_a_table_without_its_column_stops_only_what_needs_it(checkout, check):
    checkout.edit(checkout.own / f"Task7_{MODEL}_all.csv", "prediction_with_report", "with")
    made = check()
    assert any("no column 'prediction_with_report'" in problem for problem in made.unread)
    assert run(checkout).exit_code == 1
    assert made.counts()["task6rqi_test"] == (4, 0, 0)
    assert made.counts()["Task5 merged windows"] == (5, 0, 0)


def test_order_metrics_of_each_video_are_compared(checkout):
    said, true = ["tonic", "clonic", "tonic"], sequence(0, heard=False)
    header = ["file_name", "edit_distance", "temporal_f1", "lcs_ratio_gt", "pred_len", "gt_len"]
    row = [VIDEOS[0], len(true), temporal_f1(said, true), lcs_ratio(said, true), 3, len(true)]
    path = f"test_dataset/metrics_test/task5/task5_sequence_3_metrics_{MODEL}.csv"
    checkout.write(path, header, [row, [VIDEOS[1], *row[1:-1], 99]])
    made = check_paper(open_release(checkout.root), MODEL)
    assert made.counts()["task5"][0] == 10
    assert "row 2, gt_len" in {one.place for one in made.mismatches}
    assert not any("row 1, " in one.place and "edit" not in one.place for one in made.mismatches)


def test_the_summary_of_the_seizure_rqi_is_compared(checkout):
    path = checkout.root / "test_dataset/metrics_test/task6rqi_test" / f"task6_{MODEL}_rqi_test_summary.json"
    path.write_text('{"mean_seizure_rqi": 100.0, "std_seizure_rqi": 0.0, "total_reports": 5}')
    made = check_paper(open_release(checkout.root), MODEL)
    assert [(one.place, one.released[:2], one.remade[:2]) for one in made.mismatches] == [("total_reports", "5.", "4.")]
    path.write_text('{"mean_seizure_rqi": "high"}')
    made = check_paper(open_release(checkout.root), MODEL)
    assert any("no summary of numbers" in problem for problem in made.unread)


def test_models_of_the_tables_without_predictions_are_named(checkout):
    assert without_predictions(open_release(checkout.root)) == ["Elsewhere-9B"]
    assert "without predictions here: Elsewhere-9B" in run(checkout).output


def test_the_command_says_how_much_was_compared(checkout):
    result = run(checkout, "--models", "model-7b", "--json")
    assert result.exit_code == 0
    data = json.loads(result.stdout)
    assert (data["compared"], data["remade_from_windows"]) == (13, 180 + 5)
    assert data["mismatches"] == []
    assert data["models"][0]["tables"]["task6rqi_test"] == {"compared": 4, "mismatches": 0, "explained": 0}
    assert "13 published cells compared, 0 mismatches; 185 cells of merged files" in run(checkout).output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--models", "Model-8B"], "no predictions of 'Model-8B'"),
        (["--profile", "papr"], "no profile named 'papr'"),
        (["--tasks", "9"], "no task named '9'"),
        (["--part", "full"], "holds no predictions"),
    ],
)
def test_a_wrong_call_is_named(checkout, options, message):
    result = run(checkout, *options)
    assert result.exit_code != 0
    assert message in result.output or message in str(result.exception)


def test_the_full_part_reads_the_same_layout_elsewhere(checkout):
    full = checkout.root / "result" / "vlm_inference"
    full.parent.mkdir(exist_ok=True)
    (checkout.root / "test_dataset" / "vlm_inference_test").rename(full)
    (checkout.root / "test_dataset" / "metrics_test").rename(checkout.root / "metrics")
    made = check_paper(open_release(checkout.root, "full"), MODEL)
    assert sum(count.compared for count in made.counts().values()) == 198
    assert made.mismatches == []


@pytest.mark.parametrize(
    ("file", "task", "table"),
    [
        ("Task12_Model_all_merged.csv", 1, "Task12"),
        ("Task2_feature_metrics/x.csv", 2, "Task2_feature_metrics"),
        ("task6_report_rqi.csv", 6, "task6_report_rqi.csv"),
        ("other.csv", 0, "other.csv"),
    ],
)
def test_files_belong_to_tasks_and_tables(file, task, table):
    assert (task_of(file), table_of(file)) == (task, table)


def test_windows_are_numbered_and_their_lists_cut_as_released():
    assert [window_number(f"{SAMPLE[:-4]}_segment_{n}.mp4") for n in (0, 12)] == [0, 12]
    assert window_number(VIDEOS[0]) == 0
    assert split_tokens("a, 'b', c.") == ["a", "b", "c."]
    assert split_tokens('["a","b"]') == ["a", "b"]
    assert split_tokens("a b") == ["a", "b"]
    assert split_tokens("a，b") == ["a", "b"]


def test_no_published_number_of_the_real_release_differs(release):
    opened = open_release(release)
    checks = [check_paper(opened, model) for model in models(opened)]
    assert mismatch_lines(checks) == []
    assert len(checks) == 6
    assert sum(len(one.published) for one in checks) == 1414 + 6 + 112 + 504 * 11 + 6 * 13 + 79 * 6 * 5
    assert sum(len(one.windows) for one in checks) == 17320
    assert all(check.missing == check.unread == () for check in checks)
    assert all("compared with nothing" in problem for check in checks for problem in check.problems)
