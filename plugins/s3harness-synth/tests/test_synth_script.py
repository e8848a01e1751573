"""Scripts can be acted out, and say what the benchmark needs to know."""

from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from s3harness_synth.coherence import excludes
from s3harness_synth.dataset import plan_takes
from s3harness_synth.envelope import VISIBLE_WEIGHT, Envelope
from s3harness_synth.event import Event, Examination
from s3harness_synth.patient import sample_patient
from s3harness_synth.primitives import jerk_moments
from s3harness_synth.script import sample_script
from s3harness_synth.truth import feature_labels, first_arm_movement, onset_body_part
from s3harness_synth.vocabulary import FEATURES, SIDED, opposite
from synth_stage import alone

seconds = st.floats(0.5, 60)


def drawn_script(seed, diagnosis, duration_s):
    patient = sample_patient(1, diagnosis, np.random.default_rng(seed))
    return sample_script(patient, np.random.default_rng([seed, 1]), duration_s)


scripts = st.builds(drawn_script, st.integers(0, 2**32), st.sampled_from(["ES", "NES"]), st.none() | st.floats(5, 180))


@given(scripts)
def test_every_sign_lies_within_the_video_and_lasts(script):
    assert script.signs
    for event in script.events:
        onset, offset = event.interval
        assert 0 <= onset < offset <= script.duration_s


@given(scripts)
def test_signs_that_exclude_each_other_are_never_on_together(script):
    times = np.arange(0, script.duration_s, 0.1)
    for first, second in combinations(script.events, 2):
        if excludes(first, second):
            both = np.minimum(first.envelope.weight(times), second.envelope.weight(times))
            assert both.max() < 0.15, (first, second)


@given(scripts)
def test_a_sign_is_seen_to_begin_and_to_end_and_rests_only_between(script):
    for event in script.events:
        onset, offset = event.interval
        assert event.envelope.weight(np.array([onset + 0.02, offset - 0.02])).min() > 0.9 * VISIBLE_WEIGHT, event


@given(scripts)
def test_signs_have_a_side_where_they_can(script):
    for event in script.signs:
        assert (event.side is not None) == (event.feature in SIDED) or event.feature == "asynchronous_movement", event
    for feature, label in feature_labels(script).items():
        assert label.present != "yes" or (label.side is not None) == (feature in SIDED or feature == "arm_movement")


@given(scripts)
def test_figure4_is_one_arm_straight_and_the_other_bent_throughout(script):
    figure = script.find("figure4")
    if figure is not None:
        straight, bent = script.find("arm_straightening"), script.find("arm_flexion")
        assert (straight.side, bent.side) == (figure.side, opposite(figure.side))
        for part in (straight, bent):
            assert part.interval[0] <= figure.interval[0] < figure.interval[1] <= part.interval[1]


@given(start=st.floats(0, 50), length=seconds, rise=st.floats(0.05, 5), fall=st.floats(0.05, 5))
def test_the_stated_interval_is_where_the_envelope_is_up(start, length, rise, fall):
    envelope = Envelope(start, start + length, rise, fall)
    times = np.arange(0, start + length + 2, 0.002)
    up = times[envelope.weight(times) >= VISIBLE_WEIGHT]
    assert np.allclose((up[0], up[-1]), envelope.interval, atol=0.004)


def test_every_feature_occurs_in_some_video_of_a_large_sample():
    takes = plan_takes(450, seed=5)
    present = Counter(
        feature for take in takes for feature, label in feature_labels(take.script).items() if label.present == "yes"
    )
    assert all(present[feature] >= 3 for feature in FEATURES), present
    tested = Counter(feature_labels(take.script)["verbal_responsiveness"].present for take in takes)
    assert min(tested["yes"], tested["no"], tested["untested"]) > 20


def test_a_patients_epileptic_events_are_more_alike_than_strangers():
    def signs(patient, number):
        return {event.feature for event in sample_script(patient, np.random.default_rng(number), 60.0).signs}

    def likeness(pairs):
        return np.mean([len(a & b) / len(a | b) for a, b in pairs])

    patients = [sample_patient(n, "ES", np.random.default_rng(n)) for n in range(60)]
    own = likeness([(signs(p, 2 * p.number), signs(p, 2 * p.number + 1)) for p in patients])
    foreign = likeness([(signs(p, 7), signs(q, 8)) for p, q in pairwise(patients)])
    assert own > foreign + 0.15


@given(start=st.floats(0, 20), length=st.floats(2, 60), first=st.floats(2, 4), last=st.floats(0.5, 1.5))
def test_gaps_between_clonic_jerks_lengthen(start, length, first, last):
    gaps = np.diff(jerk_moments(start, start + length, first, last))
    assert np.all(np.diff(gaps) > 0)
    assert gaps[0] == pytest.approx(1 / first)
    assert gaps[-1] <= 1 / last


def test_responsiveness_is_untested_unless_somebody_asks():
    event = Event(feature="blank_stare", envelope=Envelope(1, 7))
    labels = {
        name: feature_labels(alone(event, examination=examination))["verbal_responsiveness"]
        for name, examination in {
            "untested": None,
            "no": Examination((3.0,), None),
            "yes": Examination((1.0, 3.0), 0.5),
        }.items()
    }
    assert {name: label.present for name, label in labels.items()} == {name: name for name in labels}
    assert (labels["yes"].start_s, labels["yes"].end_s) == (3.0, 6.4)


@pytest.mark.parametrize(
    ("events", "side"),
    [
        ([("arm_flexion", 2, "left"), ("arm_straightening", 4, "right")], "left"),
        ([("arm_flexion", 4, "left"), ("arm_straightening", 2, "right")], "right"),
        ([("head_turning", 1, "left"), ("figure4", 3, "right")], "right"),
        ([("arm_flexion", 2, "both"), ("arm_straightening", 4, "right")], None),
        ([("arm_flexion", 2, "left"), ("arm_straightening", 2.1, "right")], None),
        ([("head_turning", 1, "left")], None),
    ],
)
def test_arm_movement_is_the_arm_that_moves_first_alone(events, side):
    script = alone(
        *(Event(feature=feature, envelope=Envelope(start, 7), side=which) for feature, start, which in events)
    )
    movement = first_arm_movement(script)
    assert (movement.side if movement else None) == side
    assert ("arm_movement" in feature_labels(script)) == (side is not None)


@pytest.mark.parametrize(
    ("feature", "side", "part"),
    [
        ("head_turning", "left", "head"),
        ("close_eyes", None, "eyes"),
        ("oral_automatisms", None, "mouth"),
        ("face_twitching", "right", "face"),
        ("arm_flexion", "left", "left arm"),
        ("arm_straightening", "both", "arms"),
        ("tonic", "both", "full body"),
        ("tonic", "right", "right leg"),
        ("full_body_shaking", None, "full body"),
    ],
)
def test_onset_body_part_is_where_the_first_sign_is(feature, side, part):
    later = Event(feature="ictal_vocalization", envelope=Envelope(5, 7), style="cry")
    assert onset_body_part(alone(Event(feature=feature, envelope=Envelope(1, 7), side=side), later)) == part
