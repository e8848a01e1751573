"""The classical baseline sees what is evidently there, answers every task readably, and never breaks."""

import ast
import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import s3harness_kinematics as kinematics
from s3harness_kinematics.backend import KinematicsBackend
from s3harness_kinematics.dialogue import reply
from s3harness_kinematics.findings import judge
from s3harness_kinematics.grid import grid
from s3harness_kinematics.head import HALF_HEIGHT, HALF_WIDTH, find_heads
from s3harness_kinematics.measure import measure
from s3harness_kinematics.onset import Moments, median
from s3harness_kinematics.parameters import parameters
from s3harness_kinematics.presence import detectors
from s3harness_kinematics.side import left_probability, sided_signs, signed_numbers, stronger_side
from s3harness_kinematics.summary import summarise
from s3harness_kinematics.voice import RATE, SILENCE, measure_voice

from s3harness.dataset.load import Dataset
from s3harness.errors import S3HarnessError, UsageError
from s3harness.media.frames import Frames
from s3harness.plugins.manager import load
from s3harness.run.plan import Plan, plan_video
from s3harness.specs.features import vocabulary
from s3harness.specs.loading import load_task, task_names
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import resolve
from s3harness.types import Clip, FeatureLabel, Video

HEIGHT, WIDTH = 180, 320
MODEL = ModelCard("kinematics", modalities=("video", "audio"))


def figure(times, *, shaking=None, pace_hz=3.0, since=4.0, until=np.inf):
    """A head, a trunk and two arms before a wall; the ``shaking`` arm (left | right, the patient's own) swings."""
    noise = np.random.default_rng(0).integers(-2, 3, (4, HEIGHT, WIDTH, 3))
    frames = np.full((len(times), HEIGHT, WIDTH, 3), 190, np.uint8)
    frames[:, 45:170, 130:190] = (90, 120, 170)
    frames[:, 12:45, 147:173] = (225, 180, 150)
    frames[:, 26:29, [152, 153, 166, 167]] = 20
    middles = {"right": 110, "left": 210}
    for frame, now in zip(frames, times, strict=True):
        for side, middle in middles.items():
            swings = side == shaking and since <= now < until
            across = middle + (round(14 * np.sin(2 * np.pi * pace_hz * now)) if swings else 0)
            frame[60:110, across - 8 : across + 8] = (60, 70, 90)
    return (frames + noise[np.arange(len(times)) % len(noise)]).astype(np.uint8)


def tone(seconds, start, end, pitch_hz=220.0):
    """A harmonic tone from ``start`` to ``end`` in a quiet room, mono at the rate that is measured."""
    t = np.arange(round(seconds * RATE)) / RATE
    voice = sum(np.sin(2 * np.pi * n * pitch_hz * t) / n for n in range(1, 8))
    noise = np.random.default_rng(1).normal(0, 0.002, len(t))
    return (0.15 * voice * ((t >= start) & (t < end)) + noise).astype(np.float32)


def syllables(start, pitch_hz, seconds=1.4):
    """Speech: a tone whose timbre changes every 0.15 s."""
    t = np.arange(round(seconds * RATE)) / RATE
    vowel = (t / 0.15).astype(int) % 2
    dark = sum(np.sin(2 * np.pi * n * pitch_hz * t) / n**2 for n in range(1, 4))
    bright = sum(
        np.sin(2 * np.pi * n * pitch_hz * t) * np.exp(-(((n * pitch_hz - 1900) / 400) ** 2)) for n in range(1, 17)
    )
    return start, np.where(vowel, bright + 0.2 * dark, dark) * 0.15


def dialogue(seconds, *spoken):
    track = tone(seconds, 0, 0)
    for start, samples in spoken:
        first = round(start * RATE)
        track[first : first + len(samples)] += samples.astype(np.float32)
    return track


def seen(pixels, times, seconds, voice=SILENCE):
    return measure(pixels, np.asarray(times, float), seconds, voice)


@pytest.fixture(scope="module")
def shaking_right():
    times = np.arange(0, 10, 0.1)
    return seen(figure(times, shaking="right"), times, 10.0)


def test_a_shaking_right_arm_is_on_the_patients_right(shaking_right):
    tracks = shaking_right.tracks
    assert tracks["moves_reach_right"][45:].mean() > 5 * tracks["moves_reach_left"][45:].mean()
    assert stronger_side(signed_numbers(shaking_right), "arm_movement") == "right"


@pytest.mark.parametrize("sign", sorted(sided_signs()))
def test_the_mirror_image_is_as_surely_on_the_other_side(shaking_right, sign):
    times = np.arange(0, 10, 0.1)
    mirrored = seen(figure(times, shaking="right")[:, :, ::-1], times, 10.0)
    right, left = (left_probability(signed_numbers(one), sign) for one in (shaking_right, mirrored))
    assert right + left == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("x", [0.42, 0.5, 0.56])
@pytest.mark.parametrize("y", [0.14, 0.2])
def test_a_head_is_found_by_its_outline_wherever_it_is(x, y):
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    inside = ((columns / HEIGHT - x * WIDTH / HEIGHT) / HALF_WIDTH) ** 2 + ((rows / HEIGHT - y) / HALF_HEIGHT) ** 2 < 1
    picture = np.where(inside, 120, 200).astype(np.uint8)
    cells = grid(np.repeat(picture[None, :, :, None], 3, axis=3).repeat(2, axis=0))
    expected = (x * WIDTH / HEIGHT, y)
    assert find_heads(cells, np.zeros(cells.shape[1:])) == pytest.approx(np.array([expected] * 2), abs=0.025)


def test_the_moment_of_a_beginning_and_of_an_end_is_found():
    times = np.arange(0, 40, 1.0)
    moments = Moments(seen(figure(times, shaking="left", pace_hz=0.8, since=12, until=30), times, 40.0))
    assert moments.of("asynchronous_movement") == pytest.approx(12, abs=2.5)
    assert moments.of("seizure_offset") == pytest.approx(30, abs=2.5)


def test_where_nothing_changes_the_moment_is_where_such_moments_usually_lie():
    """Whatever stands still: the median of the calibration's events, the seizure's own onset before its signs'.

    The camera's noise, which the patient has and the wall has not, moves it by little.
    """
    times = np.arange(0, 60, 1.0)
    subjects = parameters()["moments"]["subjects"]
    patient, wall = (
        {subject: Moments(seen(pixels, times, 60.0)).of(subject) for subject in subjects}
        for pixels in (figure(times), np.full((60, HEIGHT, WIDTH, 3), 128, np.uint8))
    )
    assert patient == pytest.approx(wall, abs=4.0)
    assert all(2 < moment < 58 for moment in patient.values())
    signs = [moment for subject, moment in patient.items() if not subject.startswith("seizure")]
    assert patient["seizure_onset"] < min(signs) < max(signs) < patient["seizure_offset"]


def test_a_median_lies_where_half_the_chances_are_passed():
    assert median(np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.25, 0.25, 0.5])) == pytest.approx(2.0)


def test_energy_is_none_before_and_much_after(shaking_right):
    energy = shaking_right.tracks["moves_body"]
    assert energy[:38].max() < 0.002
    assert energy[45:].mean() > 10 * (energy[:38].mean() + 1e-4)


@pytest.mark.parametrize("pace_hz", [1.5, 3.0, 4.0])
def test_a_rhythm_is_told_where_the_frames_come_fast_enough(pace_hz):
    times = np.arange(0, 8, 0.05)
    rhythm = seen(figure(times, shaking="right", pace_hz=pace_hz, since=0), times, 8.0).rhythms["arms"]
    assert rhythm["pace"] == pytest.approx(pace_hz, rel=0.1)
    assert rhythm["regular"] > 0.3


@pytest.mark.parametrize("rate", [1, 2, 4])
def test_no_rhythm_beyond_half_the_frame_rate_is_told(rate):
    times = np.arange(0, 30, 1 / rate)
    rhythm = seen(figure(times, shaking="right", pace_hz=3.0), times, 30.0).rhythms["arms"]
    assert rhythm["pace"] <= rate / 2
    assert rhythm["band3"] == 0


def test_a_still_clip_has_no_violent_sign():
    times = np.arange(0, 30, 0.5)
    found = {finding.sign for finding in judge(seen(figure(times), times, 30.0)).findings}
    violent = ["asynchronous_movement", "full_body_shaking", "clonic", "pelvic_thrusting"]
    assert not found & {*violent, "ictal_vocalization", "head_turning"}


def test_a_cut_is_no_movement():
    times = np.arange(0, 10, 0.5)
    pixels = figure(times)
    pixels[10:] = np.random.default_rng(3).integers(0, 256, (1, HEIGHT, WIDTH, 3), np.uint8)
    assert seen(pixels, times, 10.0).tracks["moves_body"][10] == 0


def test_every_weight_is_of_a_number_that_is_measured():
    times = np.arange(0, 10, 0.5)
    numbers = summarise(seen(figure(times), times, 10.0))
    assert {detector.rate for detector in detectors()} == {1, 2, 4, 10}
    for detector in detectors():
        assert tuple(detector.signs) == tuple(vocabulary().names)
        assert all(set(sign.weights) <= set(detector.scales) <= set(numbers) for sign in detector.signs.values())
    assert set(parameters()["diagnosis"]["weights"]) <= set(numbers)


@pytest.mark.parametrize("pitch_hz", [110.0, 220.0, 400.0])
def test_a_tone_burst_is_a_voice_of_its_pitch_and_time(pitch_hz):
    voice = measure_voice(tone(12, 3, 8, pitch_hz))
    assert len(voice.utterances) == 1
    heard = voice.utterances[0]
    assert (heard.start_s, heard.end_s) == pytest.approx((3, 8), abs=0.1)
    assert heard.pitch_hz == pytest.approx(pitch_hz, rel=0.05)


@pytest.mark.parametrize("name", ["silence", "noise", "too short"])
def test_no_voice_is_heard_where_there_is_none(name):
    noise = np.random.default_rng(2).normal(0, 0.05, 10 * RATE).astype(np.float32)
    samples = {"silence": np.zeros(10 * RATE, np.float32), "noise": noise, "too short": noise[:100]}[name]
    assert measure_voice(samples).utterances == ()


def test_a_question_with_an_answer_is_told_from_one_without():
    question, answer = syllables(2.0, 200.0), syllables(4.6, 118.0)
    answered = reply(measure_voice(dialogue(9, question, answer)))
    assert answered is not None
    assert answered.start_s == pytest.approx(4.6, abs=0.15)
    assert reply(measure_voice(dialogue(9, question))) is None
    assert reply(measure_voice(tone(9, 2, 7))) is None


DEGENERATE = {
    "one frame": (np.full((1, 90, 160, 3), 100, np.uint8), [0.0]),
    "two pixels square": (np.arange(8 * 12, dtype=np.uint8).reshape(8, 2, 2, 3), [0.5 * i for i in range(8)]),
    "one pixel": (np.zeros((3, 1, 1, 3), np.uint8), [0.0, 0.5, 1.0]),
    "all black": (np.zeros((20, 90, 160, 3), np.uint8), [0.5 * i for i in range(20)]),
    "blank": (np.full((20, 90, 160, 3), 255, np.uint8), [0.5 * i for i in range(20)]),
    "noise": (np.random.default_rng(0).integers(0, 256, (20, 90, 160, 3), np.uint8), [0.5 * i for i in range(20)]),
    "upright": (np.zeros((6, 400, 3, 3), np.uint8), [0.5 * i for i in range(6)]),
    "equal times": (np.zeros((6, 90, 160, 3), np.uint8), [1.0] * 6),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_clips_give_finite_numbers_and_a_judgement(name):
    pixels, times = DEGENERATE[name]
    measured = seen(pixels, times, 10.0)
    assert np.isfinite(list(summarise(measured).values())).all()
    assert np.isfinite(list(signed_numbers(measured).values())).all()
    assert all(0 <= finding.onset_s <= 10 for finding in judge(measured).findings)
    assert 0 <= measured.tracks["moves_body"].min() <= measured.tracks["moves_body"].max() <= 1


def test_one_frame_shows_no_movement_and_so_no_sign():
    pixels, times = DEGENERATE["one frame"]
    assert judge(seen(pixels, times, 10.0)).findings == ()


class Reel:
    """Gives the same pictures and sound for every clip, at the clip's own times, and counts how often it is asked."""

    def __init__(self, pixels_at: Any, samples: Any) -> None:
        self.pixels_at, self.samples, self.asked = pixels_at, samples, 0

    def key(self, clip: Clip) -> str:
        return repr(clip)

    def frames(self, clip: Clip) -> Frames:
        self.asked += 1
        return Frames(self.pixels_at(np.array(clip.timestamps)), clip.timestamps)

    def has_audio(self, clip: Clip) -> bool:
        return clip.audio

    def audio(self, clip: Clip, rate: int) -> Any:
        assert clip.audio
        first = round(clip.start_s * rate)
        return self.samples[first : first + round((clip.end_s - clip.start_s) * rate)]


def every_request(modalities=("video", "audio")):
    """Steps of all tasks on one video that shows every sign."""
    signs = {name: FeatureLabel("yes", 6.0, 14.0, "left", "Seen.") for name in [*vocabulary().names, "arm_movement"]}
    video = Video(
        "v1",
        "p1",
        None,
        40.0,
        diagnosis="NES",
        split="test",
        onset_s=6.0,
        offset_s=30.0,
        onset_body_part="head",
        features=signs,
        report='Thrashing with "pelvic" thrusts.',
    )
    model = ModelCard("kinematics", modalities=modalities)
    data = [load_task(name).data for name in task_names()]
    tasks = tuple(resolve(one, protocol="strict", profile="strict", model=model) for one in data)
    asked = tuple(task for task in tasks if not task.uses)
    dataset = Dataset("made", "1", "", "", (video,))
    steps = plan_video(Plan(dataset, model, tasks, asked), video, 0).steps
    return {task.name: task for task in tasks}, [request for step in steps for request in step.requests]


def answers(reel, requests):
    async def ask() -> list[str]:
        async with KinematicsBackend(MODEL, {}, reel) as backend:
            return [(await backend.generate(request)).text for request in requests]

    return asyncio.run(ask())


REELS = {
    "shaking": lambda: Reel(lambda t: figure(t, shaking="left", pace_hz=0.8, since=6, until=30), tone(40, 6, 14)),
    "still": lambda: Reel(figure, tone(40, 0, 0)),
    "black": lambda: Reel(lambda t: np.zeros((len(t), 2, 2, 3), np.uint8), np.zeros(40 * RATE, np.float32)),
}


@pytest.mark.parametrize("name", REELS)
def test_every_tasks_answer_is_read_cleanly_by_its_own_parser(name):
    tasks, requests = every_request()
    reel = REELS[name]()
    for request, text in zip(requests, answers(reel, requests), strict=True):
        spec = tasks[request.task].for_subject(request.subject).answer
        params = {key: value for key, value in spec.items() if key not in ("parser", "schema")}
        if spec["parser"] == "json_answer":
            params |= {"schema": spec["schema"]}
        reading = load("parser", spec["parser"])(text, **params)
        assert reading.status == "clean", (request.task, request.subject, text, reading)
    assert {task for task in tasks if not tasks[task].uses} == {request.task for request in requests}


def test_a_clip_is_looked_at_once_for_all_its_questions():
    _, requests = every_request()
    reel = REELS["still"]()
    answers(reel, requests)
    assert reel.asked == len({repr(request.clip) for request in requests})


def test_answers_are_the_same_every_time_and_depend_on_no_name():
    _, requests = every_request()
    renamed = [replace(r, item="x", id="y", clip=replace(r.clip, video_id="other")) for r in requests]
    first, again = answers(REELS["shaking"](), requests), answers(REELS["shaking"](), requests)
    assert first == again
    assert first == answers(REELS["shaking"](), renamed)


IMPORTED = {
    *("Backend", "Limits", "S3HarnessError", "UsageError"),
    *("Clip", "Diagnosis", "Request", "Response", "Sent", "Side", "Pixels", "Samples", "MediaStore", "ModelCard"),
    *("write_answer", "format_timestamp"),
}


def test_it_reaches_nothing_but_pictures_sound_and_the_request():
    """No module imports what knows a data set, and the one file that any of them reads is its own weights."""
    folder = Path(kinematics.__file__).parent
    for module in folder.glob("*.py"):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "s3harness":
                assert node.module == "s3harness", module.name
                assert {alias.name for alias in node.names} <= IMPORTED, module.name
        called = {ast.unparse(node.func).split(".")[-1] for node in ast.walk(tree) if isinstance(node, ast.Call)}
        reads = called & {"open", "read_text", "read_bytes", "glob", "iterdir", "connect", "socket"}
        assert reads == ({"read_text"} if module.name == "parameters.py" else set()), (module.name, reads)


def test_a_task_of_another_name_is_answered_by_its_kind_of_item():
    _, requests = every_request()
    renamed = [replace(request, task="mine/first_jerk") for request in requests]
    assert {request.item_kind for request in requests} >= {"boundary", "laterality", "sequence"}
    assert answers(REELS["shaking"](), renamed) == answers(REELS["shaking"](), requests)


@pytest.mark.parametrize(("kind", "named"), [("gait", "'gait'"), ("", "'not declared'")])
def test_a_kind_of_item_that_it_does_not_know_is_an_error(kind, named):
    _, requests = every_request()
    with pytest.raises(S3HarnessError, match=f"does not answer items of the kind {named}"):
        answers(REELS["still"](), [replace(requests[0], task="s3/task4_temporal_boundaries", item_kind=kind)])


def test_the_moment_and_the_side_of_the_shaking_are_answered():
    _, requests = every_request()
    said = dict(zip([(r.task, r.subject) for r in requests], answers(REELS["shaking"](), requests), strict=True))
    vocal = next(t for (task, subject), t in said.items() if "task4" in task and subject == "ictal_vocalization")
    assert vocal.startswith('{"timestamp": "00:0')
    arm = next(t for (task, subject), t in said.items() if "task3" in task and subject == "arm_movement")
    assert arm == "left"


def test_without_sound_every_question_is_still_answered():
    _, requests = every_request(modalities=("video",))
    assert not any(request.clip.audio for request in requests)
    assert all(answers(REELS["still"](), requests))


def test_it_takes_less_than_0_3_seconds_of_processor_for_a_clip_of_sixty_frames():
    pixels = np.random.default_rng(0).integers(0, 256, (60, 360, 640, 3), np.uint8)
    times = np.arange(60) / 2

    def seconds() -> float:
        start = time.process_time()
        judge(seen(pixels, times, 30.0))
        return time.process_time() - start

    assert min(seconds() for _ in range(3)) < 0.3


def test_an_option_is_refused_by_name():
    with pytest.raises(UsageError, match="colour"):
        KinematicsBackend(MODEL, {"colour": 1}, REELS["still"]())
