"""What is true of one clip: the answer a model should learn to give to one request, and what scores it.

An evaluation asks several clips and puts the answers together; a training sample is one clip, so that its answer must
be true of that clip alone. Where the annotations do not say what a clip shows, there is no sample.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from s3harness.backends.answer_text import write_answer
from s3harness.backends.floors_and_oracle import perfect_answer, shows
from s3harness.dataset.references import events
from s3harness.metrics.rqi.extract import extract
from s3harness.specs.features import vocabulary
from s3harness.types import FeatureLabel, Request, Video

NOT_HERE = "Nothing of it appears in this clip."
"""Why a sign is not in a clip that is in the video elsewhere: the annotators' words are about the other clip."""

MAX_WORDS_CHARACTERS = 1000
"""The longest text beside an answer that the tasks' schemas allow."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class ClipTruth:
    """The text to answer, and the truth of each kind of item that the answer is scored by."""

    target: str
    truths: Mapping[str, object]


def clip_truth(kind: str, request: Request, video: Video, truth: object, *, windows: int) -> ClipTruth | str:
    """What is true of the clip of a request, or why nobody can say.

    ``truth`` is that of the item in the whole video, of which the request is one of ``windows``.
    """
    found = _FINDERS.get(kind, _as_annotated)(request, video, windows)
    if isinstance(found, str):
        return found
    target, truths = found
    return ClipTruth(target or perfect_answer(kind, request, video), truths or {kind: truth})


Found = tuple[str, Mapping[str, object]] | str
"""Target and truths, both empty where the video's own will do; or why there is none."""


def _as_annotated(request: Request, video: Video, windows: int) -> Found:
    return "", {}


def _feature(request: Request, video: Video, windows: int) -> Found:
    label = video.features[request.subject]
    if label.present == "untested":
        return "nobody could tell whether the sign is there"
    if label.present == "no":
        return "", {"feature": "no", **_reason(label, "no")}
    if label.start_s is None and windows > 1:
        return "the sign is in the video, and no time says in which clip"
    if shows(request.clip, label):
        return "", {"feature": "yes", **_reason(label, "yes")}
    return write_answer(request, "no", NOT_HERE), {"feature": "no"}


def _reason(label: FeatureLabel, present: str) -> Mapping[str, object]:
    return {"rationale": {"present": present, "text": label.justification}} if label.justification else {}


def _sequence(request: Request, video: Video, windows: int) -> Found:
    asked = [name for name in vocabulary().names if f" {name}:" in request.prompt]
    shown = [[name, at] for name, at in events(video, asked) if shows(request.clip, video.features[name])]
    return "", {"sequence": shown}


def _report(request: Request, video: Video, windows: int) -> Found:
    shown = [name for name in vocabulary().names if _is_shown(request, video, name)]
    text = report_of_clip(request, video, shown) if windows > 1 else video.report
    if not text:
        return "the report says nothing of what the clip shows"
    timed = [name for name, _ in events(video, shown)]
    in_order = [name for name in shown if name not in timed] + timed
    sides = {name: side for name, label in video.features.items() if name in shown and (side := label.side)}
    untested = [name for name, label in video.features.items() if label.present == "untested"]
    truth = {"text": text, "events": in_order, "sides": sides, "untested": untested}
    return perfect_answer("report", request, replace(video, report=text)), {"report": truth}


def report_of_clip(request: Request, video: Video, shown: list[str]) -> str:
    """The sentences of the report that are about what a clip shows.

    A sentence is kept if a sign that it tells of is shown; one that tells of none, if it tells of the time before the
    onset or after the end and the clip holds that moment.
    """
    kept = [s for s in _SENTENCE_END.split(video.report.strip()) if _belongs(s, request, video, shown)]
    return " ".join(kept)


def _belongs(sentence: str, request: Request, video: Video, shown: list[str]) -> bool:
    told = extract(sentence)
    if told.events:
        return any(name in shown for name in told.events)
    moment = {"onset": video.onset_s, "postictal": video.offset_s}
    times = [moment[part] for part in told.components if part in moment]
    return any(at is not None and request.clip.start_s <= at <= request.clip.end_s for at in times)


def _diagnosis(request: Request, video: Video, windows: int) -> Found:
    """The report is what the annotators say of why."""
    return write_answer(request, video.diagnosis, video.report[:MAX_WORDS_CHARACTERS]), {}


def _is_shown(request: Request, video: Video, name: str) -> bool:
    label = video.features.get(name)
    return label is not None and label.present == "yes" and shows(request.clip, label)


_FINDERS = cast(
    "Mapping[str, Callable[[Request, Video, int], Found]]",
    {"feature": _feature, "sequence": _sequence, "report": _report, "diagnosis": _diagnosis},
)
