"""A report's text becomes what a clinician would read in it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.errors import SpecError
from s3harness.metrics.rqi import extract
from s3harness.metrics.rqi.lexicon import default_lexicon, first_lexicon, load_lexicon
from s3harness.metrics.rqi.text import MAX_CHARACTERS
from s3harness.specs.features import vocabulary


@pytest.mark.parametrize(
    ("text", "events"),
    [
        (
            "He has versive head turn to the right, followed by tonic–clonic activity.",
            ["head_turning", "tonic", "clonic"],
        ),
        ("Extension of the left upper extremity.", ["arm_straightening"]),
        ("She extends her left arm while the right arm is bent at the elbow.", ["arm_straightening", "arm_flexion"]),
        ("The legs are extended.", []),
        ("Both legs flexed, arms resting.", []),
        ("The neck is extended backwards.", []),
        ("The patient awakens from sleep and stares.", ["occur_during_sleep", "blank_stare"]),
        ("Afterwards she goes back to sleep.", []),
        ("Chewing and picking at the gown with both hands.", ["oral_automatisms", "limb_automatisms"]),
        ("Eyes are tightly closed.", ["close_eyes"]),
        ("Opens her mouth.", []),
        ("Rapid blinking, facial grimacing.", ["eye_blinking", "face_pulling"]),
        ("Twitching of the left side of the face.", ["face_twitching"]),
        ("Non-rhythmic jerking of the legs.", ["asynchronous_movement"]),
        ("Whole body shaking with pelvic thrusting.", ["full_body_shaking", "pelvic_thrusting"]),
        ("Figure-of-four posture.", ["figure4"]),
        ("Both arms shake.", ["arms_move_simultaneously"]),
        ("The left arm shakes.", []),
        ("He follows commands and answers questions.", ["verbal_responsiveness"]),
        ("He does not follow commands.", []),
        ("A loud cry, then moaning.", ["ictal_vocalization"]),
        ("The eyes deviate to the left.", []),
        ("The head and eyes deviate to the left.", ["head_turning"]),
        ("", []),
    ],
)
def test_signs_are_found_by_name_and_by_part_and_motion(text, events):
    assert list(extract(text).events) == events


@pytest.mark.parametrize(
    ("text", "present", "denied"),
    [
        ("No clonic jerking.", [], ["clonic"]),
        ("The head turns without tonic stiffening.", ["head_turning"], ["tonic"]),
        ("Denies staring; chewing is seen.", ["oral_automatisms"], ["blank_stare"]),
        ("In the absence of clonic jerks the arm extends.", [], ["clonic"]),
        ("Clonic jerks are not observed.", [], ["clonic"]),
        (
            "No chewing, blinking, head version, or clonic jerks are seen.",
            [],
            ["clonic", "eye_blinking", "head_turning", "oral_automatisms"],
        ),
        (
            "There are no signs of a seizure such as staring, chewing or grunting.",
            [],
            ["blank_stare", "ictal_vocalization", "oral_automatisms"],
        ),
        ("She does not respond and begins to chew.", ["oral_automatisms"], []),
        ("No staring, but chewing.", ["oral_automatisms"], ["blank_stare"]),
        ("No chewing, then blinking.", ["eye_blinking"], ["oral_automatisms"]),
        ("Neither chewing nor blinking.", [], ["eye_blinking", "oral_automatisms"]),
        ("Not only chewing.", ["oral_automatisms"], []),
        ("No clonic jerks at first; later clonic jerks.", ["clonic"], []),
        ("The patient is awake.", [], ["occur_during_sleep"]),
    ],
)
def test_what_is_denied_is_not_told(text, present, denied):
    structure = extract(text)
    assert [event for event in present if event not in structure.events] == []
    assert sorted(structure.denied) == denied
    assert not set(structure.events) & set(structure.denied)


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("Head version to the left.", "left"),
        ("Leftward head version.", "left"),
        ("The head turns forcefully towards the right side.", "right"),
        ("The head turns to the camera's left.", "right"),
        ("The head turns to the left of the screen.", "right"),
        ("The head turns to the viewer's right.", "left"),
        ("Head turning (or version) to the left and left arm flexion.", "left"),
        ("Rightward head version with left arm extension.", "right"),
        ("Head version to the right and left arm extension.", "right"),
        ("The head turns to the left or right.", "both"),
        ("The head turns right away.", "none"),
        ("The head turns. The left arm extends.", "none"),
    ],
)
def test_sides_of_the_head_are_the_patients_own(text, side):
    assert extract(text).side("head_turning") == side


@pytest.mark.parametrize(
    ("text", "posture", "first", "figure4"),
    [
        ("RUE extension with LUE flexion.", "right arm extension", "right", "none"),
        ("The left arm flexes and the right arm extends.", "right arm extension", "left", "none"),
        ("Left arm flexion.", "left arm flexion", "left", "none"),
        ("Figure 4 with the left arm extended.", "left arm extension", "left", "left"),
        ("Both arms extend.", "none", "none", "none"),
        ("Extension of the right arm; the left face twitches.", "right arm extension", "right", "none"),
    ],
)
def test_postures_and_the_first_motor_side(text, posture, first, figure4):
    structure = extract(text)
    keys = ("asymmetric_posturing", "first_motor_laterality", "figure_4")
    assert tuple(map(structure.side, keys)) == (posture, first, figure4)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("Staring, then chewing, then blinking.", "stare chew blink"),
        ("Staring followed by chewing.", "stare chew"),
        ("Staring preceded by chewing.", "chew stare"),
        ("Staring after chewing.", "chew stare"),
        ("After chewing, the patient stares.", "chew stare"),
        ("Before chewing, the patient stares.", "stare chew"),
        ("Staring before chewing.", "stare chew"),
        ("Staring. Finally chewing. Blinking.", "stare blink chew"),
        ("Staring, later chewing; at onset there was blinking.", "blink stare chew"),
        ("Staring. After a few seconds, chewing.", "stare chew"),
        ("Staring. Staring and chewing. Staring.", "stare chew"),
    ],
)
def test_order_is_that_of_time_not_of_mention(text, order):
    names = {"stare": "blank_stare", "chew": "oral_automatisms", "blink": "eye_blinking"}
    assert [*extract(text).events] == [names[word] for word in order.split()]


def test_what_is_told_together_has_one_step():
    structure = extract("Staring with chewing, then blinking.")
    assert structure.steps == (0, 0, 1)


@pytest.mark.parametrize(
    ("text", "components"),
    [
        ("The patient stares.", {"onset"}),
        ("Head turning, then clonic jerks.", {"onset", "propagation"}),
        ("Clonic jerks. Post-ictally confused.", {"onset", "postictal"}),
        ("No seizure.", set()),
    ],
)
def test_components(text, components):
    assert extract(text).components == components


@pytest.mark.parametrize(
    ("text", "hazardous"),
    [
        ("Give lorazepam.", True),
        ("The patient should receive lorazepam 2 mg.", True),
        ("Restrain the patient.", True),
        ("Put a spoon in the mouth.", True),
        ("Insert a bite block.", True),
        ("She was seen to hold a phone.", False),
        ("The patient puts her left hand into her mouth.", False),
        ("The nurse calmed the patient.", False),
        ("Tonic stiffening.", False),
    ],
)
def test_dangerous_advice_is_told_from_what_happened(text, hazardous):
    assert extract(text).hazardous is hazardous


@pytest.mark.parametrize("text", ["The nurse enters.", "A pillow is placed.", "The IV line is checked."])
def test_talk_beside_the_point_is_marked(text):
    assert extract(text).off_topic
    assert not extract("The patient stares and chews.").off_topic


def test_every_finding_quotes_the_report():
    report = "He\u00a0lets out a GROAN;\u200b his head turns\nto the left – give lorazepam 2 mg."
    structure = extract(report)
    found = {evidence.finding for evidence in structure.evidence}
    assert {*structure.events, "head_turning", "hazard"} <= found
    for evidence in structure.evidence:
        assert " ".join(report[evidence.start : evidence.end].split()) == evidence.quote != ""


HOSTILE = {
    "ten megabytes": "tonic-clonic " * 800_000,
    "triggers": "no not without left arm after " * 100_000,
    "orders": "give mg lorazepam restrain " * 100_000,
    "doubt": "may chewing or blinking in some episodes no chewing if any " * 100_000,
    "alternatives": "chewing or blinking, " * 100_000,
    "punctuation": ",;./()" * 300_000,
    "control characters": "\x00\x07\x1b[31m" * 500_000,
    "invisible": "\u200d\u202e" * 500_000,
    "digits": "00:" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_no_longer_than_its_size(name):
    start = time.process_time()
    structure = extract(HOSTILE[name])
    assert time.process_time() - start < 5
    assert len(structure.events) <= len(vocabulary().names)


def test_what_stands_beyond_the_limit_is_not_read():
    assert extract("x " * MAX_CHARACTERS + "clonic").events == ()
    assert extract("x " * MAX_CHARACTERS).words == MAX_CHARACTERS


@given(st.text(max_size=400))
def test_any_text_gives_a_structure_and_always_the_same(text):
    structure = extract(text)
    assert structure == extract(text, default_lexicon())
    assert set(structure.events) <= set(vocabulary().names)
    assert len(set(structure.events)) == len(structure.events) == len(structure.steps)


def test_the_lexicon_covers_the_vocabulary_in_its_order():
    for lexicon in (default_lexicon(), first_lexicon()):
        unlisted = lexicon.beyond | lexicon.movement
        assert tuple(sign for sign in lexicon.signs if sign not in unlisted) == vocabulary().names
        assert not unlisted & set(vocabulary().names)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schema: other", "schema"),
        ("schema: s3harness/lexicon/v1\nparts: 1", "parts"),
    ],
)
def test_a_wrong_lexicon_says_where(tmp_path, text, message):
    path = tmp_path / "lexicon.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=message):
        load_lexicon(path)


def test_a_word_that_yaml_takes_for_false_is_reported(tmp_path):
    groups = "".join(
        f"{g}: {{x: [a]}}\n" for g in ("parts", "motions", "laterality", "order", "phases", "off_topic", "hazard")
    )
    path = tmp_path / "lexicon.yaml"
    path.write_text(
        f"schema: s3harness/lexicon/v1\nfeatures: {{}}\n{groups}negation: {{before: [no]}}\n", encoding="utf-8"
    )
    with pytest.raises(SpecError, match="before"):
        load_lexicon(path)
