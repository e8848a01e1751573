"""The gate before training: no name, date or other identifier is learned, for weights tell what they learned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from s3harness.dataset.sources import search_of
from s3harness.guard.outgoing_check import Consent, OutgoingText, check_outgoing
from s3harness.guard.review import folder_of_dataset
from s3harness.run.request_texts import REPORT, texts_of_request
from s3harness.training.training_set import TrainingSet
from s3harness.transforms.mirror import mirrored_video


def check_training(data: Path, made: TrainingSet, consent: Consent) -> dict[str, object]:
    """Refuse a training set with identifiers, or return those that the user lets through: the reason, and how many.

    Raises :class:`~s3harness.guard.outgoing_check.IdentifiersError`.
    """
    search = search_of(data, made.dataset.videos)
    kept = replace(consent, folder=folder_of_dataset(data))
    return check_outgoing(_texts(made), search, kept, "the model that is trained")


def _texts(made: TrainingSet) -> Iterator[OutgoingText]:
    """The prompts and answers of every sample, and the reports that held-out patients are asked about."""
    seen: set[str] = set()
    plain = {video.id: video for video in made.division.training}
    mirrored = {name: mirrored_video(video) for name, video in plain.items() if made.settings.mirror}
    for sample in made.samples:
        video = (mirrored if sample.mirrored else plain)[sample.request.clip.video_id]
        yield from texts_of_request(sample.request, video, seen, sample.target)
    if any(spec.item == "diagnosis" for spec in made.specs.values()):
        yield from (OutgoingText(video.id, REPORT, video.report) for video in made.division.held_out if video.report)
