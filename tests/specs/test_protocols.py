"""What a model is shown and asked under each protocol."""

from __future__ import annotations

from dataclasses import replace

import pytest

from s3harness.dataset.load import Dataset
from s3harness.dataset.references import truths
from s3harness.run.plan import Plan, VideoPlan, plan_video
from s3harness.specs.checks import sample_video
from s3harness.specs.features import vocabulary
from s3harness.specs.loading import load_task, task_names
from s3harness.specs.models import ModelCard, load_model, model_names
from s3harness.specs.subjects import subjects
from s3harness.specs.tasks import TaskSpec, resolve
from s3harness.types import FeatureLabel, Request, Video

SEERS = [name for name in model_names() if "video" in load_model(name).modalities]
HEARERS = [name for name in SEERS if load_model(name).hears()]
DEAF = [name for name in SEERS if name not in HEARERS]
ASKING = [name for name in task_names() if "uses" not in load_task(name).data]
WINDOWED = ("s3/task1_features", "s3/task5_event_order", "s3/task6_report")

LONG = 400.0
EVENT = {"seizure_onset": 150.0, "seizure_offset": 300.0}


def _video(**changed: object) -> Video:
    labels = {n: FeatureLabel("yes", 200.0, 210.0, "left", "seen") for n in sample_video().features}
    long = {"duration_s": LONG, "onset_s": 150.0, "offset_s": 300.0, "features": labels}
    return replace(sample_video(), **{**long, **changed})


def _plan(model: ModelCard, protocol: str, video: Video, *tasks: str) -> VideoPlan:
    specs = tuple(
        resolve(load_task(name).data, protocol=protocol, profile="strict", model=model) for name in tasks or ASKING
    )
    return plan_video(Plan(Dataset("d", "1", "", "", (video,)), model, specs, specs), video, 0)


def _requests(model: str, protocol: str, video: Video, *tasks: str) -> list[Request]:
    plan = _plan(load_model(model), protocol, video, *tasks)
    return [request for step in plan.steps for request in step.requests]


def _rate(request: Request) -> float:
    times = request.clip.timestamps
    return round(1 / (times[1] - times[0]), 3)


# model family: window and stride of Tasks 1, 5, 6; frames of a window; of Task 4's; of Task 7's; sound
VL = (30, 25, ("fps", 2), ("fps", 1), ("frames", 60), False)
INTERN = (30, 25, ("frames", 60), ("frames", 60), ("frames", 60), False)
QWEN3 = (60, 55, ("fps", 2), ("fps", 2), ("frames", 120), False)
OMNI = (30, 25, ("fps", 2), ("fps", 1), ("frames", 60), True)
TUNED = (30, 25, ("fps", 2), ("fps", 1), ("frames", 768), True)
OMNI3 = (60, 55, ("fps", 2), ("fps", 2), ("frames", 768), True)
PAPER = {
    "internvl3.5-8b": INTERN,
    "internvl3.5-38b": INTERN,
    "qwen2.5-vl-7b": VL,
    "qwen2.5-vl-32b": VL,
    "qwen2.5-vl-72b": VL,
    "lingshu-32b": VL,
    "qwen3-vl-8b": QWEN3,
    "qwen3-vl-32b": QWEN3,
    "qwen2.5-omni-7b": OMNI,
    "seizure-omni-sft-7b": TUNED,
    "seizure-omni-grpo-7b": TUNED,
    "qwen3-omni-30b-a3b": OMNI3,
}


def test_the_table_has_every_model_that_sees():
    assert set(PAPER) == set(SEERS)
    assert set(model_names()) - set(SEERS) == {"audio-flamingo-3"}


def _has_frames(request: Request, kind: str, number: int) -> bool:
    shown = len(request.clip.timestamps)
    span = request.clip.end_s - request.clip.start_s
    return shown == number if kind == "frames" else (_rate(request), shown) == (number, span * number)


@pytest.mark.parametrize("model", PAPER)
def test_the_paper_protocol_shows_each_model_what_the_authors_showed_it(model):
    window, stride, windows, onset, whole, hears = PAPER[model]
    video = _video(features={name: _video().features[name] for name in ("tonic", "head_turning")})
    for task in WINDOWED:
        asked = [r for r in _requests(model, "paper", video, task) if r.subject == _requests_subject(task)]
        starts = [request.clip.start_s for request in asked]
        assert starts[:3] == [0, stride, 2 * stride]
        assert {r.clip.end_s - r.clip.start_s for r in asked[:-1]} == {window}
        assert asked[-1].clip.end_s == LONG
        assert all(_has_frames(request, *windows) for request in asked[:-1])
    for request in _requests(model, "paper", video, "s3/task4_temporal_boundaries"):
        assert request.clip.end_s - request.clip.start_s == 60
        assert _has_frames(request, *onset)
    for request in _requests(model, "paper", video, "s3/task7_diagnosis"):
        assert (request.clip.start_s, request.clip.end_s) == (0, LONG)
        assert _has_frames(request, *whole)
    for request in _requests(model, "paper", video, "s3/task3_laterality"):
        assert _has_frames(request, *windows)
    assert {request.clip.audio for request in _requests(model, "paper", video)} == {hears}


def _requests_subject(task: str) -> str:
    return {"s3/task1_features": "tonic", "s3/task5_event_order": "sequence", "s3/task6_report": "report"}[task]


def test_audio_flamingo_is_asked_what_can_be_heard_once_of_the_whole_sound():
    for protocol, windows in (("paper", 1), ("strict", 16)):
        asked = _requests("audio-flamingo-3", protocol, _video())
        assert {request.subject for request in asked} == {"verbal_responsiveness", "ictal_vocalization"}
        assert all(request.clip.audio for request in asked)
        assert len(asked) == 2 * windows
    assert asked[-1].clip.end_s == LONG


@pytest.mark.parametrize("models", [DEAF, HEARERS], ids=["that see", "that see and hear"])
def test_the_strict_protocol_shows_and_asks_the_same_of_all_models(models):
    first, *others = ([(r.id, r.prompt) for r in _requests(model, "strict", _video())] for model in models)
    assert len(first) > 300
    for other in others:
        assert other == first


def test_in_the_strict_protocol_who_hears_too_is_asked_the_same_questions_of_what_is_seen():
    def asked(model: str) -> dict[tuple[str, str, int], tuple[str, tuple[float, ...]]]:
        tasks = [task for task in ASKING if task not in ("s3/task5_event_order", "s3/task6_report")]
        requests = _requests(model, "strict", _video(), *tasks)
        return {(r.task, r.subject, r.clip.index): (r.prompt, r.clip.timestamps) for r in requests}

    seen, heard = asked(DEAF[0]), asked(HEARERS[0])
    assert seen.items() < heard.items()
    assert {subject for _, subject, _ in heard.keys() - seen.keys()} == {"verbal_responsiveness", "ictal_vocalization"}


@pytest.mark.parametrize("protocol", ["strict", "paper"])
@pytest.mark.parametrize("model", model_names())
def test_a_sampler_has_a_rate_or_a_number_of_frames_and_never_both(model, protocol):
    card = load_model(model)
    for task in ASKING:
        spec = resolve(load_task(task).data, protocol=protocol, profile="strict", model=card)
        for subject in subjects(spec.item):
            _, params = spec.for_subject(subject).sampler
            assert len({"fps", "frames"} & params.keys()) == 1, (task, subject)
            assert params["audio"] is card.hears()


def _places(protocol: str) -> dict[str, float]:
    """Subject → where in its window the event lies, 0 at its start and 1 at its end."""
    places = {}
    for request in _requests("qwen2.5-vl-7b", protocol, _video(), "s3/task4_temporal_boundaries"):
        event = EVENT.get(request.subject, 200.0)
        places[request.subject] = (event - request.clip.start_s) / 60
    return places


def test_the_paper_protocol_has_every_onset_in_the_middle_of_its_window():
    places = _places("paper")
    assert len(places) == 19
    assert set(places.values()) == {0.5}


def test_the_strict_protocol_has_onsets_all_over_their_windows():
    places = list(_places("strict").values())
    assert len(set(places)) > 12
    assert min(places) < 0.3
    assert max(places) > 0.7
    assert all(5 / 60 <= place <= 55 / 60 for place in places)
    assert places == list(_places("strict").values())


@pytest.mark.parametrize(("onset", "start"), [(3.0, 0.0), (40.0, 10.0), (118.0, 60.0)])
def test_a_window_stays_within_the_video_where_it_cannot_be_centred(onset, start):
    video = _video(duration_s=120.0, onset_s=onset, features={})
    (request,) = (
        r
        for r in _requests("qwen2.5-vl-7b", "paper", video, "s3/task4_temporal_boundaries")
        if r.subject == "seizure_onset"
    )
    assert (request.clip.start_s, request.clip.end_s) == (start, start + 60)


@pytest.mark.parametrize("protocol", ["strict", "paper"])
@pytest.mark.parametrize("model", ["qwen2.5-vl-7b", "internvl3.5-8b", "qwen2.5-omni-7b", "qwen3-omni-30b-a3b"])
def test_every_prompt_of_every_task_asks_its_question(model, protocol):
    hears = load_model(model).hears()
    requests = _requests(model, protocol, _video(duration_s=120.0, onset_s=30.0, offset_s=90.0, features=_labels()))
    asked = {(request.task, request.subject) for request in requests}
    for task in ASKING:
        item = TaskSpec(load_task(task).data).item
        wanted = [s for s in subjects(item) if hears or s not in ("verbal_responsiveness", "ictal_vocalization")]
        assert [subject for subject in wanted if (task, subject) not in asked] == []
    for request in requests:
        assert _question(request) in " ".join(request.prompt.split()), request.subject
        assert "{{" not in request.prompt
        assert "None" not in request.prompt


def _labels() -> dict[str, object]:
    return dict(sample_video().features)


def _question(request: Request) -> str:
    words, task = vocabulary(), request.task
    if task == "s3/task1_features":
        return words[request.subject].question
    if task == "s3/task4_temporal_boundaries":
        boundaries = {"seizure_onset": "a seizure begins", "seizure_offset": "a seizure ends"}
        return boundaries.get(request.subject) or words[request.subject].statement
    return {
        "head_turning": "To which side does it turn?",
        "arm_movement": "Which one?",
        "onset_body_part": "head, eyes, mouth, face, left arm, left leg, right arm, right leg, arms, legs, full body",
        "sequence": "head_turning: Head turning",
        "report": "report of seizure semiology",
        "video": "Is the event",
        "video_and_report": "A report.",
    }[request.subject]


def test_the_order_task_offers_what_the_model_can_notice_and_nothing_else():
    for model, hears in (("qwen2.5-vl-7b", False), ("qwen2.5-omni-7b", True)):
        prompt = _requests(model, "strict", _video(), "s3/task5_event_order")[0].prompt
        offered = [line[2:].split(":")[0] for line in prompt.splitlines() if line.startswith("- ")]
        timed = [f.name for f in vocabulary().features if f.has_interval and (hears or f.modality == "video")]
        assert offered == timed


SECRETS = {
    "side": lambda v: {n: _label(v, n, side="right") for n in v.features},
    "justification": lambda v: {n: _label(v, n, justification="telltale") for n in v.features},
    "what is not there": lambda v: (
        {n: _label(v, n, present="no") for n in v.features if n == "tonic"} | dict(v.features)
    ),
}


def _label(video: Video, name: str, **changed: object) -> object:
    return replace(video.features[name], **changed)


@pytest.mark.parametrize("protocol", ["strict", "paper"])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_prompt_changes_with_the_truth_it_asks_for(secret, protocol):
    video = _video()
    told = _video(features=SECRETS[secret](video), diagnosis="NES", onset_body_part="left leg", split="test")
    for model in ("qwen2.5-omni-7b", "internvl3.5-8b"):
        before = {(r.task, r.subject, r.clip): r.prompt for r in _requests(model, protocol, video)}
        after = {(r.task, r.subject, r.clip): r.prompt for r in _requests(model, protocol, told)}
        assert after == before


@pytest.mark.parametrize("protocol", ["strict", "paper"])
def test_the_report_is_told_where_the_task_gives_it_and_nowhere_else(protocol):
    for model in ("qwen2.5-omni-7b", "internvl3.5-8b"):
        telling = {
            (request.task, request.subject)
            for request in _requests(model, protocol, _video(report="Telltale words of an expert."))
            if "Telltale" in request.prompt + request.system
        }
        assert telling == {("s3/task7_diagnosis", "video_and_report")}


def test_a_report_that_looks_like_a_template_is_told_as_it_stands():
    report = "{{ feature.__class__ }}{% for x in features %}"
    prompts = [r.prompt for r in _requests("qwen2.5-vl-7b", "strict", _video(report=report), "s3/task7_diagnosis")]
    assert any(report in prompt for prompt in prompts)


@pytest.mark.parametrize("item", ["feature", "rationale", "laterality", "boundary", "sequence", "report", "diagnosis"])
def test_the_subjects_of_a_kind_of_item_are_those_that_a_full_annotation_gives(item):
    given = [subject for subject, _ in truths(sample_video(), item, ("video", "audio"))]
    assert sorted(given) == sorted(subjects(item))


def test_a_subject_with_a_sampler_of_its_own_is_shown_as_the_models_card_has_it():
    data = {**load_task("6").data, "subjects": {"report": {"sampler": {"name": "uniform_frames", "frames": 8}}}}
    spec = resolve(data, protocol="paper", profile="strict", model=load_model("qwen3-vl-8b"))
    name, params = spec.for_subject("report").sampler
    assert (name, params["frames"], params["audio"]) == ("uniform_frames", 120, False)
    assert "fps" not in params
