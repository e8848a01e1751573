"""The data set says of each sign whether it can be seen at all."""

from dataclasses import replace

import numpy as np
import pytest
from s3harness_synth.dataset import synthesize
from s3harness_synth.envelope import Envelope
from s3harness_synth.event import Event, Examination
from s3harness_synth.observability import LEAST_PIXELS, TRAVEL_M, observe
from s3harness_synth.production import Format
from s3harness_synth.vocabulary import FEATURES
from synth_stage import alone, brightness, read_table, stage, take_of

FULL = Format((640, 360), 25, True)
LASTING = Envelope(1, 7)


def seen(*events, form=FULL, feature=None, **more):
    take = take_of(alone(*events, **more))
    return observe(feature or events[0].feature, take, form)


@pytest.mark.parametrize(
    ("feature", "frequency", "needs"),
    [("clonic", 3.5, 7.0), ("eye_blinking", 3.0, 6.0), ("full_body_shaking", 4.5, 9.0), ("oral_automatisms", 1.5, 3.0)],
)
@pytest.mark.parametrize("fps", [1, 2, 5, 6, 7, 10, 25])
def test_a_rhythm_needs_twice_its_rate(feature, frequency, needs, fps):
    found = seen(
        Event(feature=feature, envelope=LASTING, side="both", frequency=frequency), form=replace(FULL, fps=fps)
    )
    assert found.needs_fps == needs
    assert found.undersampled == (fps < needs)


def test_what_is_held_needs_one_frame_while_it_lasts():
    held = Event(feature="arm_flexion", envelope=Envelope.spanning(1, 5, 0.5), side="left")
    assert seen(held).needs_fps == pytest.approx(0.25)
    assert not seen(held, form=replace(FULL, fps=1)).undersampled


@pytest.mark.parametrize(("height", "too_small"), [(360, False), (180, False), (36, True)])
def test_a_lid_is_below_the_resolution_of_a_tiny_picture(height, too_small):
    found = seen(
        Event(feature="close_eyes", envelope=LASTING), form=replace(FULL, resolution=(height * 16 // 9, height))
    )
    assert found.below_resolution == too_small == (found.size_px < LEAST_PIXELS)


def test_arms_are_seen_where_lids_are_not():
    tiny = replace(FULL, resolution=(64, 36))
    assert not seen(Event(feature="arm_straightening", envelope=LASTING, side="left"), form=tiny).below_resolution


@pytest.mark.parametrize("feature", sorted(TRAVEL_M))
def test_what_counts_as_large_enough_changes_the_picture(feature):
    """The size in pixels is no fiction: where it is large, many pixels change by much."""
    event = Event(feature=feature, envelope=Envelope(2, 7.5), side="left", frequency=2.0, style="forced")
    frames = brightness(stage(alone(event), (320, 180), 5))
    before = frames[:9].mean(axis=0)
    changed = np.abs(frames[15:35] - before).max(axis=0) > 40
    assert seen(event, form=replace(FULL, resolution=(320, 180))).size_px > LEAST_PIXELS
    assert changed.sum() >= 6


@pytest.mark.parametrize(("turned", "hidden"), [("left", True), ("right", False)])
def test_a_cheek_that_is_turned_away_is_occluded(turned, hidden):
    twitching = Event(feature="face_twitching", envelope=Envelope(3, 7), side="left", frequency=2.0)
    assert seen(twitching, Event(feature="head_turning", envelope=Envelope(1, 8), side=turned)).occluded == hidden
    assert not seen(twitching, Event(feature="head_turning", envelope=Envelope(1, 4.2), side=turned)).occluded


def test_what_is_only_heard_is_occluded_in_a_silent_video():
    silent, event = replace(FULL, audio=False), Event(feature="ictal_vocalization", envelope=LASTING, style="moan")
    assert seen(event, form=silent).occluded
    assert not seen(event).occluded
    asked = Examination((2.0,), 1.0)
    assert seen(event, form=silent, feature="verbal_responsiveness", examination=asked).occluded


def test_the_table_has_the_flags_of_every_sign_that_occurs_and_of_no_other(tmp_path):
    synthesize(tmp_path / "out", videos=4, seed=3, resolution=(96, 54), fps=2, duration_s=12.0)
    flags = ("occluded", "below_resolution", "undersampled", "needs_fps")
    kinds = set()
    for row in read_table(tmp_path / "out" / "features.csv"):
        timed = bool(row["start_s"]) and row["feature"] in FEATURES
        assert all(bool(row[flag]) == timed for flag in flags), row
        kinds.add(row["undersampled"])
    assert {"yes", "no"} <= kinds
