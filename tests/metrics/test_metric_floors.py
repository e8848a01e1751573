"""Trivial answerers and the truth itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from metric_cases import METRICS, answered, references_of, score

from s3harness.errors import UsageError
from s3harness.metrics.boundaries import boundary_mae
from s3harness.metrics.diagnosis import diagnosis_balanced_accuracy
from s3harness.metrics.features import FeatureAuroc, feature_balanced_accuracy
from s3harness.metrics.floors import KINDS, answerers, expected_value, floors_for, oracle
from s3harness.metrics.rqi import extract
from s3harness.metrics.typical_report import WORDS, typical_report
from s3harness.specs.features import vocabulary
from s3harness.types import Reference

NAMES = {
    "feature": {"always_yes", "always_no", "coin", "commonest", "prevalence"},
    "rationale": {
        "always_yes",
        "always_no",
        "no_reason",
        "commonest",
        "medoid_yes",
        "medoid_no",
        "prevalence",
        "medoid_coin",
    },
    "laterality": {"always_left", "always_right", "coin", "commonest", "prevalence"},
    "boundary": {"window_centre", "window_start", "window_end", "commonest_place", "anywhere"},
    "sequence": {"empty", "commonest_sign", "typical_sequence", "common_sequence", "all_signs"},
    "report": {"empty", "constant_report", "commonest_report", "typical_report", "detailed_report"},
    "diagnosis": {"always_ES", "always_NES", "coin", "prevalence"},
    "seizures": {"never", "always", "rate_matched", "night_only"},
}


def values(predictions):
    return [prediction.value for prediction in predictions]


@pytest.mark.parametrize("kind", METRICS)
def test_each_kind_has_its_answerers_and_each_answers_every_item_in_order(kind):
    references = references_of(kind)
    floors = floors_for(kind, references)
    assert set(floors) == NAMES[kind]
    for made in floors.values():
        assert [p.item for p in made] == [r.item for r in references]
        assert all(p.value is not None for p in made)
    assert floors == floors_for(kind, references)


def test_every_kind_has_a_name_and_an_unknown_one_is_an_error():
    assert set(KINDS) == set(NAMES)
    assert floors_for("diagnosis", []) == {}
    assert set(floors_for("diagnosis", references_of("diagnosis"))) == NAMES["diagnosis"]
    with pytest.raises(UsageError, match=r"'poetry'.*diagnosis"):
        floors_for("poetry", [])


SCRAMBLED = {
    "feature": lambda truth: "yes" if truth == "no" else "no",
    "rationale": lambda truth: {"present": "yes", "text": "Nobody else ever wrote this sentence."},
    "laterality": lambda truth: "right" if truth == "left" else "left",
    "boundary": lambda truth: truth + 7.0,
    "sequence": lambda truth: [["pelvic_thrusting", 1.0], *truth],
    "report": lambda truth: {**truth, "text": "Pelvic thrusting, then pelvic thrusting, then a blank stare."},
    "diagnosis": lambda truth: "NES" if truth == "ES" else "ES",
}
"""Kind → a very different truth."""


@pytest.mark.parametrize("kind", METRICS)
def test_what_is_true_of_a_patient_changes_no_answer_about_that_patient(kind):
    """Nor do the times, reports and sentences: everything that is fitted is fitted on the other patients."""
    references = references_of(kind)
    (patient, *_) = {r.cluster for r in references}
    changed = [replace(r, truth=SCRAMBLED[kind](r.truth)) if r.cluster == patient else r for r in references]
    before, after = floors_for(kind, references), floors_for(kind, changed)
    own = [number for number, r in enumerate(references) if r.cluster == patient]
    assert own
    assert before.keys() == after.keys() == NAMES[kind]
    for name in before:
        assert [before[name][n] for n in own] == [after[name][n] for n in own], name


@pytest.mark.parametrize("kind", METRICS)
def test_fitted_on_a_training_split_no_answer_depends_on_the_items_scored(kind):
    references = references_of(kind)
    patients = sorted({r.cluster for r in references})
    training = [r for r in references if r.cluster in patients[::2]]
    scored = [r for r in references if r.cluster in patients[1::2]]
    changed = [replace(r, truth=SCRAMBLED[kind](r.truth)) for r in scored]
    assert floors_for(kind, scored, training=training) == floors_for(kind, changed, training=training)


@pytest.mark.parametrize("kind", METRICS)
def test_the_name_of_a_floor_says_how_it_was_fitted_and_a_constant_needs_no_fitting(kind):
    references = references_of(kind)
    left_out, trained = answerers(kind, references), answerers(kind, references, training=references)
    for name, floor in left_out.floors.items():
        how = (" (leave-patient-out)", " (train)") if floor.is_fitted else ("", "")
        assert (left_out.title(name), trained.title(name)) == (name + how[0], name + how[1])
    constants = {name for name, floor in left_out.floors.items() if not floor.is_fitted}
    assert (
        constants
        == {
            "feature": {"always_yes", "always_no", "coin"},
            "rationale": {"no_reason"},
            "laterality": {"always_left", "always_right", "coin"},
            "boundary": {"window_centre", "window_start", "window_end", "anywhere"},
            "sequence": {"empty"},
            "report": {"empty", "constant_report"},
            "diagnosis": {"always_ES", "always_NES", "coin"},
        }[kind]
    )


@pytest.mark.parametrize("kind", METRICS)
def test_of_one_patient_alone_nothing_is_fitted(kind):
    references = [replace(r, cluster=3) for r in references_of(kind)]
    offered = answerers(kind, references)
    assert not any(floor.is_fitted for floor in offered.floors.values())
    assert set(floors_for(kind, references)) == set(offered.floors)
    assert set(floors_for(kind, references)) < NAMES[kind]


def test_leaving_a_patient_out_is_what_refitting_without_that_patient_is():
    """The counts of a patient are subtracted from those of all; the answers are those of a fit on the others."""
    for kind in METRICS:
        references = references_of(kind)
        patient = references[0].cluster
        own = [r for r in references if r.cluster == patient]
        others = [r for r in references if r.cluster != patient]
        left_out, refitted = answerers(kind, references), answerers(kind, own, training=others)
        for name, floor in left_out.floors.items():
            for (part, weigh), (same, weigh_same) in zip(floor.mixture, refitted.floors[name].mixture, strict=False):
                if part == same and not part.startswith("label"):
                    assert list(map(left_out.says[part], own)) == list(map(refitted.says[same], own)), (kind, name)
                    assert weigh(own) == pytest.approx(weigh_same(own)), (kind, name)


def test_prevalence_answers_as_often_as_is_true_of_each_subject():
    references = [r for r in references_of("feature") if r.truth != "untested"]
    made = floors_for("feature", references, training=references)["prevalence"]
    said = Counter((r.subject, p.value) for r, p in zip(references, made, strict=True))
    true = Counter((r.subject, r.truth) for r in references)
    assert all(abs(said[key] - true[key]) <= 1 for key in true)
    assert values(made) != values(oracle(references))
    other = floors_for("feature", references, seed=1, training=references)["prevalence"]
    assert values(other) != values(made)


def sentences(*texts, subject="tonic", present="no"):
    """Task 2's items of as many patients, who each have one sentence."""
    return [
        Reference(
            item=f"i{n}",
            task="t",
            video_id=f"v{n}",
            subject=subject,
            cluster=n,
            truth={"present": present, "text": text},
        )
        for n, text in enumerate(texts)
    ]


def test_the_medoid_is_the_sentence_of_other_patients_most_like_all_of_theirs():
    typical = "the arms do not stiffen at any time"
    texts = [typical, "the arms do not stiffen", "arms do not stiffen at any time", "no", "no", typical + " today"]
    made = values(floors_for("rationale", sentences(*texts))["medoid_no"])
    assert made[1] == made[3] == {"present": "no", "text": typical}
    assert made[0]["text"] != typical, "the patient who has it alone is left out"
    common = values(floors_for("rationale", sentences(*texts))["always_no"])
    assert common[0] == {"present": "no", "text": "no"}


def reported(*events):
    """The question of Task 7 that shows the report: (report, diagnosis), each of a patient."""
    return [
        Reference(
            item=f"i{n}", task="t", video_id=f"v{n}", subject="video_and_report", cluster=n, truth=label, report=report
        )
        for n, (report, label) in enumerate(events)
    ]


def test_a_question_that_shows_the_report_has_the_report_alone_as_its_floor():
    tonic, shaking = "The arms stiffen, then clonic jerks.", "Side to side head shaking with eyes closed."
    references = reported(*[(tonic, "ES"), (shaking, "NES")] * 6)
    floors = floors_for("diagnosis", references)
    assert values(floors["report_classifier"]) == [r.truth for r in references]
    without = [replace(r, report="") for r in references]
    assert "report_classifier" not in floors_for("diagnosis", without)
    one_class = [replace(r, truth="ES") for r in references]
    assert set(values(floors_for("diagnosis", one_class)["report_classifier"])) == {"ES"}


def test_the_classifier_of_reports_learns_nothing_from_the_patient_it_answers_about():
    """Every patient has a word of their own in all reports, which would give the diagnosis away."""
    events = [(f"Patient word{n} moves about.", "ES" if n % 2 else "NES") for n in range(20)]
    references = [
        replace(r, cluster=r.cluster % 20, item=f"{r.item}/{copy}") for copy in range(3) for r in reported(*events)
    ]
    said = floors_for("diagnosis", references)["report_classifier"]
    right = [p.value == r.truth for r, p in zip(references, said, strict=True)]
    assert sum(right) <= 0.6 * len(right)


@pytest.mark.parametrize("kind", METRICS)
def test_the_simulated_reader_errs_as_often_as_its_name_says(kind):
    references = references_of(kind)
    reader = answerers(kind, references).reader
    weights = np.array([weigh(references) for _, weigh in reader.mixture])
    assert weights.sum(axis=0) == pytest.approx(1.0)
    assert reader.name.startswith("reader: ")
    if kind in ("feature", "diagnosis", "laterality"):
        says = answerers(kind, references).says
        right = [[says[part](r).value == r.truth for r in references] for part, _ in reader.mixture]
        known = [n for n, r in enumerate(references) if r.truth != "untested"]
        assert (np.array(right) * weights).sum(axis=0)[known] == pytest.approx(0.75)


def test_constants_are_worth_chance():
    references = references_of("feature")
    for name in ("always_yes", "always_no", "commonest"):
        pairs = answered(references, floors_for("feature", references, training=references)[name])
        assert score(feature_balanced_accuracy(), pairs) == 0.5
        assert score(FeatureAuroc(), pairs) == 0.5


def test_the_middle_of_the_window_is_known_without_the_truth():
    references = [
        Reference(item="i", task="t", video_id="v", subject="tonic", cluster=0, truth=30.0, window=(20.0, 80.0))
    ]
    floors = floors_for("boundary", references)
    assert "commonest_place" not in floors, "there is no other patient to know it from"
    assert values(floors["window_start"]) == [20.0]
    assert values(floors["window_centre"]) == [50.0]
    assert values(floors["window_end"]) == [80.0]
    assert score(boundary_mae(), answered(references, floors["window_centre"])) == 20.0


def test_without_windows_the_median_of_the_boundary_stands_in():
    references = [
        Reference(item=f"i{t}", task="t", video_id=f"v{t}", subject="tonic", cluster=n, truth=t, window=None)
        for n, t in enumerate((5.0, 10.0, 90.0))
    ]
    for made in floors_for("boundary", references, training=references).values():
        assert values(made) == [10.0] * 3
    for made in floors_for("boundary", references).values():
        assert values(made) == [50.0, 47.5, 7.5]
    assert answerers("boundary", references).title("window_centre") == "window_centre (leave-patient-out)"


def test_sequences_are_made_of_common_signs_in_their_usual_order():
    truths = [[["tonic", 1], ["clonic", 2]], [["tonic", 1], ["clonic", 9]], [["head_turning", 0], ["tonic", 1]], []]
    references = [
        Reference(item=f"v{n}", task="t", video_id=f"v{n}", subject="sequence", cluster=n, truth=truth)
        for n, truth in enumerate(truths)
    ]
    floors = floors_for("sequence", references, training=references)
    assert values(floors["empty"])[0] == []
    assert values(floors["commonest_sign"])[0] == ["tonic"]
    assert values(floors["typical_sequence"])[0] == ["tonic", "clonic"]
    assert values(floors["common_sequence"])[0] == ["head_turning", "tonic", "clonic"]
    assert values(floors["all_signs"])[0] == ["head_turning", "tonic", "clonic"]


def test_a_typical_report_names_as_many_signs_as_reports_do_with_the_commonest_sides():
    turned = ["Head turning to the left, then the left arm extends.", "Head turning to the left, then clonic jerks."]
    typical = typical_report([*turned, "Head turning to the right.", "Lip smacking."])
    assert typical.startswith("Head turning to the left, then ")
    assert typical.count(", then ") == 1, "four reports name six signs, so that a typical one names two"
    assert typical.endswith("Afterwards the patient is confused.")
    assert typical_report(["Head turning to the left."]) == (
        "Head turning to the left. Afterwards the patient is confused."
    )
    assert typical_report(["The patient moves."]) == typical_report([]) == ""


@pytest.mark.parametrize("sign", vocabulary().names)
def test_the_words_of_the_typical_report_are_read_as_their_sign(sign):
    assert extract(f"{WORDS[sign]}.").events == (sign,)


def test_the_side_constants_have_a_constant_for_the_body_part_too():
    references = references_of("laterality")
    made = floors_for("laterality", references)["always_right"]
    said = {r.subject: p.value for r, p in zip(references, made, strict=True)}
    assert said == {"head_turning": "right", "arm_movement": "right", "onset_body_part": "head"}


@pytest.mark.parametrize(
    ("truth", "answer"),
    [
        ("untested", "na"),
        ("yes", "yes"),
        ({"present": "untested", "text": "a"}, {"present": "na", "text": "a"}),
        ({"present": "no", "text": "a"}, {"present": "no", "text": "a"}),
        ({"text": "a", "events": []}, "a"),
        ([["tonic", 3.0], ["clonic", 4.0]], ["tonic", "clonic"]),
        (12.5, 12.5),
    ],
)
def test_the_oracle_says_the_truth_in_the_form_of_an_answer(truth, answer):
    assert values(oracle([Reference(item="i", task="t", video_id="v", subject="s", cluster=0, truth=truth)])) == [
        answer
    ]


def test_a_blind_answerer_is_scored_at_its_expectation_and_not_at_its_luck():
    references = references_of("diagnosis")
    metric = diagnosis_balanced_accuracy()
    draws = [
        float(metric.value(metric.statistics(answered(references, drawn)).sum(axis=0)))
        for drawn in (
            floors_for("diagnosis", references, seed=seed, training=references)["prevalence"] for seed in range(200)
        )
    ]
    offered = answerers("diagnosis", references, training=references)
    expected = expected_value(metric, offered, "prevalence", references)
    assert expected == pytest.approx(0.5)
    assert max(draws) > expected + 0.02
    assert np.mean(draws) == pytest.approx(expected, abs=0.03)
