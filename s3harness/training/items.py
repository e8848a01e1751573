"""The true answer about one clip: the text that a model should learn to answer to one request, and its references.

An evaluation asks about several clips and aggregates the answers; a training sample is one clip, so its answer must be
true of that clip alone. If the annotations do not say what a clip shows, there is no sample of it.
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
"""Justification of "no" for a sign that is elsewhere in the video: the annotators' words are about another clip."""

MAX_WORDS_CHARACTERS = 1000
"""The longest text beside an answer that the tasks' schemas allow."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class ClipTruth:
    """The text to answer, and for each kind of item that scores the answer, its truth."""

    target: str
    truths: Mapping[str, object]


def clip_truth(kind: str, request: Request, video: Video, truth: object, *, windows: int) -> ClipTruth | str:
    """Return the truth about the clip of a request, or the reason why the annotations do not tell it.

    ``truth`` is that of the item in the whole video; the request shows one of the ``windows`` clips of the item.
    """
    target_or_reason = _CLIP_TRUTHS.get(kind, _as_annotated)(request, video, windows)
    if isinstance(target_or_reason, str):
        return target_or_reason
    target, truths = target_or_reason
    return ClipTruth(target or perfect_answer(kind, request, video), truths or {kind: truth})


TargetOrReason = tuple[str, Mapping[str, object]] | str
"""Target and truths, both empty if those of the video hold for the clip; or the reason why there is none."""


def _as_annotated(request: Request, video: Video, windows: int) -> TargetOrReason:
    return "", {}


def _feature(request: Request, video: Video, windows: int) -> TargetOrReason:
    label = video.features[request.subject]
    if label.present == "untested":
        return "nobody could tell whether the sign is there"
    if label.present == "no":
        return "", {"feature": "no", **_reason(label, "no")}
    # With one window the clip is the whole item, and the sign is in it wherever it is.
    if label.start_s is None and windows > 1:
        return "the sign is in the video, and no time says in which clip"
    if shows(request.clip, label):
        return "", {"feature": "yes", **_reason(label, "yes")}
    # Without a rationale: the annotators justified "yes", for another clip.
    return write_answer(request, "no", NOT_HERE), {"feature": "no"}


def _reason(label: FeatureLabel, present: str) -> Mapping[str, object]:
    return {"rationale": {"present": present, "text": label.justification}} if label.justification else {}


def _sequence(request: Request, video: Video, windows: int) -> TargetOrReason:
    # The prompt lists its signs as "- name: title", and a user's task may list fewer than the vocabulary has.
    listed = [name for name in vocabulary().names if f" {name}:" in request.prompt]
    in_clip = [[name, at] for name, at in events(video, listed) if shows(request.clip, video.features[name])]
    return "", {"sequence": in_clip}


def _report(request: Request, video: Video, windows: int) -> TargetOrReason:
    signs_shown = [name for name in vocabulary().names if _is_shown(request, video, name)]
    text = report_of_clip(request, video, signs_shown) if windows > 1 else video.report
    if not text:
        return "the report says nothing of what the clip shows"
    # Signs without a time come first in the vocabulary's order: only those with one have a place in the sequence.
    timed = [name for name, _ in events(video, signs_shown)]
    in_order = [name for name in signs_shown if name not in timed] + timed
    sides = {name: side for name, label in video.features.items() if name in signs_shown and (side := label.side)}
    untested = [name for name, label in video.features.items() if label.present == "untested"]
    truth = {"text": text, "events": in_order, "sides": sides, "untested": untested}
    return perfect_answer("report", request, replace(video, report=text)), {"report": truth}


def report_of_clip(request: Request, video: Video, signs_shown: list[str]) -> str:
    """Return the sentences of a report that describe the clip, joined.

    A sentence that names signs is kept if one of them is in ``signs_shown``. One that names no sign is kept if it is
    about the onset or the postictal phase, and the clip holds that moment.
    """
    sentences = _SENTENCE_END.split(video.report.strip())
    return " ".join(s for s in sentences if _is_about_clip(s, request, video, signs_shown))


def _is_about_clip(sentence: str, request: Request, video: Video, signs_shown: list[str]) -> bool:
    # The rule-based reader of the report metric: target and score must agree on the signs of a sentence.
    structure = extract(sentence)
    if structure.events:
        return any(name in signs_shown for name in structure.events)
    moment = {"onset": video.onset_s, "postictal": video.offset_s}
    times = [moment[part] for part in structure.components if part in moment]
    return any(at is not None and request.clip.start_s <= at <= request.clip.end_s for at in times)


def _diagnosis(request: Request, video: Video, windows: int) -> TargetOrReason:
    # Annotations hold no justification of the diagnosis; the report is the nearest to one.
    return write_answer(request, video.diagnosis, video.report[:MAX_WORDS_CHARACTERS]), {}


def _is_shown(request: Request, video: Video, name: str) -> bool:
    label = video.features.get(name)
    return label is not None and label.present == "yes" and shows(request.clip, label)


_CLIP_TRUTHS = cast(
    "Mapping[str, Callable[[Request, Video, int], TargetOrReason]]",
    {"feature": _feature, "sequence": _sequence, "report": _report, "diagnosis": _diagnosis},
)
