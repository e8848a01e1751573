"""The contract tests: the harness's own parts keep them, and each catches what it is there for."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import s3harness
from s3harness.errors import UsageError
from s3harness.media import Frames
from s3harness.plugins.manager import manager
from s3harness.plugins.registry import KINDS
from s3harness.testing import BrokenContract, check, promises, try_object, verdict
from s3harness.testing.contract import promises_of
from s3harness.testing.trial import COMMON, TrialSettings

CHECKED = (
    *("backend", "model", "sampler", "transform", "parser", "aggregator", "rqi_penalty", "judge", "probe"),
    *("classifier", "executor", "task_specs", "command", "dataset", "exporter", "strategy"),
)
NEEDS = {
    ("parser", "json_answer"): {"schema": {"type": "object", "properties": {"answer": {"enum": ["yes", "no"]}}}},
    ("parser", "choice"): {"choices": ["yes", "no"]},
    ("dataset", "table"): {"mapping": Path("mapping.yaml")},
}
KNOWN = {
    ("rqi_penalty", "paper_hallucination"): {"expert"},
    ("backend", "recorded"): {"cheap"},
}
"""What the published formula does to the expert's own report, and a backend that wants to be told of a file."""


def own_names():
    entries = manager().registry.entries.values()
    return [(e.kind, e.name) for e in entries if e.package == "s3harness" and e.kind in CHECKED]


@pytest.mark.parametrize(("kind", "name"), own_names(), ids=lambda part: part)
def test_what_the_harness_brings_keeps_its_contract(kind, name):
    found = verdict(kind, name, TrialSettings(NEEDS.get((kind, name), {})))
    assert {finding.promise for finding in found.findings} == KNOWN.get((kind, name), set()), found.findings


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_promises_that_say_what_they_are(kind):
    own = {name: says for name, says in promises_of(kind).items() if name not in COMMON}
    assert len(own) >= 2
    assert all(len(says.split()) > 3 for says in own.values())
    assert promises(kind) == [*COMMON, *own]


def sampler(video, subject, *, audio=False):
    """The whole video, two frames."""
    end = video.duration_s
    return [s3harness.Clip(video.id, 0.0, end, (0.0, end / 2), 1000, audio=audio)]


def changed(made, **fields):
    return [replace(clip, **fields) for clip in made]


def reading(text):
    """Yes or no."""
    said = text.strip().lower()
    made = s3harness.Reading
    return made.clean(said) if said in ("yes", "no") else made.unparsable("neither")


def penalty(context):
    """Nothing."""
    return s3harness.Penalty(1.0)


def first(answers):
    """The first answer."""
    return s3harness.Aggregate(answers[0].value, "the first of them")


def same_frames(frames):
    """The same."""
    return frames


def darker(frames):
    frames.pixels[:] //= 2
    return frames


counts = iter(range(10**9))

SOUND = {"sampler": sampler, "parser": reading, "rqi_penalty": penalty, "aggregator": first, "transform": same_frames}
# kind, what it does, the promise that it breaks
FAULTS = [
    ("sampler", lambda v, s, audio=False: sampler(v, s, audio=audio)[0], "form"),
    ("sampler", lambda v, s, audio=False: changed(sampler(v, s, audio=audio), end_s=v.duration_s + 1), "clips"),
    ("sampler", lambda v, s, audio=False: changed(sampler(v, s, audio=audio), timestamps=(2.0, 1.0)), "clips"),
    ("sampler", lambda v, s, audio=False: changed(sampler(v, s, audio=audio), video_id="v"), "clips"),
    ("sampler", lambda v, s, audio=False: changed(sampler(v, s, audio=audio), start_s=float("nan")), "clips"),
    ("sampler", lambda v, s, audio=False: sampler(v, s), "audio"),
    ("sampler", lambda v, s, audio=False: sampler(v, s, audio=audio) * 2, "order"),
    ("sampler", lambda v, s, audio=False: v.features["tonic"] and sampler(v, s, audio=audio), "bare"),
    ("sampler", lambda v, s, audio=False, **_: sampler(v, s, audio=audio), "unknown"),
    ("sampler", lambda v, s, audio=False: v.features.clear() or sampler(v, s, audio=audio), "inputs"),
    ("sampler", lambda v, s, audio=False: [], "answers"),
    ("parser", lambda text: text, "form"),
    ("parser", lambda text: s3harness.Reading(None, "clean"), "value"),
    ("parser", lambda text: s3harness.Reading.clean(float("nan")), "value"),
    ("parser", lambda text: s3harness.Reading.clean(text or "yes"), "empty"),
    ("parser", lambda text: s3harness.Reading.clean(json.loads(text)), "answers"),
    ("parser", lambda text: s3harness.Reading.clean(next(counts)), "same again"),
    ("aggregator", lambda answers: answers[0].value, "form"),
    ("aggregator", lambda answers: s3harness.Aggregate(answers.pop().value, "the last"), "inputs"),
    ("aggregator", lambda answers: s3harness.Aggregate({1}, "a set"), "value"),
    ("aggregator", lambda answers: s3harness.Aggregate("yes", "", 2.0), "value"),
    ("aggregator", lambda answers: s3harness.Aggregate(answers[1].value, "the second"), "one"),
    ("rqi_penalty", lambda context: s3harness.Penalty(1.5), "bounds"),
    ("rqi_penalty", lambda context: s3harness.Penalty(float("nan")), "bounds"),
    ("rqi_penalty", lambda context: s3harness.Penalty(0.9 if "junk" in context.text else 0.5), "reasons"),
    ("rqi_penalty", lambda context: s3harness.Penalty(0.5, ("because",)), "expert"),
    ("rqi_penalty", lambda context: s3harness.Penalty(1.0 / len(context.text), ("long",)), "answers"),
    ("transform", darker, "inputs"),
    ("transform", lambda frames: Frames(frames.pixels[::2], frames.timestamps[::2]), "times"),
    ("transform", lambda frames: Frames(frames.pixels / 255, frames.timestamps), "form"),
    ("transform", lambda frames: Frames(frames.pixels ^ np.uint8(next(counts) % 256), frames.timestamps), "same again"),
    ("transform", lambda frames: Frames(frames.pixels - frames.pixels[1], frames.timestamps), "answers"),
]  # fmt: skip


@pytest.mark.parametrize("kind", SOUND)
def test_what_the_faulty_ones_are_made_of_is_sound(kind):
    assert try_object(kind, SOUND[kind], TrialSettings(item="feature" if kind == "aggregator" else "")).findings == ()


@pytest.mark.parametrize(
    ("kind", "thing", "promise"), FAULTS, ids=[f"{k}-{p}-{n}" for n, (k, _, p) in enumerate(FAULTS)]
)
def test_a_fault_is_found_for_the_promise_that_it_breaks(kind, thing, promise):
    found = try_object(kind, thing, TrialSettings(item="feature" if kind == "aggregator" else "", limit_s=10))
    assert promise in {finding.promise for finding in found.findings}, found.findings
    assert "documented" in {finding.promise for finding in found.findings} or thing.__doc__


class Answering(s3harness.Backend):
    """Answers at once."""

    modalities = ("video",)

    async def generate(self, request):
        return s3harness.Response(request.id, "yes")


class Confusing(Answering):
    """Answers the request that came last."""

    async def generate(self, request):
        self.last = request
        await asyncio.sleep(0.001)
        return s3harness.Response(self.last.id, f"of {self.last.task}")


class Blind(Answering):
    """Says that it uses no media."""

    uses_media = False

    async def generate(self, request):
        return s3harness.Response(request.id, str(self.media.frames(request.clip).pixels.mean()))


class Careless(Answering):
    """Answers whatever it is shown."""

    async def generate(self, request):
        with suppress(s3harness.MediaError):
            self.media.frames(request.clip)
        return s3harness.Response(request.id, "yes")


class Changing(Answering):
    """Changes what it is given."""

    async def generate(self, request):
        if request.answer_schema:
            request.answer_schema.clear()
        return s3harness.Response(request.id, "yes")


class Sure(Answering):
    """More than certain."""

    async def generate(self, request):
        return s3harness.Response(request.id, "yes", choice_probabilities={"yes": 1.0, "no": 0.4})


class Swallowing(Answering):
    """Goes on when it is cancelled."""

    async def generate(self, request):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.05)
        return s3harness.Response(request.id, "yes")


@pytest.mark.parametrize(
    ("backend", "broken"),
    [
        (Answering, set()),
        (Confusing, {"at once"}),
        (Blind, {"flags", "text"}),
        (Careless, {"text", "broken"}),
        (Changing, {"inputs"}),
        (Sure, {"probabilities"}),
        (Swallowing, {"ends"}),
    ],
)
def test_a_fault_of_a_backend_is_found(backend, broken):
    found = try_object("backend", backend)
    assert {finding.promise for finding in found.findings} == broken, found.findings


def test_a_broken_contract_names_thing_promise_and_fault():
    check("rqi_penalty", "paper_hallucination", "bounds")
    with pytest.raises(BrokenContract, match=r"rqi_penalty paper_hallucination: expert: .* × 0\.\d+"):
        check("rqi_penalty", "paper_hallucination", "expert")
    with pytest.raises(BrokenContract):
        check("rqi_penalty", "paper_hallucination")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("parsr", "choice"), "did you mean parser"),
        (("parser", "choise"), "did you mean choice"),
        (("parser", "free_text", "valu"), "did you mean value"),
    ],
)
def test_a_check_of_what_there_is_not_is_a_wrong_call(call, said):
    with pytest.raises(UsageError, match=said):
        check(*call)


def test_the_old_name_of_the_verdict_is_kept_for_one_release():
    import s3harness.testing

    with pytest.warns(DeprecationWarning, match="Verdict is now ContractVerdict"):
        assert s3harness.testing.Verdict is s3harness.testing.ContractVerdict
    with pytest.raises(AttributeError, match="no attribute 'Judgement'"):
        _ = s3harness.testing.Judgement
