"""Reports name the signs in the order of their onset, with the patient's sides."""

import re

import numpy as np
import pytest
from s3harness_synth.dataset import plan_takes
from s3harness_synth.envelope import Envelope
from s3harness_synth.event import Event
from s3harness_synth.report import write_report
from synth_stage import alone

from s3harness.specs.wording import SIGN_WORDINGS, fill_phrase


def places(take):
    """Where each sign is named in the report, in the order of onset."""
    found = []
    for event in take.script.signs:
        phrases = [fill_phrase(phrase, event.side, event.style) for phrase in SIGN_WORDINGS[event.feature].phrases]
        found.append(min(place for place in (take.report.find(phrase) for phrase in phrases) if place >= 0))
    return found


def test_signs_are_named_in_the_order_of_onset():
    for take in plan_takes(80, seed=2):
        assert places(take) == sorted(places(take)), take.report


def test_texts_are_whole_sentences_without_gaps():
    for take in plan_takes(80, seed=3):
        assert take.report.endswith(".")
        assert not re.search(r"[{}]|  | \.|both arm\b|both hand\b|the both", take.report), take.report


@pytest.mark.parametrize("side", ["left", "right"])
def test_sides_are_said_as_the_patients(side):
    script = alone(
        Event(feature="head_turning", envelope=Envelope(1, 3), side=side),
        Event(feature="arm_flexion", envelope=Envelope(4, 7), side=side),
    )
    report = write_report(script, np.random.default_rng(0))
    assert f"patient's {side}" in report
    assert {"left": "right", "right": "left"}[side] not in report


def test_the_state_afterwards_fits_the_diagnosis():
    events = (Event(feature="close_eyes", envelope=Envelope(1, 3)),)
    reports = {d: write_report(alone(*events, diagnosis=d), np.random.default_rng(0)) for d in ("ES", "NES")}
    assert "Postictally" in reports["ES"]
    assert "without postictal confusion" in reports["NES"]
