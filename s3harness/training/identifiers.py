"""The gate before training: no name, date or other identifier is learnt, as trained weights can reproduce them."""

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


def check_training(data: Path, training_set: TrainingSet, consent: Consent) -> dict[str, object]:
    """Refuse a training set with identifiers; return the user's reason for allowing some, and their number.

    Raises :class:`~s3harness.guard.outgoing_check.IdentifiersError`.
    """
    search = search_of(data, training_set.dataset.videos)
    own_consent = replace(consent, folder=folder_of_dataset(data))
    return check_outgoing(_texts(training_set), search, own_consent, "the model that is trained")


def _texts(training_set: TrainingSet) -> Iterator[OutgoingText]:
    """Yield the prompts and answers of every sample, and the reports in the prompts about held-out patients."""
    # Prompts repeat from sample to sample, and each text needs to be searched but once.
    yielded: set[str] = set()
    plain = {video.id: video for video in training_set.division.training}
    mirrored = {name: mirrored_video(video) for name, video in plain.items() if training_set.settings.mirror}
    for sample in training_set.samples:
        video = (mirrored if sample.mirrored else plain)[sample.request.clip.video_id]
        yield from texts_of_request(sample.request, video, yielded, sample.target)
    # Held-out patients are not learnt from, but their reports are shown to the model while it trains.
    if any(spec.item == "diagnosis" for spec in training_set.specs.values()):
        yield from (
            OutgoingText(video.id, REPORT, video.report) for video in training_set.division.held_out if video.report
        )
