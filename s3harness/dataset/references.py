"""References of a task from the annotations of a video: the items, and the truth of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from s3harness.specs.features import vocabulary
from s3harness.types import FeatureLabel, Modality, Video

BOUNDARIES = ("seizure_onset", "seizure_offset")
SIDES = ("left", "right")
OF_FEATURES = ("feature", "rationale")
"""Kinds of items that are about one feature each."""

Truths = Iterator[tuple[str, object]]


def truths(video: Video, item: str, modalities: Collection[Modality]) -> Truths:
    """Return subject and truth of each item of a kind in a video, for a model that takes these modalities.

    Signs that are heard are left out for a model without audio, signs that are seen for a model without video, and for
    the latter also every kind of item that needs the picture. The values are those of the prediction of the same kind;
    see the ``item`` of the task specs.
    """
    # Sides, times and reports cannot be told from the sound.
    if "video" not in modalities and item not in OF_FEATURES:
        return iter(())
    return _KINDS[item](video, [f.name for f in vocabulary().features if f.modality in modalities])


def events(video: Video, names: Sequence[str]) -> list[tuple[str, float]]:
    """Return the timed signs of a video by onset in seconds; signs that begin together keep the vocabulary's order."""
    timed = [(name, video.features[name].start_s) for name in names if _present(video, name)]
    # sorted is stable, which keeps the vocabulary's order of signs that begin together.
    return sorted(((name, start) for name, start in timed if start is not None), key=lambda event: event[1])


def _features(video: Video, names: Sequence[str]) -> Truths:
    for name in names:
        if name in video.features:
            yield name, video.features[name].present


def _rationales(video: Video, names: Sequence[str]) -> Truths:
    for name in names:
        label = video.features.get(name)
        # Without the annotator's reason there is nothing to compare with.
        if label is not None and label.justification:
            yield name, {"present": label.present, "text": label.justification}


def _laterality(video: Video, _: Sequence[str]) -> Truths:
    for name in vocabulary().sided:
        label = video.features.get(name, FeatureLabel("no"))
        # Signs of both sides have no right answer among left and right.
        if label.present == "yes" and label.side in SIDES and label.start_s is not None:
            yield name, label.side
    if video.onset_body_part:
        yield "onset_body_part", video.onset_body_part


def _boundaries(video: Video, names: Sequence[str]) -> Truths:
    yield from events(video, _that_begin(names))
    for name, at in zip(BOUNDARIES, (video.onset_s, video.offset_s), strict=True):
        if at is not None:
            yield name, at


def _sequence(video: Video, names: Sequence[str]) -> Truths:
    # A video without any annotation has an unknown sequence, not an empty one.
    if video.features:
        yield "sequence", [list(event) for event in events(video, _that_begin(names))]


def _report(video: Video, _: Sequence[str]) -> Truths:
    if video.report:
        names = vocabulary().names
        yield (
            "report",
            {
                "text": video.report,
                "events": _present_in_order(video, names),
                "sides": {n: label.side for n, label in video.features.items() if label.side},
                "untested": [n for n in names if n in video.features and video.features[n].present == "untested"],
                # Only where a data set states it: truths of other data sets stay as they were.
                **({"language": video.language} if video.language else {}),
            },
        )


def _diagnosis(video: Video, _: Sequence[str]) -> Truths:
    if video.diagnosis is not None:
        yield "video", video.diagnosis
        if video.report:
            yield "video_and_report", video.diagnosis


def _seizures(video: Video, _: Sequence[str]) -> Truths:
    # Recordings that are cut around one event hold no other; of all others it must be stated.
    one = ((video.onset_s, video.offset_s),) if None not in (video.onset_s, video.offset_s) else None
    seizures = one if video.seizures is None else video.seizures
    if seizures is not None and video.duration_s is not None:
        clock = {} if video.clock_s is None else {"clock_s": video.clock_s}
        yield "seizures", {"seizures": [list(s) for s in seizures], "duration_s": video.duration_s, **clock}


def _that_begin(names: Sequence[str]) -> list[str]:
    """The features of which it can be asked when they begin, whatever times are noted of the others."""
    return [name for name in names if vocabulary()[name].has_interval]


def _present_in_order(video: Video, names: Sequence[str]) -> list[str]:
    timed = [name for name, _ in events(video, names)]
    return [n for n in names if _present(video, n) and n not in timed] + timed


def _present(video: Video, name: str) -> bool:
    return name in video.features and video.features[name].present == "yes"


_KINDS: Mapping[str, Callable[[Video, Sequence[str]], Truths]] = {
    "feature": _features,
    "rationale": _rationales,
    "laterality": _laterality,
    "boundary": _boundaries,
    "sequence": _sequence,
    "report": _report,
    "diagnosis": _diagnosis,
    "seizures": _seizures,
}
