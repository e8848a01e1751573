"""What a transform hides: whether a face is still found, and whether the patient is still known again.

Both are lower bounds of what somebody could find out who tries harder: another detector, a trained attacker, the
report. A small number is no anonymity.
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
from s3harness_privacy.faces import sees_face

Array = NDArray[np.float64]

MAX_PIXELS = 640 * 360
FRAMES = 16
"""Pictures of a video that are looked at, evenly spread over it."""

RATE = 8_000
BANDS_HZ = (100, 200, 300, 400, 600, 800, 1200, 1800, 2600, 3800)

THUMBNAIL = (16, 9)
LEVELS = 6


@dataclass(frozen=True, slots=True)
class Share:
    """A share of ``of``, with the interval that resamples patients; ``chance`` is what a guess has, if it has one."""

    value: float | None
    interval: s3harness.Interval | None
    of: int
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is left to be found through some transforms.

    ``face`` is the share of pictures in which a face is found, by a detector that hides none. ``looks`` and ``voice``
    are the shares of videos whose nearest neighbour, by pictures and by sound, is of the same patient, among videos
    that were all shown in the same way; only patients with two videos and more are looked for. ``lost`` videos could
    not be shown.
    """

    transforms: tuple[str, ...]
    face: Share
    looks: Share
    voice: Share
    videos: int
    lost: int


@dataclass(frozen=True, slots=True)
class _Seen:
    patient: str
    faces: tuple[bool, ...]
    looks: Mapping[str, Array]
    voice: Array | None


def measure(
    data: Path, transforms: Sequence[str], *, cache: Path | None = None, limit: int | None = None, frames: int = FRAMES
) -> Hidden:
    """What is left to be found in the videos of a data set through transforms, by name."""
    videos = s3harness.load_dataset(data).videos[:limit]
    store = s3harness.media_store(cache, transforms=transforms)
    seen = [_look(video, store, frames) for video in videos]
    known = [one for one in seen if one is not None]
    patients = _numbers([one.patient for one in known])
    faces = [(found, patient) for one, patient in zip(known, patients, strict=True) for found in one.faces]
    return Hidden(
        transforms=tuple(transforms),
        face=_share([found for found, _ in faces], [patient for _, patient in faces]),
        looks=_best([[one.looks[name] for one in known] for name in DESCRIPTIONS], patients),
        voice=_known_again([one.voice for one in known], patients),
        videos=len(known),
        lost=len(seen) - len(known),
    )


def _look(video: s3harness.Video, store: s3harness.MediaStore, frames: int) -> _Seen | None:
    """What is found in a video; ``None`` if it cannot be shown."""
    length_s = video.duration_s or 0.0
    if video.path is None or length_s <= 0:
        return None
    times = tuple((np.arange(frames) + 0.5) * length_s / frames)
    clip = s3harness.Clip(video.id, 0.0, length_s, times, MAX_PIXELS, audio=True)
    store.prepare(video, [clip])
    try:
        pixels, _ = store.frames(clip)
        looks = {name: describe(pixels) for name, describe in DESCRIPTIONS.items()}
        faces = tuple(sees_face(picture) for picture in pixels)
        return _Seen(video.patient, faces, looks, _voice(store, clip))
    except s3harness.MediaError:
        return None
    finally:
        store.release(video.id)


def _thumbnail(pixels: NDArray[np.uint8]) -> Array:
    """The mean picture, coarsely: body, bed and room where they stand."""
    return np.asarray(cv2.resize(pixels.mean(axis=0), THUMBNAIL, interpolation=cv2.INTER_AREA)).reshape(-1)


def _colours(pixels: NDArray[np.uint8]) -> Array:
    """How often each colour comes: skin, hair and clothes wherever they are."""
    steps = (pixels.reshape(-1, 3).astype(np.int64) * LEVELS) // 256
    counts = np.bincount(steps @ np.array([LEVELS * LEVELS, LEVELS, 1]), minlength=LEVELS**3)
    return np.asarray(np.sqrt(counts / counts.sum()), np.float64)


DESCRIPTIONS: Mapping[str, Callable[[NDArray[np.uint8]], Array]] = {"thumbnail": _thumbnail, "colours": _colours}
"""What an attacker compares; the better of them counts."""


def _voice(store: s3harness.MediaStore, clip: s3harness.Clip) -> Array | None:
    """The mean and the spread of the loudness in each band where there is sound; ``None`` if none is handed over."""
    try:
        samples = store.audio(clip, RATE)
    except s3harness.MediaError:
        return None
    if not samples.any() or len(samples) < 1024:
        return None
    blocks = np.lib.stride_tricks.sliding_window_view(samples, 512)[::256]
    power = np.abs(np.fft.rfft(blocks * np.hanning(512), axis=1)) ** 2
    edges = [round(hz * 512 / RATE) for hz in BANDS_HZ]
    bands = np.log(np.stack([power[:, a:b].sum(1) for a, b in pairwise(edges)], axis=1) + 1e-6)
    loud = bands[bands.sum(1) >= np.median(bands.sum(1))]
    return np.concatenate([loud.mean(0), loud.std(0)])


def _best(described: Sequence[Sequence[Array]], patients: Sequence[int]) -> Share:
    shares = [_known_again(descriptions, patients) for descriptions in described]
    return max(shares, key=lambda share: -1.0 if share.value is None else share.value)


def _known_again(descriptions: Sequence[Array | None], patients: Sequence[int]) -> Share:
    """How often the nearest other video is of the same patient, and how often one drawn at random is."""
    there = [(d, patient) for d, patient in zip(descriptions, patients, strict=True) if d is not None]
    hits, whose, chances = [], [], []
    for number, patient, rivals in _searches([patient for _, patient in there]):
        own = there[number][0]
        nearest = min(rivals, key=lambda other: float(np.linalg.norm(there[other][0] - own)))
        hits.append(there[nearest][1] == patient)
        whose.append(patient)
        chances.append(sum(there[other][1] == patient for other in rivals) / len(rivals))
    return _share(hits, whose, float(np.mean(chances)) if chances else None)


def _searches(patients: Sequence[int]) -> Iterator[tuple[int, int, list[int]]]:
    """Each video of a patient with several, the patient, and all other videos."""
    for number, patient in enumerate(patients):
        if patients.count(patient) > 1:
            yield number, patient, [other for other in range(len(patients)) if other != number]


def _share(hits: Sequence[bool], patients: Sequence[int], chance: float | None = None) -> Share:
    if not hits:
        return Share(None, None, 0, chance)
    return Share(sum(hits) / len(hits), s3harness.share_interval(hits, patients), len(hits), chance)


def _numbers(names: Sequence[str]) -> list[int]:
    known = {name: number for number, name in enumerate(sorted(set(names)))}
    return [known[name] for name in names]
