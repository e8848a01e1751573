"""The strict profile of released predictions: fixed items, failures as wrong, and what becomes of the claims."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from release_checkout import MODEL, SAMPLE, SIGNS, VIDEOS, clip_name, has

from s3harness.cli import cli
from s3harness.paper.annotations import read_annotations
from s3harness.paper.findings import findings
from s3harness.paper.layout import open_release
from s3harness.paper.strict import score_strict
from s3harness.specs.loading import full_name, task_names


@pytest.fixture
def score(checkout):
    def score(*tasks, part="test"):
        opened = open_release(checkout.root, part)
        names = [full_name(task) for task in tasks] or task_names()
        return score_strict(opened, read_annotations(opened), MODEL, names, resamples=20)

    return score


def predictions(result, task):
    """(subject, truth) → (value, status) in the order of the items."""
    made = result.tasks[full_name(task)]
    return [
        (reference.subject, reference.truth, prediction.value, prediction.status)
        for reference, prediction in zip(made.references, made.predictions, strict=True)
    ]


def primary(result, task):
    return next(s for s in result.scores if s.task == full_name(task) and s.primary)


def test_items_are_those_of_the_test_fold_whatever_was_answered(score):
    result = score()
    counts = {task: len(made.references) for task, made in result.tasks.items()}
    assert counts == {
        "s3/task1_features": 4 * 18,
        "s3/task2_rationales": 4 * 18,
        "s3/task3_laterality": 3 + 2 + 3,
        "s3/task4_temporal_boundaries": 4 * 2 + 2,
        "s3/task5_event_order": 4,
        "s3/task6_report": 4,
        "s3/task7_diagnosis": 8,
    }
    assert result.modalities == ("video",)
    assert {s.n_patients for s in result.scores if s.primary} <= {3, 4}


def test_windows_go_through_the_parsers_and_aggregators_of_a_run(score):
    said = predictions(score("1"), "1")
    assert len(said) == 72
    wrong = [(s, t, v) for s, t, v, status in said if status == "answered" and v != t and s != "occur_during_sleep"]
    assert wrong == []
    assert {v for s, _, v, _ in said if s == "occur_during_sleep"} == {"no"}


def test_a_failure_is_a_failure_even_where_the_merged_file_says_no(score):
    lost = [(s, status) for s, _, value, status in predictions(score("1"), "1") if value is None]
    assert lost == [("tonic", "failed")]
    assert primary(score("1"), "1").lost == {"failed": 1}


def test_without_windows_the_merged_file_is_read(checkout, score):
    (checkout.own / f"Task1_{MODEL}_all.csv").unlink()
    (checkout.own / f"Task5_{MODEL}_all.csv").unlink()
    result = score("1", "5")
    assert primary(result, "1").lost == {}
    assert {v for s, _, v, _ in predictions(result, "1") if s == "tonic"} == {"yes", "no"}
    assert [v for _, _, v, _ in predictions(result, "5")] == [["tonic", "clonic"]] * 4


def test_a_gap_among_the_windows_is_an_answer_that_is_missing(checkout, score):
    path = checkout.own / f"Task5_{MODEL}_all.csv"
    name = VIDEOS[0].replace(".mp4", "_segment_{}.mp4")
    checkout.edit(path, name.format(1), name.format(3))
    assert [status for *_, status in predictions(score("5"), "5")] == ["partial", "answered", "answered", "answered"]


@pytest.mark.parametrize("first", [0, 1])
def test_the_first_window_counts_from_where_its_table_begins(checkout, score, first):
    path = checkout.own / f"Task1_{MODEL}_all.csv"
    text = path.read_text(encoding="utf-8")
    for number in (1, 0):
        text = text.replace(f"_segment_{number}.mp4", f"_segment_{number + first}.mp4")
    path.write_text(text, encoding="utf-8")
    slept = [(v, status) for s, _, v, status in predictions(score("1"), "1") if s == "occur_during_sleep"]
    assert slept == [("no", "answered")] * 4


def test_sides_are_asked_of_all_that_have_one_and_markers_are_told_apart(score):
    said = predictions(score("3"), "3")
    turned = [(t, v, status) for s, t, v, status in said if s == "head_turning"]
    assert turned == [("left", "left", "answered"), ("right", "left", "answered"), ("left", "left", "answered")]
    assert [(v, status) for s, _, v, status in said if s == "arm_movement"] == [(None, "failed"), (None, "unparsable")]


def test_boundaries_are_seconds_of_a_clip_of_60_s(score):
    result = score("4")
    made = result.tasks[full_name("4")]
    assert {reference.window for reference in made.references} == {(0.0, 60.0)}
    said = predictions(result, "4")
    assert ("tonic", 12.0, None, "unparsable") in said
    assert ("clonic", 30.0, None, "missing") in said
    assert said.count(("seizure_onset", 30.0, 30.0, "answered")) == 4
    assert primary(result, "4").value == pytest.approx((48 + 30) / 10)
    assert "seizure IoU" not in {one.metric for one in result.scores}


def test_a_diagnosis_that_is_missing_or_failed_is_wrong(score):
    result = score("7")
    said = [(t, v, status) for s, t, v, status in predictions(result, "7") if s == "video"]
    assert said == [
        ("ES", "ES", "answered"),
        ("NES", None, "failed"),
        ("ES", None, "unparsable"),
        ("NES", None, "missing"),
    ]
    assert primary(result, "7").value == pytest.approx(0.25)
    assert primary(result, "7").coverage == 0.25
    assert primary(result, "7").lost == {"failed": 1, "missing": 1, "unparsable": 1}


def test_reports_are_scored_from_their_text(score):
    result = score("6")
    assert 0 < primary(result, "6").value < 100
    assert primary(result, "6").ceiling == 100.0


def test_predictions_of_unknown_and_sample_videos_are_named_by_number(score):
    unmatched = {(one.file, one.reason): one.rows for one in score("4", "7").unmatched}
    assert unmatched == {
        (f"Task4_{MODEL}_all.csv", "of Sample videos"): (9, 10),
        (f"Task4_{MODEL}_all.csv", "of videos or signs that are not among the items"): (12,),
        (f"Task7_{MODEL}_all.csv", "of Sample videos"): (4,),
        (f"Task7_{MODEL}_all.csv", "of no known video"): (5,),
    }


def test_missing_files_columns_and_unreadable_tables_are_named_and_the_rest_is_scored(checkout, score):
    (checkout.own / f"Task3_AM_{MODEL}.csv").unlink()
    checkout.edit(checkout.own / f"Task7_{MODEL}_all.csv", "prediction_with_report", "with")
    checkout.edit(checkout.own / f"Task6_{MODEL}_all_merged.csv", "file_name", "file")
    result = score()
    assert "no file of arm movement" in result.missing
    assert f"Task7_{MODEL}_all.csv: no column prediction_with_report" in result.missing
    assert any("no column file_name or video_name" in lack for lack in result.missing)
    assert primary(result, "6").value == 0.0, "a table that is not there is as many wrong answers"
    assert primary(result, "6").lost == {"missing": 4}
    assert {v for s, _, v, _ in predictions(result, "7") if s == "video_and_report"} == {None}
    assert primary(result, "7").value == pytest.approx(0.25)


def test_a_model_that_only_hears_is_asked_what_is_heard(checkout, score):
    for path in checkout.own.iterdir():
        path.unlink()
    heard = SIGNS[18:]
    columns = [c for s in heard for c in (s, f"justification_for_{s}")]
    rows = [
        [v.replace(".mp4", ".wav"), *(c for s in heard for c in (_heard(s, n), "heard it"))]
        for n, v in enumerate(VIDEOS)
    ]
    checkout.predict("Task12_AF3_features_all.csv", ["file_name", *columns], rows)
    result = score()
    assert result.modalities == ("audio",)
    assert list(result.tasks) == ["s3/task1_features", "s3/task2_rationales"]
    assert primary(result, "1").value == 1.0
    assert primary(result, "2").coverage == 1.0


def _heard(sign, number):
    return "yes" if has(sign, number) else "NA" if sign == "verbal_responsiveness" else "no"


def test_the_full_part_has_the_items_of_all_folds(checkout, score):
    (checkout.root / "test_dataset" / "vlm_inference_test").rename(checkout.root / "result" / "vlm_inference")
    result = score("7", part="full")
    assert len(result.tasks[full_name("7")].references) == 12
    assert primary(result, "7").lost == {"failed": 1, "missing": 3, "unparsable": 1}


def test_findings_are_computed_from_the_files(checkout, score):
    opened = open_release(checkout.root)
    texts = [f.text for f in findings(opened, [score("3", "4", "7")]) if f.changes]
    assert (
        f"{MODEL}: published F1, video alone 1.00 is of 1 of 4 items; 0.40 on all of them, failures counted as wrong"
        in texts
    )
    assert f"{MODEL} answers 'left' to 3 of 3: head turning" in texts
    assert any("at or below the floor window_centre, 1 of 1" in text for text in texts)
    assert any("accuracy, head turning" in text and "is no better than the trivial answer" in text for text in texts)
    checkout.edit(checkout.root / "result/ground_truth/task3_spatial_annotation.csv", "right ", "right")
    rows = [[v, "right" if n == 1 else "left"] for n, v in enumerate(VIDEOS[:3])]
    checkout.predict(f"Task3_HT_{MODEL}.csv", ["video_name", "head_turning_direction"], rows)
    found = findings(opened, [score("3")])
    assert not any("answers 'left'" in finding.text for finding in found)
    stands = [f.text for f in found if f.kind == "trivial wins" and not f.changes]
    assert any("accuracy, head turning" in text and "(1.00), is better than" in text for text in stands)


def test_an_odd_table_is_read_and_noted(checkout, score):
    path = checkout.own / f"Task4_{MODEL}_all.csv"
    row = f"{clip_name(VIDEOS[0], 'start')},start,00:59\r\n"
    path.write_bytes(path.read_bytes() + f"{row}é,start\r\n".encode("latin-1"))
    result = score("4")
    assert sum("Task4" in problem for problem in result.problems) == 3
    assert ("seizure_onset", 30.0, 59.0, "answered") not in predictions(result, "4")


def test_the_command_prints_scores_beside_floors_and_the_conclusions(checkout):
    result = CliRunner().invoke(cli, ["score-release", str(checkout.root), "--tasks", "4,7", "--resamples", "20"])
    assert result.exit_code == 0, result.output
    assert "floor" in result.output
    assert "2 predictions of Sample videos, not scored (rows 9, 10)" in result.output
    assert "Published conclusions that change" in result.output
    assert not any(name in result.output for name in (*VIDEOS, SAMPLE))


def test_the_command_gives_json(checkout):
    options = ["--tasks", "7", "--resamples", "20", "--json"]
    result = CliRunner().invoke(cli, ["score-release", str(checkout.root), *options])
    data = json.loads(result.stdout)
    assert data["models"][0]["scores"][0]["value"] == pytest.approx(0.25)
    assert data["models"][0]["strays"][0]["rows"] == [4]
    assert any(finding["changes"] for finding in data["findings"])


def test_the_fixed_list_of_the_real_release(release):
    opened = open_release(release)
    result = score_strict(opened, read_annotations(opened), "seizure_omni_sft", task_names()[2:], resamples=50)
    counts = {task: len(made.references) for task, made in result.tasks.items()}
    assert counts == {
        "s3/task3_laterality": 32 + 27 + 82,
        "s3/task4_temporal_boundaries": 557,
        "s3/task5_event_order": 82,
        "s3/task6_report": 82,
        "s3/task7_diagnosis": 164,
    }
    assert primary(result, "7").coverage == pytest.approx(39 / 82)
    assert primary(result, "7").lost == {"failed": 35, "unparsable": 8}
    assert primary(result, "4").floor == pytest.approx(1.27, abs=0.01)
    assert sum(len(one.rows) for one in result.unmatched) == 40
    lines = [finding.text for finding in findings(opened, [result])]
    assert any("no better than the trivial answer window_centre (1.03)" in line for line in lines)
    assert any("published F1, video alone 0.71 is of 39 of 82 items; 0.41" in line for line in lines)
    assert any("published F1, video and report 0.79 is of 47 of 82 items; 0.55" in line for line in lines)
