"""``strict-2`` pays for what is right, takes for what is dangerous, and says where it cannot tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from s3harness.metrics.base import Pair
from s3harness.metrics.rqi import ReportStructure, ReportTruth, SeizureRQI, extract, score_report, score_structures
from s3harness.metrics.rqi.score import parse_preset
from s3harness.metrics.rqi.weighed import LESS_SPECIFIC
from s3harness.scoring.score_task import score_task
from s3harness.specs.features import vocabulary
from s3harness.specs.loading import load_task
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import resolve
from s3harness.types import Prediction, Reference

STRICT = parse_preset("strict-2")
NAMES = [name for name in vocabulary().names if name not in {*LESS_SPECIFIC, *LESS_SPECIFIC.values()}]
EXPERT = (
    "The patient wakes from sleep and stares. The head turns to the left, then the left arm extends while the right "
    "arm flexes. Tonic stiffening and clonic jerking of the left face follow. Afterwards confused."
)


def rqi(report, expert=EXPERT, **truth):
    return score_report(report, {"text": expert, **truth}, STRICT).value


@pytest.mark.parametrize(
    "expert",
    [
        "No events",
        "The patient pushed the button to report a headache.",
        "No clinical change was noted.",
        "Focal impaired seizure arising from the posterior quadrant",
    ],
)
def test_the_score_is_undefined_where_the_expert_names_no_sign(expert):
    for report in ("Hello.", "", "A bilateral tonic-clonic seizure.", expert):
        score = score_report(report, {"text": expert}, STRICT)
        assert score.value is None
        assert score.undefined == "no sign in the expert's report"


VOCABULARY = ", ".join(name.replace("_", " ") for name in vocabulary().names)


@pytest.mark.parametrize(
    "report",
    [
        "",
        "Hello.",
        "unknown",
        "n/a",
        "Seizure.",
        "No abnormal movements are visible.",
        f"There are no signs of {VOCABULARY}.",
        f"No {VOCABULARY}.".replace(", ", ", no "),
        "Head turning or no head turning. Staring or no staring. Clonic jerks or no clonic jerks.",
        "Describe the first sign, how the signs follow each other, on which of the patient's own sides they are.",
        "Left. The left arm.",
        "Afterwards the patient is confused.",
        "Der Kopf dreht sich nach links, dann streckt sich der linke Arm.",
    ],
)
def test_nothing_earns_nothing(report):
    assert rqi(report) == 0


def test_all_sides_wrong_is_far_below_no_side():
    flipped = EXPERT.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right")
    without = EXPERT.replace(" to the left", "").replace("the left ", "the ").replace("the right ", "the other ")
    scores = {"right": rqi(EXPERT), "without": rqi(without), "flipped": rqi(flipped)}
    assert scores["right"] == 100
    assert scores["without"] == pytest.approx(75)
    assert scores["flipped"] == pytest.approx(50)


def test_a_tossed_coin_earns_what_silence_about_sides_earns():
    right, wrong = (rqi(f"The head turns to the {side}.") for side in ("left", "right"))
    assert (right + wrong) / 2 == pytest.approx(rqi("The head turns."))
    assert rqi("The head turns to the left and the head turns to the right.") == pytest.approx(rqi("The head turns."))


@pytest.mark.parametrize(
    ("text", "certainty"),
    [
        ("The arm may extend.", {"arm_straightening": 0.5}),
        ("Possible chewing, staring and blinking.", {"oral_automatisms": 0.5, "blank_stare": 0.5, "eye_blinking": 0.5}),
        ("Chewing; staring is possible.", {"blank_stare": 0.5}),
        ("Chewing in some episodes, staring.", {"oral_automatisms": 0.5}),
        ("In some episodes, the patient chews and stares.", {"oral_automatisms": 0.5, "blank_stare": 0.5}),
        ("Chewing with or without staring.", {"blank_stare": 0.5}),
        ("Chewing or staring.", {"oral_automatisms": 0.5, "blank_stare": 0.5}),
        ("Chewing, staring, or blinking.", {"oral_automatisms": 1 / 3, "blank_stare": 1 / 3, "eye_blinking": 1 / 3}),
        ("Possibly chewing or staring.", {"oral_automatisms": 0.25, "blank_stare": 0.25}),
        ("Chewing or lip smacking.", {}),
        ("Tonic-clonic or clonic movements.", {"tonic": 0.5}),
        ("Maybe chewing. Certainly chewing.", {}),
        ("Chewing. There is no chewing.", {"oral_automatisms": 0.5}),
        ("No chewing at first. Then chewing.", {}),
        ("The left or right arm extends.", {}),
        ("The patient could not answer and chews.", {}),
    ],
)
def test_doubt_and_alternatives_have_their_weight(text, certainty):
    assert extract(text).certainty == pytest.approx(certainty)


@pytest.mark.parametrize(
    "text", ["Chewing or no chewing.", "Chewing, and no chewing.", "Chewing or no specified chewing."]
)
def test_what_is_told_and_denied_in_one_breath_is_neither(text):
    structure = extract(text)
    assert (structure.events, structure.denied, structure.contradicted) == ((), frozenset(), {"oral_automatisms"})


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("The patient becomes unresponsive.", ("unresponsiveness",)),
        ("He does not follow commands.", ("unresponsiveness",)),
        ("She does not respond to questions.", ("unresponsiveness",)),
        ("He kicks with both legs and yawns.", ("kicking", "yawning")),
        ("Gaze deviation to the left.", ("gaze_deviation",)),
        ("The eyes deviate to the right.", ("gaze_deviation",)),
        ("A brief head drop.", ("head_drop",)),
        ("The patient is responsive.", ()),
        ("No kicking.", ()),
    ],
)
def test_signs_beyond_the_vocabulary_are_read(text, other):
    assert extract(text).other == other
    assert set(extract(text).events) <= set(vocabulary().names)


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("The left arm is shaking rhythmically.", "left"),
        ("Rhythmic, coarse shaking of the right leg.", "right"),
        ("Rhythmic jerking and shaking.", "none"),
    ],
)
def test_a_rhythmic_shaking_is_clonic_and_has_its_side(text, side):
    structure = extract(text)
    assert "clonic" in structure.events
    assert structure.side("first_motor_laterality") == side


def test_what_is_not_rhythmic_is_not_clonic():
    assert "clonic" not in extract("Non-rhythmic shaking of the arms.").events
    assert "clonic" not in extract("The arms shake, not rhythmically.").events


def test_a_vague_name_is_half_of_a_clonic_phase_and_no_invention():
    vague, exact = (
        score_report(report, {"text": "Clonic jerks."}, STRICT) for report in ("Whole-body shaking.", "Clonic jerks.")
    )
    assert (vague.components["C"].value, exact.components["C"].value) == (0.5, 1)
    assert vague.penalties["invention"].multiplier == 1
    assert rqi("A tonic-clonic seizure.", "Whole-body shaking.") == 0


def test_responsive_for_unresponsive_earns_nothing():
    assert rqi("The patient answers questions.", "Patient became unresponsive.") == 0
    assert rqi("Patient does not respond.", "Patient became unresponsive.") == 100
    expert = "Staring. Answers questions."
    assert rqi("Staring. Does not respond.", expert) < rqi("Staring.", expert)


def test_a_report_that_the_rules_cannot_read_says_so():
    report = "Der Kopf dreht sich nach links, dann streckt sich der linke Arm."
    assert score_report(report, {"text": EXPERT}, STRICT).unread == "report in German"
    assert score_report(EXPERT, {"text": report}, STRICT).undefined == "expert's report in German"
    assert score_report(report, {"text": EXPERT}, STRICT, extract).unread == "", "a judge may read any language"


# --- the metric --------------------------------------------------------------------------------------------------


def pair(number, expert, report, status="answered"):
    reference = Reference(
        item=f"i{number}",
        task="s3/task6_report",
        video_id=f"v{number}",
        subject="report",
        cluster=number,
        truth={"text": expert},
    )
    return Pair(reference, Prediction(f"i{number}", report, status))


def test_videos_without_a_defined_score_are_left_out_of_the_mean_whatever_was_answered():
    metric = SeizureRQI()
    pairs = [pair(1, EXPERT, EXPERT), pair(2, "No events", "Hello."), pair(3, "No events", None, "failed")]
    rows = metric.statistics(pairs)
    assert metric.value(rows.sum(axis=0)) == 100
    assert not rows[1:].any()
    assert [metric.left_out(one.reference) for one in pairs] == ["", *["no sign in the expert's report"] * 2]


def test_a_report_in_another_language_counts_as_wrong():
    metric = SeizureRQI()
    german = pair(1, EXPERT, "Der Kopf dreht sich nach links und der Patient schreit laut.")
    assert metric.unread(german) == "report in German"
    assert metric.statistics([german])[0, :2].tolist() == [0, 1]


def test_scores_count_what_was_left_out_and_what_could_not_be_read():
    spec = resolve(load_task("6").data, protocol="strict", profile="strict", model=ModelCard("made-up"))
    german = "Der Kopf dreht sich nach links und der Patient schreit laut."
    pairs = [pair(1, EXPERT, EXPERT), pair(2, "No events", "Hello."), pair(3, EXPERT, german), pair(4, german, EXPERT)]
    scores = score_task(spec, [p.reference for p in pairs], [p.prediction for p in pairs], resamples=50)
    primary = next(score for score in scores if score.primary)
    assert (primary.n_items, primary.n_patients, primary.coverage, primary.value) == (2, 2, 0.5, 50)
    assert primary.lost == {
        "left out: expert's report in German": 1,
        "left out: no sign in the expert's report": 1,
        "report in German": 1,
    }
    assert primary.ceiling == 100


# --- monotone -----------------------------------------------------------------------------------------------------

sign_lists = st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=8)


def structure(events, **changes):
    return replace(ReportStructure(components=frozenset({"onset"}), events=tuple(events), words=20), **changes)


def value(told, truth):
    return score_structures(told, truth, STRICT).points


@given(sign_lists, sign_lists, st.data())
def test_leaving_out_a_right_sign_never_raises_the_score(told, expert, data):
    right = [sign for sign in told if sign in expert]
    assume(right)
    dropped = data.draw(st.sampled_from(right))
    truth = ReportTruth(structure(expert))
    fewer = structure([sign for sign in told if sign != dropped])
    assert value(fewer, truth) <= value(structure(told), truth) + 1e-9


@given(sign_lists, sign_lists, st.sampled_from(NAMES), st.integers(0, 8), st.sampled_from([0.25, 0.5, 1.0]))
def test_adding_a_wrong_sign_never_raises_the_score(told, expert, wrong, place, certainty):
    assume(wrong not in told and wrong not in expert)
    truth = ReportTruth(structure(expert))
    more = structure([*told[:place], wrong, *told[place:]], certainty={wrong: certainty})
    assert value(more, truth) <= value(structure(told), truth) + 1e-9


@given(sign_lists, sign_lists, st.sampled_from(NAMES))
def test_denying_a_sign_of_the_experts_never_raises_the_score(told, expert, denied):
    assume(denied not in told)
    truth = ReportTruth(structure(expert))
    assert value(structure(told, denied=frozenset({denied})), truth) <= value(structure(told), truth) + 1e-9


@given(sign_lists, sign_lists, st.data())
def test_doubting_a_sign_never_raises_the_score(told, expert, data):
    doubted = data.draw(st.sampled_from(told))
    truth = ReportTruth(structure(expert))
    assert value(structure(told, certainty={doubted: 0.5}), truth) <= value(structure(told), truth) + 1e-9


KEYS = ("head_turning", "first_motor_laterality", "figure_4")


@given(st.lists(st.sampled_from(["left", "right", "none"]), min_size=3, max_size=3), sign_lists, st.data())
def test_turning_one_more_side_round_never_raises_the_score(sides, told, data):
    truth = ReportTruth(structure(NAMES[:6], laterality=dict(zip(KEYS, sides, strict=True))))
    turned = {"left": "right", "right": "left", "none": "none"}
    flips = data.draw(st.permutations(KEYS))
    said = dict(zip(KEYS, sides, strict=True))
    values = [value(structure(told, laterality=said), truth)]
    for key in flips:
        said = said | {key: turned[said[key]]}
        values.append(value(structure(told, laterality=said), truth))
    assert np.all(np.diff(values) <= 1e-9)


CLAUSES = {
    "head_turning": "the head turns to the {}",
    "arm_straightening": "the {} arm extends",
    "clonic": "the {} face jerks clonically",
    "oral_automatisms": "the patient smacks the lips",
    "blank_stare": "the patient stares",
    "eye_blinking": "the eyes blink",
    "pelvic_thrusting": "the pelvis thrusts",
    "ictal_vocalization": "the patient groans",
}


def text(clauses):
    told = ", then ".join(CLAUSES[name].format(side) for name, side in clauses)
    return f"{told[:1].upper()}{told[1:]}."


told_clauses = st.lists(
    st.tuples(st.sampled_from(list(CLAUSES)), st.sampled_from(["left", "right"])),
    min_size=2,
    max_size=6,
    unique_by=lambda clause: clause[0],
)


@given(told_clauses, st.data())
def test_in_words_too_an_expert_report_loses_by_every_gap_and_every_invention(clauses, data):
    expert = text(clauses)
    gap = data.draw(st.integers(0, len(clauses) - 1))
    assert rqi(text([*clauses[:gap], *clauses[gap + 1 :]]), expert) <= 100
    invented = [name for name in CLAUSES if name not in {told for told, _ in clauses}]
    more = data.draw(st.sampled_from(invented))
    assert rqi(text([*clauses, (more, "left")]), expert) < 100


@given(told_clauses, st.data())
def test_in_words_too_turning_sides_round_never_helps(clauses, data):
    expert, values, turned = text(clauses), [], list(clauses)
    for number in data.draw(st.permutations(range(len(clauses)))):
        values.append(rqi(text(turned), expert))
        name, side = turned[number]
        turned[number] = (name, "right" if side == "left" else "left")
    values.append(rqi(text(turned), expert))
    assert values[0] == 100
    assert np.all(np.diff(values) <= 1e-9)
