"""Leakage through a transform: faces that are still detected, and patients who are still re-identified.

Both are lower bounds. Another detector, a trained attacker or the report may find more, so a small number is no
anonymity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import s3harness
from s3harness_privacy.face_detection import has_face

Array = NDArray[np.float64]

MAX_PIXELS = 640 * 360
N_FRAMES = 16
"""Pictures of a video, evenly spread over it."""

AUDIO_RATE_HZ = 8_000
BANDS_HZ = (100, 200, 300, 400, 600, 800, 1200, 1800, 2600, 3800)
BLOCK, HOP = 512, 256
"""Samples of a block of sound (64 ms), and from the start of one to the next."""

THUMBNAIL = (16, 9)
COLOUR_LEVELS = 6
"""Levels of each colour channel in a histogram."""


@dataclass(frozen=True, slots=True)
class MeasuredShare:
    """A share of ``of`` items, with an interval that resamples patients; ``chance`` is the share of a random guess."""

    value: float | None
    interval: s3harness.Interval | None
    of: int
    chance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leakage:
    """Identifying information that is left through some transforms.

    ``face`` is the share of pictures in which a face is detected, by another detector than the one that hides.
    ``looks`` and ``voice`` are the shares of videos whose nearest neighbour, by pictures and by sound, is of the same
    patient, among videos that were all transformed in the same way; only patients with at least two videos are searched
    for. ``lost`` videos could not be shown.
    """

    transforms: tuple[str, ...]
    face: MeasuredShare
    looks: MeasuredShare
    voice: MeasuredShare
    videos: int
    lost: int


@dataclass(frozen=True, slots=True)
class _VideoFeatures:
    patient: str
    faces: tuple[bool, ...]
    looks: Mapping[str, Array]
    voice: Array | None


def measure_leakage(
    data: Path,
    transforms: Sequence[str],
    *,
    cache: Path | None = None,
    limit: int | None = None,
    n_frames: int = N_FRAMES,
) -> Leakage:
    """Measure the leakage of a data set's videos through transforms, by their names."""
    videos = s3harness.load_dataset(data).videos[:limit]
    store = s3harness.media_store(cache, transforms=transforms)
    extracted = [_video_features(video, store, n_frames) for video in videos]
    features = [one for one in extracted if one is not None]
    patients = _numbers([one.patient for one in features])
    faces = [(face, patient) for one, patient in zip(features, patients, strict=True) for face in one.faces]
    return Leakage(
        transforms=tuple(transforms),
        face=_share([face for face, _ in faces], [patient for _, patient in faces]),
        looks=_best_attack([[one.looks[name] for one in features] for name in DESCRIPTORS], patients),
        voice=_reidentified([one.voice for one in features], patients),
        videos=len(features),
        lost=len(extracted) - len(features),
    )


def _video_features(video: s3harness.Video, store: s3harness.MediaStore, n_frames: int) -> _VideoFeatures | None:
    """Faces, looks and voice of a video; ``None`` if it cannot be shown."""
    length_s = video.duration_s or 0.0
    if video.path is None or length_s <= 0:
        return None
    times = tuple((np.arange(n_frames) + 0.5) * length_s / n_frames)
    clip = s3harness.Clip(video.id, 0.0, length_s, times, MAX_PIXELS, audio=True)
    store.prepare(video, [clip])
    try:
        pixels, _ = store.frames(clip)
        looks = {name: describe(pixels) for name, describe in DESCRIPTORS.items()}
        faces = tuple(has_face(picture) for picture in pixels)
        return _VideoFeatures(video.patient, faces, looks, _voice_features(store, clip))
    # A transform that fails lets nothing through, so nothing is left to be found.
    except s3harness.MediaError:
        return None
    finally:
        store.release(video.id)


def _thumbnail(pixels: NDArray[np.uint8]) -> Array:
    """The mean picture at low resolution: body, bed and room by their places."""
    return np.asarray(cv2.resize(pixels.mean(axis=0), THUMBNAIL, interpolation=cv2.INTER_AREA)).reshape(-1)


def _colour_histogram(pixels: NDArray[np.uint8]) -> Array:
    """Square roots of the shares of all colours: skin, hair and clothes in any place."""
    levels = (pixels.reshape(-1, 3).astype(np.int64) * COLOUR_LEVELS) // 256
    weights = np.array([COLOUR_LEVELS * COLOUR_LEVELS, COLOUR_LEVELS, 1])
    counts = np.bincount(levels @ weights, minlength=COLOUR_LEVELS**3)
    # Euclidean distance of square roots is the Hellinger distance of histograms.
    return np.asarray(np.sqrt(counts / counts.sum()), np.float64)


DESCRIPTORS: Mapping[str, Callable[[NDArray[np.uint8]], Array]] = {
    "thumbnail": _thumbnail,
    "colours": _colour_histogram,
}
"""Descriptors by which an attacker compares pictures; the result is that of the better one."""


def _voice_features(store: s3harness.MediaStore, clip: s3harness.Clip) -> Array | None:
    """Mean and standard deviation of the log power in each band; ``None`` without sound."""
    try:
        samples = store.audio(clip, AUDIO_RATE_HZ)
    except s3harness.MediaError:
        return None
    if not samples.any() or len(samples) < 2 * BLOCK:
        return None
    blocks = np.lib.stride_tricks.sliding_window_view(samples, BLOCK)[::HOP]
    power = np.abs(np.fft.rfft(blocks * np.hanning(BLOCK), axis=1)) ** 2
    edges = [round(hz * BLOCK / AUDIO_RATE_HZ) for hz in BANDS_HZ]
    bands = np.log(np.stack([power[:, a:b].sum(1) for a, b in pairwise(edges)], axis=1) + 1e-6)
    # The louder half: pauses would describe the room and not the voice.
    loud = bands[bands.sum(1) >= np.median(bands.sum(1))]
    return np.concatenate([loud.mean(0), loud.std(0)])


def _best_attack(descriptors: Sequence[Sequence[Array]], patients: Sequence[int]) -> MeasuredShare:
    shares = [_reidentified(vectors, patients) for vectors in descriptors]
    return max(shares, key=lambda share: -1.0 if share.value is None else share.value)


def _reidentified(vectors: Sequence[Array | None], patients: Sequence[int]) -> MeasuredShare:
    """The share of videos whose nearest other video is of the same patient, and that of a random other video."""
    present = [(vector, patient) for vector, patient in zip(vectors, patients, strict=True) if vector is not None]
    hits, hit_patients, chances = [], [], []
    for number, patient, others in _searches([patient for _, patient in present]):
        own = present[number][0]
        nearest = min(others, key=lambda other: float(np.linalg.norm(present[other][0] - own)))
        hits.append(present[nearest][1] == patient)
        hit_patients.append(patient)
        chances.append(sum(present[other][1] == patient for other in others) / len(others))
    return _share(hits, hit_patients, float(np.mean(chances)) if chances else None)


def _searches(patients: Sequence[int]) -> Iterator[tuple[int, int, list[int]]]:
    """For each video of a patient with several: its number, the patient, and the numbers of all other videos."""
    for number, patient in enumerate(patients):
        # A patient with one video cannot be found among the others.
        if patients.count(patient) > 1:
            yield number, patient, [other for other in range(len(patients)) if other != number]


def _share(hits: Sequence[bool], patients: Sequence[int], chance: float | None = None) -> MeasuredShare:
    if not hits:
        return MeasuredShare(None, None, 0, chance)
    return MeasuredShare(sum(hits) / len(hits), s3harness.share_interval(hits, patients), len(hits), chance)


def _numbers(names: Sequence[str]) -> list[int]:
    """A number for each name, equal for equal names."""
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    return [numbers[name] for name in names]
