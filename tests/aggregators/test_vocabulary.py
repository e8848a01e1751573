"""The vocabulary as data: complete, in order, and with no word for two signs."""

import pytest

from s3harness.parsers.event_list import normalise
from s3harness.specs.document import read_document, specs_directory, validate
from s3harness.specs.features import vocabulary

NAMES = """occur_during_sleep head_turning blank_stare close_eyes eye_blinking face_pulling face_twitching tonic clonic
arm_straightening arm_flexion figure4 oral_automatisms limb_automatisms asynchronous_movement pelvic_thrusting
full_body_shaking arms_move_simultaneously verbal_responsiveness ictal_vocalization"""
ORDER = NAMES.split()


def test_the_twenty_signs_stand_in_the_order_of_the_benchmark():
    validate(read_document(specs_directory() / "features.yaml"), "features")
    assert list(vocabulary().names) == ORDER


def test_only_the_last_two_are_heard_and_only_sleep_has_no_interval():
    assert [f.name for f in vocabulary().features if f.modality == "audio"] == ORDER[-2:]
    assert [f.name for f in vocabulary().features if not f.has_interval] == ["occur_during_sleep"]


def test_no_word_names_two_signs_however_it_is_written():
    words = [normalise(word) for f in vocabulary().features for word in {f.name, *f.synonyms}]
    doubled = {word for word in words if words.count(word) > 1}
    assert not doubled


def test_the_words_of_the_answers_are_no_synonyms():
    assert not {"yes", "no", "na", "none", *vocabulary().body_parts} & set(vocabulary().synonyms)


@pytest.mark.parametrize("feature", vocabulary().features, ids=lambda f: f.name)
def test_a_definition_can_be_decided_by(feature):
    assert "patient" in feature.question
    assert "count" in feature.definition or '"no" if' in feature.definition, "it says what does not count"


def test_body_parts_and_further_signs():
    assert len(vocabulary().body_parts) == 11
    assert vocabulary().signs == ("arm_movement",)
