"""Compares a clip's tensors by vLLM's processors with those of transformers: ``vllm_model_inputs.py DATA WEIGHTS OUT``.

``WEIGHTS`` has a directory for each of the cards below, by its name. No engine is started.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import torch
from s3harness_transformers.families import family_of
from s3harness_transformers.loading import load_processor
from s3harness_transformers.request_encoder import RequestEncoder
from s3harness_vllm.backend import VllmBackend
from s3harness_vllm.prompt import load_media

import s3harness
from s3harness.evaluation.prepare import prepare
from s3harness.evaluation.settings import RunSettings
from s3harness.specs.models import load_model

OPTIONS = {"dtype": "float32", "tensor_parallel_size": 1, "mm_device_do_normalize": False, "mm_processor_cache_gb": 0}
FEW = 8
"""Frames are enough where each has a limit of its own."""


async def main(data: Path, weights: Path, out: Path) -> None:
    """Process the first clip of Task 1 under both protocols."""
    torch.set_num_threads(1)
    findings = {}
    with tempfile.TemporaryDirectory() as cache:
        media = s3harness.MediaStore(Path(cache))
        for directory in sorted(weights.iterdir()):
            card = replace(load_model(directory.name), weights=str(directory))
            backend = VllmBackend(card, OPTIONS, media)
            renderer = renderer_of(backend)
            for protocol in ("strict", "paper"):
                request = first_request(data, directory, protocol, media)
                ours = await of_vllm(backend, renderer, request, media)
                findings[f"{directory.name} {protocol}"] = comparison(ours, of_transformers(card, request, media))
            findings[f"{directory.name} room"] = room_of_video(renderer)
    out.write_text(json.dumps(findings))


def renderer_of(backend: VllmBackend):
    """The renderer of an engine of this backend, which makes prompts of requests."""
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.renderers import renderer_from_config

    return renderer_from_config(AsyncEngineArgs(**backend.setup.engine).create_engine_config())


def first_request(data: Path, weights: Path, protocol: str, media: s3harness.MediaStore) -> s3harness.Request:
    """The first request of Task 1; its media are ready."""
    settings = RunSettings(
        backend="vllm",
        data=data,
        out=Path("unused"),
        model=weights.name,
        weights=weights,
        tasks=("1",),
        protocol=protocol,
        options=OPTIONS,
    )
    (video,) = prepare(settings).plan
    request = video.steps[0].requests[0]
    if not weights.name.startswith("qwen3-vl"):
        request = replace(request, clip=replace(request.clip, timestamps=request.clip.timestamps[:FEW]))
    media.prepare(video.video, [request.clip])
    return request


async def of_vllm(backend: VllmBackend, renderer, request: s3harness.Request, media: s3harness.MediaStore) -> dict:
    """Tokens and tensors that vLLM would hand to its model."""
    clip_media, data = load_media(request.clip, backend.model, media)
    prompt = await backend._render(SimpleNamespace(renderer=renderer), request, clip_media, data)
    items = {name: item for kind in prompt["mm_kwargs"].values() for one in kind for name, item in one.items()}
    return {"input_ids": prompt["prompt_token_ids"]} | {name: item.data for name, item in items.items()}


def of_transformers(card: s3harness.ModelCard, request: s3harness.Request, media: s3harness.MediaStore) -> dict:
    """Tokens and tensors that the transformers backend would."""
    _, processor = load_processor(str(card.weights), {"local_files_only": True})
    encoded = RequestEncoder(processor, family_of(processor), card, media).encode(request)
    return {"input_ids": encoded.text["input_ids"][0].tolist(), **encoded.media}


def room_of_video(renderer) -> int | None:
    """Tokens of a video that an engine makes room for when it starts, where that does not take one to find out."""
    info = renderer.get_mm_processor().info
    max_tokens = info.get_mm_max_tokens_per_item(renderer.model_config.max_model_len, {"video": 1})
    return max_tokens and int(max_tokens["video"])


def comparison(ours: dict, theirs: dict) -> dict[str, object]:
    """The shape of the frames, and the largest differences between the two."""
    pixels = theirs.get("pixel_values_videos", theirs.get("pixel_values"))
    findings = {"same_tokens": same_tokens(ours, theirs), "shape": list(pixels.shape)}
    findings["pixels_apart"] = apart(ours["pixel_values_videos"], pixels)
    if "video_grid_thw" in ours:
        findings["grid"] = ours["video_grid_thw"].tolist()
        findings["same_grid"] = findings["grid"] == theirs["video_grid_thw"][0].tolist()
    if "second_per_grid_ts" in ours:
        step = theirs.get("video_second_per_grid", theirs.get("second_per_grid_ts"))
        findings["steps_apart"] = apart(ours["second_per_grid_ts"], torch.as_tensor(step[0]))
    if "input_audio_features" in ours:
        heard = int(theirs["feature_attention_mask"].sum())
        findings["sound_apart"] = apart(ours["input_audio_features"], theirs["input_features"][0, :, :heard])
    return findings


def same_tokens(ours: dict, theirs: dict) -> bool:
    """True if the prompts agree, whichever token holds the place of a frame."""
    one, other = ours["input_ids"], theirs["input_ids"]
    place = int(ours["video_token_id"]) if "video_token_id" in ours else None
    held = {b for a, b in zip(one, other, strict=True) if a == place}
    return len(held) < 2 and all(a in (b, place) for a, b in zip(one, other, strict=True))


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """The largest difference of two tensors of one shape."""
    assert one.shape == other.shape, (one.shape, other.shape)
    return float((one.float() - other.float()).abs().max())


if __name__ == "__main__":
    os.environ.update(HF_HUB_OFFLINE="1", VLLM_ALLOW_LONG_MAX_MODEL_LEN="1", VLLM_LOGGING_LEVEL="ERROR")
    asyncio.run(main(*map(Path, sys.argv[1:])))
