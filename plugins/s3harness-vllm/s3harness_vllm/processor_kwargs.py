"""``mm_processor_kwargs`` of a request: frame rate, and frames at the clip's size instead of the checkpoint's limit."""

from __future__ import annotations

from typing import Any

import s3harness
from s3harness_vllm.prompt import frame_rate

PER_FRAME_MODEL_TYPES = frozenset({"qwen2_5_vl", "qwen2_5_omni_thinker", "qwen3_omni_moe_thinker"})
"""``model_type`` of text configurations whose video processor limits the pixels of each frame."""

PER_CLIP_MODEL_TYPES = frozenset({"qwen3_vl", "qwen3_vl_moe"})
"""``model_type`` of those whose video processor limits the pixels of all frames of a video together.

The limit in the checkpoints is passed by 42 frames of 602112 pixels.
"""


def processor_kwargs(clip: s3harness.Clip, info: Any) -> dict[str, object]:
    """Keyword arguments for the processor of a model, for one clip; ``info`` is vLLM's ``BaseProcessingInfo`` of it.

    ``fps`` is for families that read the frame rate here and not from the times of the frames; ``do_sample_frames`` off
    keeps all frames; ``size`` lets them be as large as the clip's ``max_pixels``. Sides are rounded to whole patches,
    and frames below the processor's minimum are enlarged.
    """
    return {"fps": frame_rate(clip), "do_sample_frames": False} | _size(clip, info)


def _size(clip: s3harness.Clip, info: Any) -> dict[str, object]:
    """The limits of size; empty for families in neither set, which have one size for all frames."""
    model_type = info.get_hf_config().model_type
    if model_type not in PER_FRAME_MODEL_TYPES | PER_CLIP_MODEL_TYPES:
        return {}
    processor = info.get_hf_processor()
    video, max_pixels = processor.video_processor, clip.max_pixels
    if model_type in PER_CLIP_MODEL_TYPES:
        # The limit is for whole temporal patches: the processor repeats the last frame to fill them.
        max_pixels *= _rounded_up(len(clip.timestamps), video.temporal_patch_size)
    size = {"shortest_edge": min(_min_pixels(processor), max_pixels), "longest_edge": max_pixels}
    kwargs: dict[str, object] = {"size": size}
    # Qwen2-VL's processor will cap each frame at a share of a budget for the whole video, by default from
    # transformers 5.22 on.
    return kwargs | ({"cap_pixels_per_frame": False} if hasattr(video, "cap_pixels_per_frame") else {})


def _rounded_up(frames: int, step: int) -> int:
    return -(-frames // step) * step


def _min_pixels(processor: Any) -> int:
    """The processor's minimum of pixels for a frame (or clip)."""
    # In transformers 5 the defaults of some processor classes take priority over the settings in the checkpoint.
    defaults = getattr(processor.valid_processor_kwargs, "_defaults", {}).get("videos_kwargs", {})
    size = defaults.get("size") or processor.video_processor.size
    return int(size["shortest_edge"])
