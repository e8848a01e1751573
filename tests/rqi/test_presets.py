"""A preset's name never changes its meaning: what it scored when it was made it scores for ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from s3harness.metrics.rqi import SeizureRQI, parse_preset, preset_name
from s3harness.metrics.rqi.extract import extract, extract_first
from s3harness.testing.scenarios import scenarios

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text(encoding="utf-8"))
"""Scenario → preset → the scores of its two reports, computed with the first version of the rules."""
BY_NAME = {scenario.name: scenario for scenario in scenarios()}


@pytest.mark.parametrize("preset", ["strict-1", "paper"])
def test_frozen_presets_score_what_they_scored(preset):
    assert len(RECORDED) >= 100
    scored = {name: list(BY_NAME[name].scores(preset)) for name in RECORDED}
    assert scored == {name: values[preset] for name, values in RECORDED.items()}


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("strict", "strict-2"),
        ("rqi", "strict-2"),
        ("strict-1", "strict-1"),
        ("paper", "paper"),
        ("strict+length", "strict-2+length"),
        ("strict-1+length", "strict-1+length"),
    ],
)
def test_strict_means_the_newest_and_results_name_it(name, full):
    assert preset_name(name) == parse_preset(name).name == SeizureRQI(name).preset.name == full


def test_frozen_presets_read_with_the_frozen_lexicon():
    assert {name: parse_preset(name).read for name in ("paper", "strict-1", "strict-2")} == {
        "paper": extract_first,
        "strict-1": extract_first,
        "strict-2": extract,
    }
