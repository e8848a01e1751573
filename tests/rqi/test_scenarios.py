"""Of two reports, the one that every reader of seizure reports prefers scores higher."""

import pytest

from s3harness.metrics.rqi import extract, report_truth, score_report
from s3harness.specs.document import read_document, specs_directory

SCENARIOS = read_document(specs_directory() / "rqi_scenarios.yaml").data["scenarios"]

DEFECTS_OF_PAPER = {
    "side_against_the_annotators": "sides that only annotators gave are never looked at",
    "untested_is_no_invention": "what nobody tested counts as invented",
    "a_true_side_the_expert_left_out": "two silences agree, so that a true side costs points",
    "sleep_in_a_rich_report": "sleep is in no sequence, so that it always counts as invented",
    "empty_report_on_an_empty_event": "an empty report earns half of the points by agreeing that nothing was said",
    "advice_in_a_poor_report": "the cap of 50 does not touch a report that has less",
}
"""What the published formula gets wrong, on structures read by the rules."""


def scores(scenario, preset):
    expert = scenario["expert"]
    held_against = report_truth(
        {
            "text": expert,
            "events": scenario.get("labels", [e for e in extract(expert).events if e != "occur_during_sleep"]),
            "sides": scenario.get("sides", {}),
            "untested": scenario.get("untested", []),
        }
    )
    worse = " ".join([scenario["worse"]] * scenario.get("worse_times", 1))
    return tuple(score_report(text, held_against, preset).value for text in (scenario["better"], worse))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
def test_strict_prefers_the_better_report(scenario):
    better, worse = scores(scenario, "strict")
    assert better > worse


def test_what_the_published_formula_gets_wrong_is_known():
    failed = set()
    for scenario in SCENARIOS:
        better, worse = scores(scenario, "paper")
        if better <= worse:
            failed.add(scenario["name"])
    assert failed == set(DEFECTS_OF_PAPER)


def test_the_list_is_as_varied_as_it_says():
    names = [scenario["name"] for scenario in SCENARIOS]
    assert len(names) == len(set(names)) >= 60
    groups = {scenario["group"] for scenario in SCENARIOS}
    assert groups == {
        "laterality",
        "order",
        "hallucination",
        "negation",
        "coverage",
        "phases",
        "off_topic",
        "hazard",
        "length",
    }
