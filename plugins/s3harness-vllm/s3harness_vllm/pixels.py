"""How large pictures reach the model: as the clip has them, whatever the checkpoint's own limit is."""

from __future__ import annotations

from typing import Any

import s3harness
from s3harness_vllm.prompt import rate

PER_FRAME = frozenset({"qwen2_5_vl", "qwen2_5_omni_thinker", "qwen3_omni_moe_thinker"})
"""Families, by the ``model_type`` of what writes text, whose processor has a limit of pixels for each frame."""

PER_CLIP = frozenset({"qwen3_vl", "qwen3_vl_moe"})
"""Those that have one for all frames of a video together. The checkpoint's is passed by 42 frames of 602112 pixels."""


def processor_options(clip: s3harness.Clip, info: Any) -> dict[str, object]:
    """What the processor of a model is told of a clip's frames; ``info`` is what vLLM has on that processor.

    Their rate, for families that take it from here and not from the times of the frames; that none is to be taken out;
    and how large they may be. Sides are rounded to whole patches within the clip's ``max_pixels``, and what is below
    the processor's least is enlarged.
    """
    return {"fps": rate(clip), "do_sample_frames": False} | _size(clip, info)


def _size(clip: s3harness.Clip, info: Any) -> dict[str, object]:
    """Nothing for families that are in neither set: they have one size for all pictures."""
    family = info.get_hf_config().model_type
    if family not in PER_FRAME | PER_CLIP:
        return {}
    processor = info.get_hf_processor()
    video, most = processor.video_processor, clip.max_pixels
    if family in PER_CLIP:
        most *= _padded(len(clip.timestamps), video.temporal_patch_size)
    options: dict[str, object] = {"size": {"shortest_edge": min(_least(processor), most), "longest_edge": most}}
    return options | ({"cap_pixels_per_frame": False} if hasattr(video, "cap_pixels_per_frame") else {})


def _padded(frames: int, step: int) -> int:
    return -(-frames // step) * step


def _least(processor: Any) -> int:
    """The fewest pixels a frame (or clip) is given; the defaults of some processors go before their settings."""
    defaults = getattr(processor.valid_processor_kwargs, "_defaults", {}).get("videos_kwargs", {})
    size = defaults.get("size") or processor.video_processor.size
    return int(size["shortest_edge"])
