"""A reply that gives the prompt back is no answer, and says so; one that answers after it is read."""

from __future__ import annotations

import json

import pytest
from reply_table import CARD, read

from s3harness.parsers.echo import ECHOES
from s3harness.probes.wordings import worded, wordings
from s3harness.rundir.journal_line import JournalEntry
from s3harness.scoring.answers import parse, read_answer
from s3harness.specs.features import vocabulary
from s3harness.specs.loading import load_task, task_names
from s3harness.specs.prompts import prompt_about, prompt_parts
from s3harness.specs.tasks import TaskSpec, resolve
from s3harness.types import Clip, Response

CLIP = Clip("v", 0.0, 30.0, tuple(i / 2 for i in range(60)), 0)
SUBJECTS = {
    "feature": ["blank_stare", "ictal_vocalization", "verbal_responsiveness"],
    "laterality": ["head_turning", "arm_movement", "onset_body_part"],
    "boundary": ["seizure_onset", "seizure_offset", "tonic"],
    "sequence": ["sequence"],
    "report": ["report"],
    "diagnosis": ["video", "video_and_report"],
}


def asked() -> dict[str, tuple[TaskSpec, str]]:
    """Every prompt of the benchmark: task, protocol, wording and subject → its spec and subject."""
    out = {}
    for name in task_names():
        for protocol in ("strict", "paper"):
            spec = resolve(load_task(name).data, protocol=protocol, profile="strict", model=CARD)
            worded_too = {"": spec} | {w: s for w in wordings() if protocol == "strict" and (s := worded(spec, w))}
            for wording, variant in worded_too.items() if not spec.uses else ():
                for subject in SUBJECTS[spec.item]:
                    out[f"{name} {protocol} {wording} {subject}"] = (variant.for_subject(subject), subject)
    return out


ASKED = asked()


def prompt_of(spec: TaskSpec, subject: str) -> str:
    """The prompt as it is sent, about a clip of 30 s."""
    return prompt_about(spec.prompt, item=spec.item, subject=subject, hears=True, clip=CLIP, report="He falls.")


def echoes(spec: TaskSpec, subject: str, text: str) -> bool:
    """Whether a reply is unreadable because it is the prompt."""
    reading = parse(text, spec, subject)
    return reading.status == "unparsable" and reading.note == ECHOES


@pytest.mark.parametrize(("spec", "subject"), ASKED.values(), ids=ASKED)
def test_no_prompt_given_back_has_a_value(spec, subject):
    prompt = prompt_of(spec, subject)
    assert echoes(spec, subject, prompt)
    assert echoes(spec, subject, f"```\n{prompt.upper()}\n```")


@pytest.mark.parametrize(("spec", "subject"), ASKED.values(), ids=ASKED)
def test_no_line_of_a_prompt_has_a_value(spec, subject):
    for line in prompt_of(spec, subject).splitlines():
        assert parse(line, spec, subject).status == "unparsable" or line.startswith("- "), line


@pytest.mark.parametrize(("spec", "subject"), ASKED.values(), ids=ASKED)
def test_no_passage_of_the_instructions_passes_for_a_justification(spec, subject):
    if spec.answer["parser"] not in ("json_answer", "es_nes") or not spec.answer.get("schema"):
        return
    free = "justification" if spec.item == "feature" else "description"
    parts = prompt_parts(spec.prompt, spec.item, subject)
    assert parts is not None
    passages = [p for text in parts.instructions for p in text.replace("\n", ". ").split(". ") if len(p.split()) > 4]
    assert passages
    for passage in [*passages, *parts.questions]:
        label = "yes" if spec.item == "feature" else "ES"
        assert echoes(spec, subject, json.dumps({"answer": label, free: passage})), passage


def test_the_placeholder_of_the_first_protocol_is_an_echo_in_its_runs():
    spec = resolve(load_task("1").data, protocol="paper", profile="strict", model=CARD).for_subject("tonic")
    copied = '{"answer": "yes", "justification": "one short sentence naming what you saw"}'
    clip = Clip("v", 0.0, 30.0, (), 0)
    answer = read_answer(
        JournalEntry(
            id="r", task=spec.name, item="i", subject="tonic", clip=clip, media="", response=Response("r", copied)
        ),
        spec,
    )
    assert (answer.value, answer.status, answer.note) == (None, "unparsable", ECHOES)


def test_what_is_not_the_prompt_is_no_echo():
    for feature in vocabulary().features:
        said = json.dumps({"answer": "yes", "justification": feature.definition})
        assert read("s3/task1_features", feature.name, said).value["justification"] == feature.definition[:1000]
    assert read("s3/task1_features", "tonic", '{"answer": "no", "justification": "not seen in this clip"}').is_read
    for reason in ("Nobody speaks to the patient.", "Nobody speaks to the patient in this clip."):
        said = json.dumps({"answer": "na", "justification": reason})
        assert read("s3/task1_features", "verbal_responsiveness", said).value["justification"] == reason
    assert read("s3/task3_laterality", "onset_body_part", "full body").is_read
    report = "An expert wrote of this event that he falls."
    assert read("s3/task6_report", "report", report).value == report


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Does the patient stare blankly? Yes.", "yes"),
        ('{prompt}\n\n{{"answer": "no", "justification": "He looks about."}}', "no"),
        ("{prompt}\nAnswer: yes", "yes"),
    ],
)
def test_an_answer_after_the_prompt_is_read(text, value):
    spec, subject = ASKED["s3/task1_features strict  blank_stare"]
    reading = parse(text.format(prompt=prompt_of(spec, subject)), spec, subject)
    assert reading.value["answer"] == value
    assert reading.status == "repaired"


def test_an_echoed_list_of_signs_is_no_answer_and_an_honest_one_is():
    spec, subject = ASKED["s3/task5_event_order strict  sequence"]
    assert echoes(spec, subject, prompt_of(spec, subject))
    assert parse("- head_turning: Head turning\n- tonic: Tonic stiffening", spec, subject).value == [
        "head_turning", "tonic",
    ]  # fmt: skip
