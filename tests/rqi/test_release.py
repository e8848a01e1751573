"""The authors' released scores come back exactly, and the rules read reports as well as the released extraction."""

import csv
import json

import pytest

from s3harness.errors import DatasetError
from s3harness.metrics.rqi import (
    ReportTruth,
    extract,
    parse_preset,
    released_structure,
    score_report,
    score_structures,
)
from s3harness.metrics.rqi import score as score_module
from s3harness.metrics.rqi.validate import validate
from s3harness.metrics.typical_report import WORDS
from s3harness.paper.annotations import read_annotations
from s3harness.paper.layout import open_release
from s3harness.specs.features import vocabulary

MODELS = {
    "InternVL3_5-38B": 78,
    "Lingshu-32B": 86,
    "Qwen2.5-VL-32B-Instruct": 86,
    "Qwen3-Omni-30B-A3B-Instruct": 86,
    "Qwen3-VL-8B-Instruct": 86,
    "seizure_omni_sft": 82,
}
STRICT = ("strict-1", "strict-2")
STUDIED = ("InternVL3_5-38B", "Qwen2.5-Omni-7B")
COLUMNS = {
    "S": "structural_completeness_score",
    "C": "coverage_score",
    "T": "temporal_f1_score",
    "L": "localizing_features_score",
}


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def annotations(release):
    return release / "result" / "ground_truth"


@pytest.fixture(scope="module")
def sequences(annotations):
    found = rows(annotations / "task5_sequence_annotation.csv")
    return {row["file_name"]: tuple(sign.strip() for sign in row["event_sequence"].split(",")) for row in found}


@pytest.fixture(scope="module")
def reports(annotations):
    return {row["file_name"]: row["report"] for row in rows(annotations / "task6_report_annotation.csv")}


@pytest.fixture(scope="module")
def labels(annotations):
    """Video → sign → yes, no or "" where it was not tested."""
    signs = vocabulary().names
    found = rows(annotations / "task12_annotation.csv")
    return {row["file_name"]: {sign: row[sign].strip().lower() for sign in signs} for row in found}


@pytest.fixture(scope="module")
def released_truths(annotations, sequences):
    found = rows(annotations / "task6_report_modified.csv")
    return {row["file_name"]: ReportTruth(released_structure(row), sequences.get(row["file_name"])) for row in found}


@pytest.fixture(scope="module")
def truths(annotations, reports, sequences, labels):
    sides = {row["file_name"]: _sides(row) for row in rows(annotations / "task3_spatial_annotation.csv")}
    return {
        video: {
            "text": text,
            "events": sequences.get(video, ()),
            "sides": sides[video],
            "untested": [sign for sign, label in labels[video].items() if label not in {"yes", "no"}],
        }
        for video, text in reports.items()
    }


@pytest.fixture(scope="module")
def published_fold(release):
    annotated = read_annotations(open_release(release)).videos
    return [name for name, video in annotated.items() if video.split == "fold0" and video.report]


@pytest.fixture(scope="module")
def human(release):
    found = rows(release / "metrics" / "task6_compare_metrics_with_human" / "task6_human_score.csv")
    models = [name for name in found[0] if name != "file_name"]
    return {(row["file_name"], model): float(row[model]) for row in found for model in models}


@pytest.mark.parametrize("model", MODELS)
def test_the_paper_preset_gives_every_video_its_published_score(release, released_truths, model):
    folder = release / "test_dataset"
    details = next((folder / "metrics_test" / "task6rqi_test").glob(f"task6_{model}_rqi_*.csv"))
    published = {row["file_name"]: row for row in rows(details)}
    found = rows(folder / "vlm_inference_test" / model / f"Task6_{model}_all_merged_modified.csv")
    assert len(found) == len(published) == MODELS[model]
    preset = parse_preset("paper")
    values = []
    for row in found:
        score = score_structures(released_structure(row), released_truths[row["file_name"]], preset)
        expected = published[row["file_name"]]
        assert score.value == pytest.approx(float(expected["seizure_rqi"]), abs=1e-9)
        for name, column in COLUMNS.items():
            assert 100 * score.components[name].value == pytest.approx(float(expected[column]), abs=1e-9)
        multiplier = score.penalties["paper_hallucination"].multiplier
        assert multiplier == pytest.approx(float(expected["hallucination_multiplier"]), abs=1e-12)
        values.append(score.value)
    summary = json.loads(details.with_name(details.stem + "_summary.json").read_text(encoding="utf-8"))
    mean = sum(values) / len(values)
    assert mean == pytest.approx(summary["mean_seizure_rqi"], abs=1e-9)
    table = {row["model"]: row["RQI"] for row in rows(folder / "metrics_test" / "task6_report_rqi.csv")}
    # One cell of the table is cut after its third decimal, the others are rounded.
    assert abs(mean - float(table[model])) < 0.0006


def test_the_paper_preset_agrees_with_the_experts_as_published(release, human, released_truths):
    folder = release / "metrics" / "task6_compare_metrics_with_human"
    published = {(row["file_name"], row["model"]): float(row["rqi"]) for row in rows(folder / "task6_all_score.csv")}
    agreement = validate(published, human, resamples=200)
    assert agreement.n_reports == 60
    assert agreement.pearson.value == pytest.approx(0.568, abs=5e-4)
    assert agreement.pairwise.value == pytest.approx(0.742, abs=5e-4)
    assert agreement.pairwise_same_video.value == pytest.approx(33 / 41)
    preset = parse_preset("paper")
    for model in STUDIED:
        for row in rows(release / "result" / "vlm_inference" / model / f"Task6_{model}_all_merged_modified.csv"):
            score = score_structures(released_structure(row), released_truths[row["file_name"]], preset)
            assert round(score.value, 2) == pytest.approx(published[row["file_name"], model], abs=0.0051)


@pytest.mark.parametrize(("name", "pearson", "pairwise"), [("strict-1", 0.50, 0.70), ("strict-2", 0.48, 0.60)])
def test_reading_the_texts_by_rules_agrees_with_the_experts(release, human, truths, name, pearson, pairwise):
    """A report without anything right has no points in strict-2: such reports tie, and a tie is a pair out of order."""
    scores = {}
    for model in STUDIED:
        for row in rows(release / "result" / "vlm_inference" / model / f"Task6_{model}_all_merged.csv"):
            scores[row["file_name"], model] = score_report(row["report"], truths[row["file_name"]], name).value
    agreement = validate(scores, human, resamples=500)
    assert agreement.n_reports == 40
    assert agreement.pearson.value >= pearson
    assert agreement.pairwise.value >= pairwise
    assert agreement.pearson.interval.low > 0


def test_signs_in_the_experts_texts_agree_with_their_labels_as_well_as_the_released_extraction(
    annotations, reports, labels
):
    released = {
        row["file_name"]: released_structure(row).events for row in rows(annotations / "task6_report_modified.csv")
    }
    llm = precision_recall({video: released[video] for video in reports}, labels)
    rules = precision_recall({video: extract(text).events for video, text in reports.items()}, labels)
    assert llm == (pytest.approx(0.483, abs=5e-4), pytest.approx(0.476, abs=5e-4))
    assert rules[0] >= 0.58
    assert rules[1] >= 0.44
    assert harmonic(rules) > harmonic(llm) + 0.02


def test_every_expert_report_scores_100_against_itself(reports, truths):
    for name in ("strict-1", "strict-2"):
        values = [score_report(text, truths[video], name).value for video, text in reports.items()]
        assert {round(value, 9) for value in values if value is not None} == {100.0}
        assert bool(values.count(None)) == (name == "strict-2")


def test_what_earns_points_without_looking_is_below_the_honest(truths):
    whole = "At onset: " + ", ".join(name.replace("_", " ") for name in vocabulary().names) + "."
    dump = _mean([score_report(whole, truth).value for truth in truths.values()])
    half = _mean([score_report(_half(truth), truth).value for truth in truths.values()])
    assert dump < 5
    assert half > 45


SIGNS = (
    "head turning, blank stare, tonic stiffening, clonic jerking, arm extension, arm flexion, oral automatisms, "
    "vocalization, eye blinking, limb automatisms"
)
ATTACKS = {
    '"unknown", "Hello.", the prompt, a text in German': "Hello.",
    '"There are no signs of" the whole vocabulary': f"There are no signs of {', '.join(WORDS.values())}.",
    'every sign of the vocabulary "or no" such sign': " ".join(f"{sign} or no {sign}." for sign in WORDS.values()),
    "the whole vocabulary": f"{', '.join(WORDS.values())}.",
    "ten signs": f"{SIGNS.capitalize()}.",
    'ten signs, each "possible"': f"There may be {SIGNS.replace(', ', ', possible ', 9).replace('possible ', '', 1)}.",
    'a tonic-clonic seizure with "left and right" for each side': (
        "The head turns to the left and right. Tonic extension of the left and right arm, left and right arm flexion, "
        "then clonic jerking of both arms."
    ),
    '"Bilateral tonic-clonic seizure."': "Bilateral tonic-clonic seizure.",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_attacks_earn_is_documented(published_fold, truths, attack):
    rows_of_table = [line.strip("| ").split(" | ") for line in score_module.__doc__.splitlines() if " | " in line]
    documented = {row[0]: [float(cell) for cell in row[1:]] for row in rows_of_table if row[0] in ATTACKS}
    earned = [_mean([score_report(ATTACKS[attack], truths[v], p).value for v in published_fold]) for p in STRICT]
    assert earned == pytest.approx(documented[attack], abs=0.06)


@pytest.mark.parametrize(
    "text",
    [
        "unknown",
        "Der Kopf dreht sich nach links, dann streckt sich der rechte Arm.",
        "Describe what the patient does in this clip as a report of seizure semiology would: the first sign, how the "
        "signs follow each other and spread, on which of the patient's own sides they are, and how the event ends.",
    ],
)
def test_what_says_nothing_earns_nothing(published_fold, truths, text):
    assert {score_report(text, truths[video]).value for video in published_fold} == {0.0, None}


def test_a_column_that_is_missing_is_named():
    with pytest.raises(DatasetError, match="event_sequence"):
        released_structure({"structural_completeness": "[]"})


def precision_recall(found, labels):
    true = {(video, sign) for video, signs in labels.items() for sign, label in signs.items() if label == "yes"}
    said = {(video, sign) for video, signs in found.items() for sign in signs if sign in vocabulary().names}
    return len(true & said) / len(said), len(true & said) / len(true)


def harmonic(values):
    return 2 / sum(1 / value for value in values)


def _mean(values):
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined)


def _half(truth):
    told = extract(truth["text"]).events[::2]
    return "Seen are " + ", then ".join(name.replace("_", " ") for name in told) + "."


def _sides(row):
    columns = {"head_turning": "left_right_head_turning", "arm_movement": "left_right_arm_movement"}
    given = {sign: (row[column] or "").strip().lower() for sign, column in columns.items()}
    return {sign: side for sign, side in given.items() if side in {"left", "right"}}
