"""``rqi validate`` on the release: the expert study in one command, and what a checkout lacks of it."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner

from s3harness.cli import cli
from s3harness.errors import S3HarnessError
from s3harness.paper.expert_study import FOLDER

MEASURES = ("pearson", "spearman", "kendall", "pairwise", "pairwise_same_video")


def validate(checkout, *options):
    return CliRunner().invoke(cli, ["rqi", "validate", str(checkout), *options])


@pytest.fixture(scope="module")
def study(release):
    result = validate(release, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def agreement(study):
    return {one["score"]: one["agreement"] for one in study["compared"]}


def test_the_published_agreement_comes_back_and_the_scores_it_rests_on(study, agreement):
    published = agreement["paper, as published"]
    assert (published["n_reports"], published["n_videos"]) == (60, 20)
    values = [published[name]["value"] for name in MEASURES]
    assert values == pytest.approx([0.568, 0.516, 0.434, 0.742, 33 / 41], abs=5e-4)
    assert study["remade"] == study["equal"] >= 40
    assert agreement["paper, from the released structures"]["n_reports"] == study["remade"]


@pytest.mark.parametrize(("preset", "pearson", "pairwise"), [("strict-1", 0.50, 0.70), ("strict-2", 0.48, 0.60)])
def test_reports_read_by_rules_agree_with_the_people(agreement, preset, pearson, pairwise):
    found = agreement[f"{preset}, read by rules"]
    assert found["n_reports"] == 40
    assert found["pearson"]["value"] >= pearson
    assert found["pairwise"]["value"] >= pairwise
    for name in MEASURES:
        interval = found[name]["interval"]
        assert interval["low"] < found[name]["value"] < interval["high"]


def test_signs_are_compared_with_the_labels_beside_the_released_extraction(study):
    rules, released = study["signs"]
    assert (rules["reader"], released["reader"]) == ("rules", "released extraction (an LLM)")
    assert rules["n_reports"] == released["n_reports"] == 438
    values = {name: value for name, (value, _) in released["values"].items()}
    assert (values["precision"], values["recall"]) == pytest.approx((0.483, 0.476), abs=5e-4)
    assert rules["values"]["F1"][0] > values["F1"] + 0.02


def test_the_table_says_the_same(release):
    output = validate(release).output
    assert "60 reports of 20 videos" in output
    assert "0.568 (" in output and "0.742 (" in output
    assert "40 of 40 scores from released structures equal the published ones" in output
    assert "Qwen2.5-VL-72B-Instruct: no file of reports" in output


def test_a_penalty_by_name_has_a_row_of_its_own(release):
    found = json.loads(validate(release, "--preset", "strict+paper_length", "--json").stdout)
    assert "strict-2+paper_length, read by rules" in {one["score"] for one in found["compared"]}


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("task6_human_score.csv", lambda text: text.replace(",2", ",two", 1), "is not a number; left out"),
        ("task6_20videos_rqi_comparison.csv", None, "paper, as published"),
    ],
)
def test_what_is_odd_about_the_study_is_named(release, tmp_path, name, change, said):
    for folder in ("metrics", "result", "finetune"):
        shutil.copytree(release / folder, tmp_path / folder)
    path = tmp_path / FOLDER / name
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8") if change else path.unlink()
    result = validate(tmp_path)
    assert result.exit_code == 0
    assert said in result.output


def test_a_checkout_without_the_study_says_what_it_lacks(checkout):
    result = validate(checkout.root)
    assert isinstance(result.exception, S3HarnessError)
    assert "task6_human_score.csv" in str(result.exception)
