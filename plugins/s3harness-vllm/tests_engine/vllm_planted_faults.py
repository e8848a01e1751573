"""Receipts of inputs by vLLM's own renderer, with a fault planted in each: ``vllm_planted_faults.py DATA FOLDER OUT``.

No engine is started: a renderer makes the tokens and tensors that an engine would get.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from s3harness_transformers.backend import TransformersBackend
from s3harness_transformers.tiny import tiny_model
from s3harness_vllm import backend as vllm_backend
from s3harness_vllm import prompt as vllm_prompt
from s3harness_vllm.backend import VllmBackend
from vllm_family_cases import WITH_CARD

import s3harness
from s3harness.dataset.load import load_dataset
from s3harness.media.frames import Frames
from s3harness.receipts.compare import resampled
from s3harness.receipts.verify import receipt_of

OPTIONS = {"dtype": "float32", "tensor_parallel_size": 1}
N_FRAMES = 8
RATE_OF_UNTOLD = 24.0
"""The rate that processors assume of frames without times."""

Plant = Callable[[pytest.MonkeyPatch], None]


async def main(data: Path, folder: Path, out: Path) -> None:
    """Make a receipt for each family and fault, and one without any."""
    torch.set_num_threads(1)
    (video, *_) = load_dataset(data).videos
    store = s3harness.MediaStore(folder / "cache")
    times = tuple(4.5 + i for i in range(N_FRAMES))
    clip = s3harness.Clip(video.id, 4.0, 12.0, times, 96 * 64, audio=True)
    store.prepare(video, [clip])
    findings: dict[str, dict] = {}
    for family, case in WITH_CARD.items():
        card = replace(case.card, weights=str(tiny_model(case.family, folder / family)), engines={})
        request = s3harness.Request(id="r", task="t", item="i", subject="s", clip=clip, prompt="Does the head turn?")
        ours, official = VllmBackend(card, OPTIONS, store), TransformersBackend(card, {}, store)
        for name, plant in faults_of(card).items():
            with pytest.MonkeyPatch.context() as patch:
                plant(patch)
                receipt = await receipt_of(ours, official, video, request)
            stages = [asdict(stage) for stage in receipt.stages]
            findings.setdefault(family, {})[name] = {"equal": receipt.equal, "cause": receipt.cause, "stages": stages}
    out.write_text(json.dumps(findings))


def faults_of(card: s3harness.ModelCard) -> dict[str, Plant]:
    """The faults that can be made for a model, by name."""
    faults: dict[str, Plant] = {"none": lambda patch: None}
    if "video" in card.modalities:
        faults |= {"off by one": off_by_one, "BGR": bgr, "resized twice": resized_twice}
        # Of InternVL's prompt frames have numbers alone, and pictures have their times in our own words.
        if card.clip_form == "video" and card.family.startswith("qwen"):
            faults |= {"wrong fps": wrong_fps, "dropped times": dropped_times}
    return faults | ({"audio rate": audio_rate} if card.hears() else {})


def shown(patch: pytest.MonkeyPatch, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Have the media store show changed frames."""
    true = s3harness.MediaStore.frames

    def changed(self, clip):
        frames = true(self, clip)
        return Frames(np.ascontiguousarray(change(frames.pixels)), frames.timestamps)

    patch.setattr(s3harness.MediaStore, "frames", changed)


def off_by_one(patch: pytest.MonkeyPatch) -> None:
    """Show each frame's successor."""
    shown(patch, lambda pixels: np.concatenate([pixels[1:], pixels[-1:]]))


def bgr(patch: pytest.MonkeyPatch) -> None:
    """Show blue as red."""
    shown(patch, lambda pixels: pixels[..., ::-1])


def resized_twice(patch: pytest.MonkeyPatch) -> None:
    """Shrink the frames and enlarge them again."""

    def twice(pixels):
        small = [Image.fromarray(frame).resize((72, 48)) for frame in pixels]
        return np.stack([np.asarray(frame.resize((96, 64))) for frame in small])

    shown(patch, twice)


def told(patch: pytest.MonkeyPatch, indices: list[int], fps: float, rate: float) -> None:
    """Give vLLM other numbers of the frames, and another rate to the families that read one."""
    frames, kwargs = vllm_prompt._frames, vllm_backend.processor_kwargs

    def other_times(*arguments, **options):
        ((pixels, about),) = frames(*arguments, **options)["video"]
        more = {"fps": fps, "frames_indices": indices, "total_num_frames": indices[-1] + 1}
        return {"video": [(pixels, about | more | {"duration": (indices[-1] + 1) / fps})]}

    patch.setattr(vllm_prompt, "_frames", other_times)
    patch.setattr(vllm_backend, "processor_kwargs", lambda *arguments: kwargs(*arguments) | {"fps": rate})


def wrong_fps(patch: pytest.MonkeyPatch) -> None:
    """Tell that the frames, of which one is shown a second, come two a second."""
    told(patch, [4 * i for i in range(N_FRAMES)], 8.0, 2.0)


def dropped_times(patch: pytest.MonkeyPatch) -> None:
    """Tell no times."""
    told(patch, list(range(N_FRAMES)), RATE_OF_UNTOLD, RATE_OF_UNTOLD)


def audio_rate(patch: pytest.MonkeyPatch) -> None:
    """Give sound at 24 kHz for sound at 16 kHz."""
    true = s3harness.MediaStore.audio
    wrong = lambda self, clip, rate: resampled(true(self, clip, rate), 16_000, 24_000)  # noqa: E731
    patch.setattr(s3harness.MediaStore, "audio", wrong)


if __name__ == "__main__":
    os.environ.update(HF_HUB_OFFLINE="1", VLLM_ALLOW_LONG_MAX_MODEL_LEN="1", VLLM_LOGGING_LEVEL="ERROR")
    asyncio.run(main(*map(Path, sys.argv[1:])))
