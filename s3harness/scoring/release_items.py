"""The fixed item list of the released predictions: what every model is scored on, whatever it answered.

The items are those of the labelled videos of the published test fold, or of all folds. Task 4 is asked and answered in
seconds of a clip of 60 s, since nobody knows where the clip lies in its video. Task 5 is held against the signs that
are seen, which are all that the models were asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from s3harness.dataset.references import SIDES, truths
from s3harness.dataset.release import Part
from s3harness.dataset.release_annotations import CLIP_S, Annotations
from s3harness.types import Modality, Reference, Video

TEST_FOLD = "fold0"
"""The fold of the published test tables."""

WITH_REPORT = "video_and_report"
"""The question of Task 7 that shows the expert's report."""
SEEN: tuple[Modality, ...] = ("video",)

Key = tuple[str, str]
"""The release's name of a video, and the subject asked about."""


def chosen_videos(annotations: Annotations, part: Part) -> dict[str, Video]:
    """The labelled videos of the test fold, or all labelled videos."""
    labelled = annotations.labelled
    return {n: video for n, video in labelled.items() if part == "full" or video.split == TEST_FOLD}


def training_videos(annotations: Annotations, part: Part) -> dict[str, Video]:
    """The labelled videos of all folds but the test fold; none where all videos are scored."""
    folds = {n: video for n, video in annotations.labelled.items() if video.split.startswith("fold")}
    return {n: video for n, video in folds.items() if part == "test" and video.split != TEST_FOLD}


def release_items(
    annotations: Annotations, part: Part, task: str, item: str, modalities: Collection[Modality]
) -> dict[Key, Reference]:
    """The items of a task, of a kind of item, for a model that takes these modalities, in the order of the videos."""
    return _items(annotations, chosen_videos(annotations, part), task, item, modalities)


def training_items(
    annotations: Annotations, part: Part, task: str, item: str, modalities: Collection[Modality]
) -> list[Reference] | None:
    """The same items of the training folds, which floors are fitted on; ``None`` where no fold is left for that."""
    videos = training_videos(annotations, part)
    return list(_items(annotations, videos, task, item, modalities).values()) or None


def _items(
    annotations: Annotations, videos: Mapping[str, Video], task: str, item: str, modalities: Collection[Modality]
) -> dict[Key, Reference]:
    return {
        (name, subject): Reference(
            item=f"{video.id}/{subject}",
            task=task,
            video_id=video.id,
            subject=subject,
            cluster=int(video.patient[1:]),
            truth=truth,
            window=(0.0, CLIP_S) if item == "boundary" else None,
            report=video.report if subject == WITH_REPORT else "",
        )
        for name, video in videos.items()
        for subject, truth in _truths(item, annotations, name, modalities)
    }


def _truths(
    item: str, annotations: Annotations, name: str, modalities: Collection[Modality]
) -> Iterable[tuple[str, object]]:
    video = annotations.videos[name]
    if item == "sequence" and "video" in modalities:
        return truths(video, item, SEEN)
    if item == "laterality" and "video" in modalities:
        return _sides(video)
    if item == "boundary" and "video" in modalities:
        return [(clip.subject, clip.target_s) for clip in annotations.clips_by_video().get(name, ())]
    return truths(video, item, modalities)


def _sides(video: Video) -> Iterator[tuple[str, object]]:
    """Sides as Task 3 asks for them, also of head turnings that Task 1 does not see."""
    for subject in ("head_turning", "arm_movement"):
        if subject in video.features and video.features[subject].side in SIDES:
            yield subject, video.features[subject].side
    if video.onset_body_part:
        yield "onset_body_part", video.onset_body_part
