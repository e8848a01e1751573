"""The inputs of a request by the model's own processor, called as its documentation has it, for ``models verify``.

Nothing of the backend's own encoding is used here, or a fault of it could not be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import s3harness

PER_FRAME = frozenset({"Qwen2VLVideoProcessor"})
"""Classes of video processors whose limit of pixels is for a frame."""
PER_CLIP = frozenset({"Qwen3VLVideoProcessor", "Glm4vVideoProcessor", "Glm46VVideoProcessor"})
"""Classes whose limit is for all frames of a video."""
TAKES_FPS = frozenset({"Qwen2_5OmniProcessor", "Qwen3OmniMoeProcessor"})
"""Classes of processors that read the frame rate from their arguments."""
UNKNOWN_FPS = 24.0
"""The rate that processors assume of a video without metadata."""
AUDIO_RATE_HZ = 16_000


def official_inputs(
    card: s3harness.ModelCard, request: s3harness.Request, source: s3harness.SourceClip, *, trust_remote_code: bool
) -> s3harness.ModelInputs:
    """Load the processor and put the request's conversation, frames and sound through it."""
    processor = load_official_processor(card, trust_remote_code=trust_remote_code)
    tokenizer = getattr(processor, "tokenizer", processor)
    media: dict[str, Any] = {}
    has_frames, has_audio = len(source.frames) > 0, source.audio is not None
    if has_frames:
        media |= _images(source) if card.clip_form == "images" else _video(request, source, processor)
    if has_audio:
        media |= {"audio": [source.audio], "sampling_rate": source.rate}
    if s3harness.audio_is_in_video(card, has_frames=has_frames, has_audio=has_audio):
        media["use_audio_in_video"] = True
    messages = _conversation(card, request, source)
    prompt = processor.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=True, **request.generation.chat_template_kwargs
    )
    texts = {"text": [prompt]} if tokenizer is not processor else {"text": prompt}
    return common_inputs(dict(processor(**texts, return_tensors="pt", **media)), tokenizer.decode)


def load_official_processor(card: s3harness.ModelCard, *, trust_remote_code: bool) -> Any:
    """Load the processor of the card's weights, as its documentation has it."""
    return _load_processor(str(card.weights), card.revision or "main", trust_remote_code)


# A cause is found by putting some twenty variants of a clip through the same processor.
@lru_cache(maxsize=1)
def _load_processor(weights: str, revision: str, trust_remote_code: bool) -> Any:
    from transformers import AutoProcessor

    place = {"local_files_only": True} if Path(weights).is_dir() else {"revision": revision}
    processor = AutoProcessor.from_pretrained(weights, trust_remote_code=trust_remote_code, **place)
    getattr(processor, "tokenizer", processor).padding_side = "left"
    return processor


def common_inputs(tensors: Mapping[str, Any], decode: Callable[[Sequence[int]], str]) -> s3harness.ModelInputs:
    """Tensors of a processor under the names of :class:`s3harness.ModelInputs`."""
    import torch

    ids = [int(token) for token in tensors["input_ids"][0]]
    arrays = {}
    for name, value in tensors.items():
        common = _common_name(name)
        if common:
            tensor = torch.as_tensor(value).detach().cpu().float()
            arrays[common] = (_heard(tensor, tensors) if common == "audio_features" else tensor).numpy()
    return s3harness.ModelInputs(token_ids=tuple(ids), arrays=arrays, text=str(decode(ids)))


def _common_name(name: str) -> str:
    if name.startswith("pixel_values"):
        return "pixels"
    if name.endswith("grid_thw"):
        return "grid"
    if "second_per_grid" in name:
        return "seconds_per_grid_step"
    return "audio_features" if name in ("input_features", "input_audio_features") else ""


def _heard(features: Any, tensors: Mapping[str, Any]) -> Any:
    """Features without their padding, of one clip."""
    mask = next((tensors[n] for n in ("feature_attention_mask", "input_features_mask") if n in tensors), None)
    if mask is None or features.shape[0] != 1:
        return features
    return features[0, :, : int(mask.sum())]


def _conversation(
    card: s3harness.ModelCard, request: s3harness.Request, source: s3harness.SourceClip
) -> list[dict[str, Any]]:
    times_s = [request.clip.start_s + time_s for time_s in source.times_s] or [0.0] * len(source.frames)
    return s3harness.conversation(request, card, frame_times_s=times_s, has_audio=source.audio is not None)


def _images(source: s3harness.SourceClip) -> dict[str, Any]:
    return {"images": [list(source.frames)]}


def _video(request: s3harness.Request, source: s3harness.SourceClip, processor: Any) -> dict[str, Any]:
    """Arguments for the frames: their numbers in the source and its rate, and the clip's limit of pixels."""
    kwargs: dict[str, Any] = {"videos": [source.frames], "do_sample_frames": False}
    clip, n = request.clip, len(source.frames)
    span_s = source.times_s[-1] - source.times_s[0] if source.times_s else 0.0
    sampled = (n - 1) / span_s if span_s > 0 else n / (clip.end_s - clip.start_s)
    if source.times_s:
        kwargs["video_metadata"] = [
            {
                "total_num_frames": max(round(n / sampled * source.fps), 1),
                "fps": source.fps,
                "duration": n / sampled,
                # Not rounded: in a source of varying frame rate, numbers of frames would give other times.
                "frames_indices": [max(0.0, time_s * source.fps) for time_s in source.times_s],
                "width": source.frames.shape[2],
                "height": source.frames.shape[1],
                "video_backend": "pyav",
            }
        ]
    if type(processor).__name__ in TAKES_FPS:
        kwargs["fps"] = sampled if source.times_s else UNKNOWN_FPS
    video_processor = processor.video_processor
    kind = type(video_processor).__name__
    if kind in PER_FRAME | PER_CLIP:
        steps = -(-n // video_processor.temporal_patch_size) * video_processor.temporal_patch_size
        most = clip.max_pixels * (steps if kind in PER_CLIP else 1)
        defaults = getattr(processor.valid_processor_kwargs, "_defaults", {}).get("videos_kwargs", {})
        least = int((defaults.get("size") or video_processor.size)["shortest_edge"])
        kwargs["size"] = {"shortest_edge": min(least, most), "longest_edge": most}
        if hasattr(video_processor, "cap_pixels_per_frame"):
            kwargs["cap_pixels_per_frame"] = False
    return kwargs
