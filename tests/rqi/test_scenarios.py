"""Of two reports, the one that every reader of seizure reports prefers scores higher."""

import pytest

from s3harness.testing.known_defects import PAPER_SCENARIOS
from s3harness.testing.scenarios import ranked_wrong, scenarios

SCENARIOS = scenarios()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_strict_prefers_the_better_report(scenario):
    better, worse = scenario.scores("strict")
    assert better > worse


def test_the_first_strict_preset_gets_the_dangerous_wrong():
    """What strict-2 was made for: these pairs strict-1 ranks the other way round, or cannot tell apart."""
    groups = {scenario.name: scenario.group for scenario in SCENARIOS}
    assert {groups[name] for name in ranked_wrong("strict-1")} == {"danger", "doubt", "nothing", "wording", "language"}


def test_what_the_published_formula_gets_wrong_is_known():
    assert set(ranked_wrong("paper")) == set(PAPER_SCENARIOS)


def test_the_list_is_as_varied_as_it_says():
    names = [scenario.name for scenario in SCENARIOS]
    assert len(names) == len(set(names)) >= 139
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
        "danger",
        "doubt",
        "nothing",
        "wording",
        "language",
    }
