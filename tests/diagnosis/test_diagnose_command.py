"""``s3harness diagnose`` on run directories and on the authors' release."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from diagnosis_cases import run_words, telling, write_answers, write_data

from s3harness.paper.two_stage import TWO_STAGE, describe_figure, least_es_share, possible_tables, published_two_stage
from s3harness.report.plot import PlotPoint, PlotRow, Scale, line_chart, row_chart

FAST = ("--classifiers", "logistic_regression", "--repeats", "1", "--resamples", "100")


def systems(found):
    return {system["name"]: system for system in found["sources"][0]["systems"]}


def value(system, name="balanced_accuracy"):
    return system["measures"][name]["value"]


def test_a_run_is_diagnosed_beside_its_floor_its_own_answers_and_the_ceiling(s3, made):
    done = s3("diagnose", made / "run", *FAST, "--json")
    assert done.code == 0, done.err
    found = systems(done.json())
    assert [system["kind"] for system in found.values()] == [
        "floor",
        "direct",
        "direct",
        "two-stage",
        "two-stage",
        "ceiling",
    ]
    assert value(found["always ES"]) == 0.5
    assert value(found["own answer, video alone"]) == 1.0
    two_stage, ceiling = found["logistic regression, fitted on predictions"], found["logistic regression, true signs"]
    assert 0.6 < value(two_stage) == value(ceiling) < 1.0
    low, high = (two_stage["measures"]["auroc"]["interval"][end] for end in ("low", "high"))
    assert low <= value(two_stage, "auroc") <= high


def test_the_table_shows_signs_and_why(s3, made, tmp_path):
    done = s3("diagnose", made / "run", *FAST, "--explain", "v0003", "--plots", tmp_path / "plots")
    assert done.code == 0, done.err
    for words in ("always ES", "LR+", "importance", "speaks for", "occur_during_sleep"):
        assert words in done.out
    assert "v0003" in done.out
    charts = sorted(path.name for path in (tmp_path / "plots").iterdir())
    assert len(charts) == 5
    for name in charts:
        ElementTree.fromstring((tmp_path / "plots" / name).read_text(encoding="utf-8"))
    assert (
        "no video 'v9999' with an annotated diagnosis" in s3("diagnose", made / "run", *FAST, "--explain", "v9999").err
    )


def test_no_patient_is_named(s3, recorded):
    data, run = recorded(telling(patients=12), patient="MRN-77{:04d}")
    done = s3("diagnose", run, "--data", data, *FAST, "--json")
    assert done.code == 0
    assert "MRN" not in done.out + done.err


def test_the_data_set_adds_diagnoses_and_splits(s3, recorded):
    cases = telling(patients=20)
    splits = tuple(f"fold{patient % 4}" for patient in cases.patients)
    data, run = recorded(replace(cases, splits=splits), None, "1")
    alone = s3("diagnose", run, *FAST)
    assert (alone.code, "its videos have no diagnosis" in alone.err) == (2, True)
    found = s3("diagnose", run, "--data", data, "--folds", "split", *FAST, "--json").json()["sources"][0]
    assert (found["n"], found["repeats"], len(found["findings"][0]["choices"])) == (60, 1, 4)
    assert "no Task-7 answers to compare with; run the model with --tasks 1,7" in found["notes"]


def test_the_data_set_adds_patients_to_learn_from(s3, tmp_path):
    cases = telling(patients=20)
    cases = replace(cases, splits=tuple(f"fold{patient % 4 // 2}" for patient in cases.patients))
    data, answers = write_data(tmp_path / "data", cases), write_answers(tmp_path / "answers.csv", cases)
    assert s3(*run_words(data, answers, tmp_path / "run", "1,7", "--split", "fold0")).code == 0
    found = s3("diagnose", tmp_path / "run", "--data", data, "--folds", "paper", *FAST, "--json").json()["sources"][0]
    assert {finding["fitted_on"] for finding in found["findings"]} == {"annotations"}
    assert any("all videos with predictions are of one fold (fold0)" in note for note in found["notes"])


def test_a_model_that_sees_badly_is_told_from_the_ceiling(s3, recorded):
    cases = telling(patients=24, videos=2, clarity=1.0)
    blind = replace(cases, vectors=(np.random.default_rng(1).random(cases.vectors.shape) < 0.5).astype(float))
    _, run = recorded(cases, blind, says="ES")
    found = systems(s3("diagnose", run, *FAST, "--json").json())
    assert value(found["logistic regression, true signs"]) > 0.95
    assert value(found["logistic regression, fitted on predictions"]) < 0.75
    assert value(found["own answer, video alone"]) == 0.5


def test_failed_answers_are_counted_and_wrong(s3, recorded):
    cases = telling(patients=24, videos=2, clarity=1.0)
    silent = np.arange(len(cases)) % 4 == 0
    _, run = recorded(cases, replace(cases, vectors=np.where(silent[:, None], -2.0, cases.vectors)), code=1)
    found = s3("diagnose", run, *FAST, "--json").json()
    two_stage = systems(found)["logistic regression, fitted on predictions"]
    assert (two_stage["answered"], two_stage["n"]) == (36, 48)
    assert value(two_stage, "sensitivity") == pytest.approx(1 - silent[cases.truth == 1].mean())
    assert any("12 of 48 videos have no answer about any sign" in note for note in found["sources"][0]["notes"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--folds", "20"), "20 folds need 20 patients of each diagnosis"),
        (("--folds", "paper"), "the authors' folds are fold0 to fold4"),
        (("--folds", "some"), "is not a number from 2 to 50"),
        (("--classifiers", "oracle_of_delphi"), "no classifier named"),
    ],
)
def test_a_wrong_call_is_named(s3, made, words, said):
    done = s3("diagnose", made / "run", *FAST, *words)
    assert (done.code, said in done.err) == (2, True), done.err


def test_a_run_without_task_1_is_named(s3, recorded):
    _, run = recorded(telling(patients=6), None, "7")
    done = s3("diagnose", run, *FAST)
    assert (done.code, "has no answers to Task 1" in done.err, "--tasks 1,7" in done.err) == (2, True, True)


def test_a_run_without_a_readable_answer_fails(s3, recorded):
    cases = telling(patients=12)
    _, run = recorded(cases, replace(cases, vectors=np.full_like(cases.vectors, -2.0)), code=1)
    done = s3("diagnose", run, *FAST)
    assert (done.code, "no answer about a sign is readable (216 failed)" in done.err) == (1, True)


def test_a_run_on_another_data_set_is_refused(s3, made, tmp_path):
    other = write_data(tmp_path / "other", telling(patients=6))
    done = s3("diagnose", made / "run", "--data", other, *FAST)
    assert (done.code, "their fingerprints differ" in done.err) == (2, True)


def test_one_class_alone_is_named(s3, recorded):
    cases = telling(patients=12)
    _, run = recorded(replace(cases, truth=np.ones(len(cases))))
    done = s3("diagnose", run, *FAST)
    assert (done.code, "there is no NES among the 36 training videos" in done.err) == (2, True)


def test_one_bad_source_takes_nothing_else_down(s3, made, tmp_path):
    done = s3("diagnose", tmp_path / "nothing", made / "run", *FAST, "--json")
    assert done.code == 1
    assert [source["source"] for source in done.json()["sources"]] == ["run"]
    assert "is not a run directory" in done.json()["failures"][0]


def test_a_sign_that_is_never_seen_is_named_and_does_no_harm(s3, recorded):
    cases = telling(patients=12)
    never = cases.vectors.copy()
    never[:, 3] = 0.0
    _, run = recorded(cases, replace(cases, vectors=never))
    found = s3("diagnose", run, *FAST, "--folds", "3", "--json").json()["sources"][0]
    assert any(
        note.startswith(f"signs that the answers never report, and so without evidence: {cases.signs[3]}")
        for note in found["notes"]
    )
    assert found["ratios"][3]["positive"]["value"] is None
    assert found["findings"][0]["influences"][3]["importance"]["value"] == 0.0


def test_the_released_predictions_out_of_fold(s3, release):
    done = s3("diagnose", release, "--models", "qwen3-vl-8b-instruct", *FAST, "--json")
    assert done.code == 0, done.err
    source, found = done.json()["sources"][0], systems(done.json())
    assert (source["n"], source["es"], source["nes"], source["n_patients"]) == (82, 56, 26, 24)
    assert value(found["always ES"], "f1") == pytest.approx(0.812, abs=5e-4)
    assert value(found["logistic regression, true signs"], "f1") > 0.88
    for name in ("logistic regression, fitted on predictions", "logistic regression, fitted on annotations"):
        assert found[name]["answered"] == 82
        assert 0.3 < value(found[name]) < 0.8
    assert "(always ES)" in source["published_note"]
    assert "@" not in done.out


def test_a_classifier_of_an_imported_release_knows_its_patients_in_the_checkout(s3, release, tmp_path):
    data, model = tmp_path / "data", tmp_path / "model.json"
    assert s3("data", "import", "s3-release", release, "--out", data).code == 0
    train = "fold1,fold2,fold3,fold4"
    assert s3("diagnose", "fit", data, "--split", train, "--out", model).code == 0
    words = ("diagnose", "apply", model, release, "--models", "Lingshu-32B", "--resamples", "100", "--json")
    held_out = s3(*words)
    assert held_out.code == 0, held_out.err
    assert held_out.json()["n_patients"] == 24
    assert s3("diagnose", "fit", data, "--split", "fold0", "--out", model).code == 0
    met = s3(*words)
    assert (met.code, "was fitted on 24 of the 24 patients" in met.err) == (2, True), met.err


def test_what_the_papers_figures_can_and_cannot_be():
    assert published_two_stage("seizure_omni_sft", 56, 26).tables == ()
    assert "No confusion table of 56 ES and 26 NES videos gives these four numbers" in describe_figure(
        published_two_stage("seizure_omni_sft", 56, 26)
    )
    assert least_es_share(TWO_STAGE["seizure_omni_sft"]) > 0.88
    always = published_two_stage("Qwen3-VL-8B-Instruct", 56, 26)
    assert [(table.tp, table.fp, table.fn, table.tn) for table in always.tables] == [(56, 26, 0, 0)]
    assert published_two_stage("another-model", 56, 26) is None


def test_the_bound_on_the_share_holds_for_every_table_that_is_possible():
    for printed in TWO_STAGE.values():
        for es in (40, 56, 70, 75):
            for table in possible_tables(printed, es, 82 - es):
                assert (table.tp + table.fn) / 82 >= least_es_share(printed)


def test_charts_are_svg_whatever_is_in_a_name():
    rows = [PlotRow('a <b> & "c"', 0.5, 0.1, 0.9), PlotRow("none", None), PlotRow("beyond", 7.0, -3.0, 9.0)]
    chart = ElementTree.fromstring(row_chart("<title>", Scale(title="x", low=0.0, high=1.0, mark=0.5), rows))
    texts = [element.text for element in chart.iter() if element.tag.endswith("text")]
    assert 'a <b> & "c"' in texts
    circles = [float(element.get("cx")) for element in chart.iter() if element.tag.endswith("circle")]
    assert len(circles) == 2
    assert max(circles) <= float(chart.get("width"))
    x, y = Scale(title="x", low=0.01, high=100, is_log=True), Scale(title="y", low=0, high=1)
    line = line_chart("t", x, y, [("s", [PlotPoint(1, 0.5, 0.2, 0.8)])])
    assert "<polyline" in line
    ElementTree.fromstring(line)
    assert json.dumps(x.ticks()) == "[0.01, 0.1, 1.0, 10.0, 100.0]"
