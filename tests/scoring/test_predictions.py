"""From answers to scores: what was lost is counted by reason and scored as wrong, and nothing is dropped."""

from __future__ import annotations

import json

import numpy as np
import pytest

from s3harness.rundir.journal_line import JournalEntry
from s3harness.scoring.answers import read_answer, read_answers
from s3harness.scoring.predictions import predict
from s3harness.scoring.score_task import score_task
from s3harness.specs.loading import load_task
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import TaskSpec, resolve
from s3harness.types import Answer, Clip, Prediction, Reference, Response

MODEL = ModelCard("tested", modalities=("video", "audio"))
YES, NO, NA = ({"answer": word, "justification": f"because of {word}"} for word in ("yes", "no", "na"))
LOST = ("failed", "refused", "cut", "unparsable")


def spec(task: str) -> TaskSpec:
    return resolve(load_task(task).data, protocol="strict", profile="strict", model=MODEL)


def entry(
    text: str, status: str = "ok", task: str = "s3/task1_features", subject: str = "tonic", **more
) -> JournalEntry:
    clip = Clip("v0001", 0.0, 30.0, (), 0)
    response = Response("id", text, status=status, **more)
    return JournalEntry(
        id="id", task=task, item=f"{task}/v0001/{subject}", subject=subject, clip=clip, media="", response=response
    )


def predicted(*windows: object, subject: str = "tonic", task: str = "1") -> Prediction:
    """The prediction of an item from its windows: a value, why it is lost, or None if it is missing."""
    requests = tuple(f"r{number}" for number in range(len(windows)))
    reference = Reference(
        item="item",
        task=f"s3/task{task}",
        video_id="v0001",
        subject=subject,
        cluster=0,
        truth="yes",
        window=(0.0, 90.0),
        requests=requests,
    )
    answers = {
        request: Answer(request, None, status=said, note=f"why {said}")
        if isinstance(said, str) and said in LOST
        else Answer(
            request, said, status="clean", clip=Clip("v0001", 25.0 * number, 25.0 * number + 30, (), 0, index=number)
        )
        for number, (request, said) in enumerate(zip(requests, windows, strict=True))
        if said is not None
    }
    (prediction,) = predict([reference], answers, spec(task))
    return prediction


@pytest.mark.parametrize(
    ("windows", "value", "status", "note"),
    [
        ((NO, NO), "no", "answered", "0 of 2 windows say yes"),
        ((NO, YES, NO), "yes", "answered", "1 of 3 windows say yes"),
        ((NO, "failed"), "no", "partial", "1 of 2 windows failed; 0 of 1 windows say yes"),
        ((YES, "cut", None, "cut"), "yes", "partial", "2 of 4 windows cut; 1 of 4 windows missing; "),
        (("failed", "failed"), None, "failed", "why failed"),
        (("unparsable", "cut"), None, "cut", "why cut"),
        (("unparsable", "refused", "cut"), None, "refused", "why refused"),
        (("refused", "failed"), None, "failed", "why failed"),
        ((None, "unparsable"), None, "unparsable", "why unparsable"),
        ((None, None), None, "missing", ""),
        ((), None, "missing", ""),
    ],
)
def test_windows_that_are_lost_are_told_and_the_others_speak_for_the_item(windows, value, status, note):
    prediction = predicted(*windows)
    assert (prediction.value, prediction.status) == (value, status)
    assert prediction.note.startswith(note)
    assert bool(prediction.note) == bool(note)


def test_a_later_window_does_not_speak_for_the_first():
    lost = predicted("failed", YES, subject="occur_during_sleep")
    assert (lost.value, lost.status, lost.note) == (None, "unparsable", "the first window gave no readable answer")
    assert predicted(NO, YES, subject="occur_during_sleep").value == "no"


@pytest.mark.parametrize(
    ("given", "status", "value"),
    [
        (entry('{"answer": "yes", "justification": "-"}'), "clean", "yes"),
        (entry('{"answer": "yes", "justification": "-"'), "repaired", "yes"),
        (entry("perhaps"), "unparsable", None),
        (entry(""), "unparsable", None),
        (entry("I'm sorry, but I can't help with identifying medical conditions."), "refused", None),
        (entry('{"answer": "yes", "justification": "-"}', "cut"), "cut", None),
        (entry('{"answer": "yes", "justification": "-"}', "refused"), "refused", None),
        (entry('{"answer": "yes", "justification": "-"}', "failed", error="gone"), "failed", None),
    ],
    ids=lambda value: value.response.status + value.response.text[:12] if isinstance(value, JournalEntry) else "",
)
def test_an_answer_is_read_only_where_the_engine_gave_one(given, status, value):
    answer = read_answer(given, spec("1").for_subject("tonic"))
    assert answer.status == status
    assert (answer.value["answer"] if answer.is_read else answer.value) == value
    assert answer.is_read or answer.note or status in ("cut", "refused")


@pytest.mark.parametrize(
    "text",
    [
        "I cannot see the video.",
        "I'm unable to view videos.",
        "No, I can't help with that.",
        "As an AI, I can't give medical advice.",
        '{"answer": "I cannot view the video", "justification": ""}',
        "抱歉，我无法观看视频。",
    ],
)
def test_a_refusal_is_counted_as_one_in_every_task(text):
    for name, subject in (("1", "tonic"), ("3", "head_turning"), ("4", "tonic"), ("5", "sequence"), ("6", "report")):
        answer = read_answer(entry(text, subject=subject), spec(name).for_subject(subject))
        is_read_as_text = name == "6" and text.startswith("{")
        assert answer.status == ("clean" if is_read_as_text else "refused"), name


def test_an_answer_without_a_justification_counts_for_presence_with_an_empty_text():
    for text in ('{"answer": "yes"}', "Yes."):
        value = read_answer(entry(text), spec("1").for_subject("tonic")).value
        assert value == {"answer": "yes", "justification": ""}
        assert predicted(value).value == "yes"
        assert predicted(value, task="2").value == {"present": "yes", "text": ""}


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ({"yes": 0.375, "no": 0.125}, 0.75),
        ({"yes": 0.0, "no": 1.0}, 0.0),
        ({"no": 1.0}, None),
        ({"yes": 0.0, "no": 0.0}, None),
        ({"yes": float("inf"), "no": 1.0}, None),
        ({"yes": float("nan"), "no": 1.0}, None),
        (None, None),
    ],
)
def test_a_probability_is_one_of_yes_among_the_choices(probabilities, expected):
    given = entry('{"answer": "yes", "justification": "-"}', choice_probabilities=probabilities)
    assert read_answer(given, spec("1").for_subject("tonic")).probability == expected


def test_the_last_line_of_a_request_counts_and_other_tasks_are_passed_over():
    tasks = {"s3/task1_features": spec("1")}
    lines = [entry("", "failed"), entry('{"answer": "no", "justification": "-"}'), entry("x", task="s3/other")]
    answers = read_answers(lines, tasks)
    assert [answer.value["answer"] for answer in answers.values()] == ["no"]


def diagnosed(*statuses: str) -> tuple[list[Reference], list[Prediction]]:
    """Ten videos of five patients, half of them ES; those with a status are lost, the others right."""
    truths = ["ES", "NES"] * 5
    references = [
        Reference(
            item=f"i{n}",
            task="s3/task7",
            video_id=f"v{n}",
            subject="video",
            cluster=n // 2,
            truth=t,
            window=None,
            requests=(f"r{n}",),
        )
        for n, t in enumerate(truths)
    ]
    lost = [Prediction(f"i{n}", None, status) for n, status in enumerate(statuses)]
    right = [Prediction(f"i{n}", t) for n, t in enumerate(truths)]
    return references, [*lost, *right[len(lost) :]]


def test_what_was_lost_is_counted_by_reason_and_is_wrong():
    references, predictions = diagnosed("failed", "refused", "cut", "unparsable", "missing", "failed")
    (score, *_) = score_task(spec("7"), references, predictions, resamples=50)
    assert score.lost == {"cut": 1, "failed": 2, "missing": 1, "refused": 1, "unparsable": 1}
    assert score.coverage == pytest.approx(0.4)
    assert score.n_items == 10
    assert score.value == pytest.approx(0.4), "four right of ten, not of four"


def test_a_task_without_an_answer_is_wrong_from_end_to_end_and_not_left_out():
    references, predictions = diagnosed(*["failed"] * 10)
    by_name = {score.metric: score for score in score_task(spec("7"), references, predictions, resamples=50)}
    score = by_name["balanced accuracy (video)"]
    assert (score.value, score.coverage, score.lost) == (0.0, 0.0, {"failed": 10})
    assert score.skill == -1.0, "as far below the floor as the ceiling is above it"
    assert by_name["MCC (video)"].value == -1.0
    assert {one.value for one in by_name.values() if not one.n_items} == {None}, "nothing was asked with a report"
    json.dumps([[one.value, one.floor, one.ceiling] for one in by_name.values()], allow_nan=False)


def test_a_metric_of_the_answered_alone_is_undefined_without_an_answer():
    references = [
        Reference(
            item=f"i{n}",
            task="s3/task4",
            video_id=f"v{n}",
            subject="tonic",
            cluster=n,
            truth=20.0 + n,
            window=(0.0, 60.0),
        )
        for n in range(6)
    ]
    lost = [Prediction(r.item, None, "unparsable") for r in references]
    by_name = {score.metric: score for score in score_task(spec("4"), references, lost, resamples=50)}
    assert by_name["MAE"].value == pytest.approx(np.mean([60.0 - r.truth for r in references])), "the worst error"
    assert by_name["MAE of the answered"].value is None


def test_each_lost_answer_costs():
    values = []
    for n_lost in range(10):
        references, predictions = diagnosed(*["failed"] * n_lost)
        values.append(score_task(spec("7"), references, predictions, resamples=50)[0].value)
    assert values[0] == 1.0
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(values)


def test_a_part_of_the_windows_is_shown_beside_the_coverage():
    references, predictions = diagnosed("failed")
    predictions[1] = Prediction("i1", "NES", "partial", "1 of 2 windows failed")
    (score, *_) = score_task(spec("7"), references, predictions, resamples=50)
    assert score.lost == {"failed": 1, "partial": 1}
    assert score.coverage == pytest.approx(0.9), "an item that has a value is answered"
