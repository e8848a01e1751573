"""The clips of a training set as files: decoded once a video, flipped where a sample is mirrored."""

from __future__ import annotations

import wave
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from s3harness.media import MediaStore
from s3harness.media.encode import encode_jpegs, encode_mp4
from s3harness.media.frames import RATE, Samples
from s3harness.training.clips import mirrored_frames
from s3harness.training.export import MEDIA_FOLDER, clips_by_video, media_files, media_name
from s3harness.training.sample import Sample
from s3harness.training.training_set import TrainingSet
from s3harness.types import Clip

QUALITY = 90
FULL_SCALE = 32767


def write_media(
    out: Path, made: TrainingSet, media: str, store: MediaStore, done: Callable[[int], None] = lambda n: None
) -> int:
    """Write every clip that the rows speak of, ``frames`` or ``mp4``; returns how many.

    Raises :class:`~s3harness.errors.MediaError` for a video that cannot be decoded.
    """
    videos = {video.id: video for video in made.division.training}
    written = 0
    for video_id, samples in clips_by_video(made.samples):
        store.prepare(videos[video_id], _clips(samples))
        for sample in samples:
            _write(out, sample, media, store)
            written += 1
        store.release(video_id)
        done(written)
    return written


def _clips(samples: Sequence[Sample]) -> list[Clip]:
    return list(dict.fromkeys(replace(sample.request.clip, index=0) for sample in samples))


def _write(out: Path, sample: Sample, media: str, store: MediaStore) -> None:
    clip = sample.request.clip
    frames = store.frames(clip)
    shown = mirrored_frames(frames) if sample.mirrored else frames
    sound = store.audio(clip, RATE) if clip.audio else None
    paths = [out / name for name in media_files(sample, media)]
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    if media == "mp4":
        paths[0].write_bytes(encode_mp4(shown, clip.start_s, clip.end_s, None if sound is None else (sound, RATE)))
        return
    for path, picture in zip(paths, encode_jpegs(shown, QUALITY).images, strict=True):
        path.write_bytes(picture)
    if sound is not None:
        _write_wav(out / MEDIA_FOLDER / f"{media_name(sample)}.wav", sound)


def _write_wav(path: Path, sound: Samples) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((np.clip(sound, -1.0, 1.0) * FULL_SCALE).astype("<i2").tobytes())
