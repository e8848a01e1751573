"""Who is trained on and who is held out: whole patients, never videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from s3harness.dataset.load import SAMPLE_SPLIT
from s3harness.dataset.split import split_patients
from s3harness.errors import UsageError
from s3harness.types import Video

FEWEST = {"to train on": 2, "held out": 1}
"""How many patients must be on either side."""


@dataclass(frozen=True, slots=True)
class Division:
    """The videos to train on and those held out; no patient is in both."""

    training: tuple[Video, ...]
    held_out: tuple[Video, ...]


def divide(videos: Sequence[Video], *, split: str | None, held_out: float, seed: int) -> Division:
    """Divide by the data set's own splits (``split`` is trained on), or hold out a share (0–1) of the patients.

    Patients of each diagnosis are held out alike. Videos of the split "sample" are on neither side. Raises
    :class:`UsageError` with fewer patients than :data:`FEWEST` on either side.
    """
    usable = [video for video in videos if video.split != SAMPLE_SPLIT]
    if split is not None:
        chosen = {video.patient for video in usable if video.split == split}
        if not chosen:
            known = ", ".join(sorted({v.split for v in usable if v.split})) or "none"
            raise UsageError(f"there are no videos of split {split!r} to train on; the splits are {known}")
    elif 0 < held_out < 1:
        dealt = split_patients(usable, ("training", "held out"), (1 - held_out, held_out), seed)
        chosen = {patient for patient, name in dealt.items() if name == "training"}
    else:
        raise UsageError(f"a share of the patients above 0 and below 1 must be held out, not {held_out:g}")
    training = tuple(video for video in usable if video.patient in chosen)
    others = tuple(video for video in usable if video.patient not in chosen)
    for part, (name, fewest) in zip((training, others), FEWEST.items(), strict=True):
        patients = len({video.patient for video in part})
        if patients < fewest:
            raise UsageError(
                f"{patients} of {len({v.patient for v in usable})} patients are {name}, but {fewest} are needed; add "
                "patients, hold out another share, or name another split to train on"
            )
    return Division(training, others)
