"""A judge's reply becomes the structure it says, or is unreadable and says why; nothing else is made of it."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.errors import UsageError
from s3harness.metrics.rqi import extract, report_truth, score_report
from s3harness.metrics.rqi.judge import JudgeError, StructureJudge, judge_named
from s3harness.metrics.rqi.metric import SeizureRQI
from s3harness.metrics.rqi.structure import ReportStructure
from s3harness.specs.features import vocabulary
from s3harness.testing.cases import made_up_videos, references_of

JUDGE = StructureJudge()
REPORT = "The nurse enters. The head turns to the left, then both arms jerk; no blank stare. Give lorazepam."
REPLY = {
    "structural_completeness": ["onset", "propagation"],
    "event_sequence": ["head_turning", "clonic"],
    "denied_signs": ["blank_stare"],
    "key_localizing_features": {
        "head_turning": "left",
        "first_motor_laterality": "both",
        "asymmetric_posturing": "none",
        "figure_4": "none",
    },
    "content_analysis": {
        "has_safety_issues": True,
        "includes_non_seizure": True,
        "safety_quotes": ["Give lorazepam"],
        "non_seizure_quotes": ["the nurse enters"],
    },
}


def read(**changes):
    return JUDGE.read(json.dumps(REPLY | changes), REPORT)


def test_the_structure_is_what_the_reply_says():
    reading = read()
    assert reading.status == "clean"
    found = reading.value
    assert found == ReportStructure(
        components=frozenset({"onset", "propagation"}),
        events=("head_turning", "clonic"),
        denied=frozenset({"blank_stare"}),
        laterality=REPLY["key_localizing_features"],
        off_topic=True,
        hazardous=True,
        words=len(REPORT.split()),
        evidence=found.evidence,
    )
    assert [(e.finding, e.quote) for e in found.evidence] == [
        ("hazard", "Give lorazepam"),
        ("off_topic", "The nurse enters"),
    ]
    assert all(REPORT[e.start : e.end] == e.quote for e in found.evidence)


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (json.dumps(REPLY), "clean"),
        (f"Here it is:\n```json\n{json.dumps(REPLY, indent=2)}\n```", "clean"),
        (f"<think>{{maybe}}</think>{json.dumps(REPLY)}", "clean"),
        (json.dumps(REPLY)[:-1] + ",}", "repaired"),
        ("", "unparsable"),
        ("I cannot help with that.", "unparsable"),
        ("{}", "unparsable"),
        ("[]", "unparsable"),
        (json.dumps(REPLY)[:60], "unparsable"),
        ("null", "unparsable"),
    ],
)
def test_prose_and_fences_are_no_obstacle_and_half_a_reply_is_no_reply(reply, status):
    assert JUDGE.read(reply, REPORT).status == status


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("structural_completeness", "onset"),
        ("event_sequence", None),
        ("event_sequence", {"1": "tonic"}),
        ("key_localizing_features", ["left"]),
        ("content_analysis", {"has_safety_issues": False}),
        ("content_analysis", {"has_safety_issues": "perhaps", "includes_non_seizure": False}),
    ],
)
def test_a_field_that_is_missing_or_of_another_type_is_named(field, value):
    reading = read(**{field: value})
    assert reading.status == "unparsable"
    assert field in reading.note or "includes_non_seizure" in reading.note or "has_safety_issues" in reading.note


def test_words_outside_the_vocabulary_are_left_out_and_said():
    reading = read(event_sequence=["Lip Smacking", "open_eyes", "tonic", "tonic", 7])
    assert reading.value.events == ("oral_automatisms", "tonic")
    assert reading.status == "repaired"
    assert "open_eyes" in reading.note


def test_sides_that_are_none_of_the_list_are_none_and_a_said_sign_is_not_denied():
    sides = {"head_turning": "RIGHT ", "first_motor_laterality": "upper", "figure_4": ["left"]}
    found = read(key_localizing_features=sides, denied_signs=["clonic", "tonic"]).value
    assert [found.side(key) for key in ("head_turning", "first_motor_laterality", "figure_4")] == [
        "right",
        "none",
        "none",
    ]
    assert found.denied == {"tonic"}


def test_quotes_that_the_report_does_not_have_count_for_nothing():
    content = {**REPLY["content_analysis"], "non_seizure_quotes": ["the doctor", "", 3], "safety_quotes": None}
    assert read(content_analysis=content).value.evidence == ()


@pytest.mark.parametrize(("said", "flag"), [("false", False), ("No", False), ("True", True), (True, True)])
def test_flags_written_as_words_are_what_they_say(said, flag):
    assert read(content_analysis={"has_safety_issues": said, "includes_non_seizure": False}).value.hazardous is flag


def test_the_schema_takes_the_reply_and_names_the_whole_vocabulary():
    jsonschema.validate(REPLY, JUDGE.answer_schema)
    assert JUDGE.answer_schema["properties"]["event_sequence"]["items"]["enum"] == list(vocabulary().names)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(REPLY | {"event_sequence": ["open_eyes"]}, JUDGE.answer_schema)


def test_the_prompt_has_the_report_and_every_sign_whatever_the_report_holds():
    report = "{signs} {0} ========== %s"
    prompt = JUDGE.prompt(report)
    assert prompt.count(report) == 1
    assert all(f"- {name}:" in prompt for name in vocabulary().names)


@given(st.text() | st.from_regex(r"\{[\"a-z:,\[\] ]*\}"), st.text(max_size=40))
def test_no_reply_raises(reply, report):
    reading = JUDGE.read(reply, report)
    assert (reading.value is None) == (reading.status == "unparsable")


def test_both_texts_are_read_by_the_judge():
    asked = []

    def reader(text):
        asked.append(text)
        return extract(text)

    truth = {"text": "The head turns to the left.", "events": ["head_turning"]}
    assert score_report(REPORT, truth, read=reader) == score_report(REPORT, truth)
    assert sorted(asked) == sorted([REPORT, truth["text"]])
    assert report_truth({"text": "", "events": ["tonic"]}, reader).structure.events == ("tonic",)


def test_a_report_without_a_structure_scores_nothing_like_one_that_is_missing():
    references = references_of("report", made_up_videos(4, patients=2))

    def silent(text):
        raise JudgeError("no reply")

    from s3harness.metrics.base import Pair
    from s3harness.metrics.floors import oracle

    pairs = [Pair(*pair) for pair in zip(references, oracle(references), strict=True)]
    metric = SeizureRQI(read=silent)
    assert float(metric.value(metric.statistics(pairs).sum(axis=0))) == 0.0


def test_a_judge_has_a_name():
    assert isinstance(judge_named("structure"), StructureJudge)
    with pytest.raises(UsageError, match="did you mean structure"):
        judge_named("structur")
