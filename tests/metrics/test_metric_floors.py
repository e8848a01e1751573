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
from s3harness.metrics.floors import KINDS, expected_floors, expected_value, floors_for, oracle
from s3harness.metrics.rqi import extract
from s3harness.metrics.typical_report import WORDS, typical_report
from s3harness.specs.features import vocabulary
from s3harness.types import Reference

NAMES = {
    "feature": {"always_yes", "always_no", "commonest", "prevalence"},
    "rationale": {"always_yes", "always_no", "commonest", "prevalence"},
    "laterality": {"always_left", "always_right", "commonest", "prevalence"},
    "boundary": {"window_centre", "window_start", "window_end", "commonest_place", "anywhere"},
    "sequence": {"empty", "commonest_sign", "typical_sequence", "common_sequence", "all_signs"},
    "report": {"empty", "constant_report", "commonest_report", "typical_report"},
    "diagnosis": {"always_ES", "always_NES", "prevalence"},
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


def test_tasks_go_by_their_names_too_and_an_unknown_one_is_named():
    assert set(KINDS.values()) == set(NAMES)
    assert floors_for("s3/task7_diagnosis", []) == {}
    assert set(floors_for("s3/task7_diagnosis", references_of("diagnosis"))) == NAMES["diagnosis"]
    with pytest.raises(UsageError, match=r"'poetry'.*diagnosis"):
        floors_for("poetry", [])


@pytest.mark.parametrize("kind", ["feature", "rationale", "laterality", "diagnosis", "sequence", "boundary", "report"])
def test_no_answerer_looks_at_the_item_it_answers(kind):
    """Exchanging the truths of two items of one subject leaves every answer but the dealt-out ones as it was."""
    references = references_of(kind)
    one, other = (
        n for n, r in enumerate(references) if r.subject == references[0].subject and n in (0, *_later(references))
    )
    swapped = list(references)
    swapped[one] = replace(references[one], truth=references[other].truth, window=references[other].window)
    swapped[other] = replace(references[other], truth=references[one].truth, window=references[one].window)
    before, after = floors_for(kind, references), floors_for(kind, swapped)
    for name in set(before) - {"prevalence"}:
        same = (
            [n for n in range(len(references)) if n not in (one, other)]
            if kind == "boundary"
            else range(len(references))
        )
        assert [before[name][n].value for n in same] == [after[name][n].value for n in same], name


def _later(references: list[Reference]) -> list[int]:
    first = references[0]
    return [n for n, r in enumerate(references) if n and r.subject == first.subject and r.truth != first.truth][:1]


def test_prevalence_deals_out_the_truths_of_each_subject():
    references = [r for r in references_of("feature") if r.truth != "untested"]
    made = floors_for("feature", references)["prevalence"]
    said = Counter((r.subject, p.value) for r, p in zip(references, made, strict=True))
    assert said == Counter((r.subject, r.truth) for r in references)
    assert values(made) != values(oracle(references))
    assert values(floors_for("feature", references, seed=1)["prevalence"]) != values(made)


def test_an_untested_item_is_answered_and_the_rest_keep_their_counts():
    references = references_of("feature")
    made = floors_for("feature", references)["prevalence"]
    assert {p.value for p in made} == {"yes", "no", "na"}


def test_constants_are_worth_chance():
    references = references_of("feature")
    for name in ("always_yes", "always_no", "commonest"):
        pairs = answered(references, floors_for("feature", references)[name])
        assert score(feature_balanced_accuracy(), pairs) == 0.5
        assert score(FeatureAuroc(), pairs) == 0.5


def test_the_middle_of_the_window_is_known_without_the_truth():
    references = [Reference("i", "t", "v", "tonic", 0, 30.0, (20.0, 80.0))]
    floors = floors_for("boundary", references)
    assert values(floors["window_start"]) == [20.0]
    assert values(floors["window_centre"]) == [50.0]
    assert values(floors["window_end"]) == [80.0]
    assert score(boundary_mae(), answered(references, floors["window_centre"])) == 20.0


def test_without_windows_the_median_of_the_boundary_stands_in():
    references = [Reference(f"i{t}", "t", f"v{t}", "tonic", 0, t, None) for t in (5.0, 10.0, 90.0)]
    for made in floors_for("boundary", references).values():
        assert values(made) == [10.0] * 3


def test_sequences_are_made_of_common_signs_in_their_usual_order():
    truths = [[["tonic", 1], ["clonic", 2]], [["tonic", 1], ["clonic", 9]], [["head_turning", 0], ["tonic", 1]], []]
    references = [Reference(f"v{n}", "t", f"v{n}", "sequence", n, truth) for n, truth in enumerate(truths)]
    floors = floors_for("sequence", references)
    assert values(floors["empty"])[0] == []
    assert values(floors["commonest_sign"])[0] == ["tonic"]
    assert values(floors["typical_sequence"])[0] == ["tonic", "clonic"]
    assert values(floors["common_sequence"])[0] == ["head_turning", "tonic", "clonic"]
    assert values(floors["all_signs"])[0] == ["head_turning", "tonic", "clonic"]


def test_a_typical_report_says_what_a_quarter_of_the_reports_say_with_the_commonest_sides():
    turned = ["Head turning to the left, then the left arm extends.", "Head turning to the left, then clonic jerks."]
    texts = [*turned, "Head turning to the right.", "Lip smacking."] * 2
    assert typical_report([*texts, "The patient stares."]) == (
        "Head turning to the left. Afterwards the patient is confused."
    )
    longer = typical_report(texts)
    assert longer.startswith("Head turning to the left, then ")
    assert "extension of the left arm" in longer and "oral automatisms" in longer
    assert typical_report(["The patient moves."]) == typical_report([]) == ""


@pytest.mark.parametrize("sign", vocabulary().names)
def test_the_words_of_the_typical_report_are_read_as_their_sign(sign):
    assert extract(f"{WORDS[sign]}.").events == (sign,)


def test_the_side_constants_leave_the_body_part_to_the_commonest():
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
    assert values(oracle([Reference("i", "t", "v", "s", 0, truth)])) == [answer]


def test_a_blind_answerer_is_scored_at_its_expectation_and_not_at_its_luck():
    references = references_of("diagnosis")
    metric = diagnosis_balanced_accuracy()
    draws = [
        float(metric.value(metric.statistics(answered(references, drawn)).sum(axis=0)))
        for drawn in (floors_for("diagnosis", references, seed=seed)["prevalence"] for seed in range(200))
    ]
    expected = expected_value(metric, expected_floors("diagnosis", references)["prevalence"], references)
    assert expected == pytest.approx(0.5)
    assert max(draws) > expected + 0.02
    assert np.mean(draws) == pytest.approx(expected, abs=0.03)
