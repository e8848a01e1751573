"""Of two reports, the one that every reader of seizure reports prefers scores higher."""

import pytest

from s3harness.testing.known import PAPER_SCENARIOS
from s3harness.testing.scenarios import ranked_wrong, scenarios

SCENARIOS = scenarios()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_strict_prefers_the_better_report(scenario):
    better, worse = scenario.scores("strict")
    assert better > worse


def test_what_the_published_formula_gets_wrong_is_known():
    assert set(ranked_wrong("paper")) == set(PAPER_SCENARIOS)


def test_the_list_is_as_varied_as_it_says():
    names = [scenario.name for scenario in SCENARIOS]
    assert len(names) == len(set(names)) >= 60
    groups = {scenario.group for scenario in SCENARIOS}
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
