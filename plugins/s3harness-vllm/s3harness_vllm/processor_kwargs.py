"""``mm_processor_kwargs`` of a request: frame rate, and frames at the clip's size instead of the checkpoint's limit."""

from __future__ import annotations

from typing import Any

import s3harness

BY_IMAGES = frozenset({"MiniCPMV4_6VideoProcessor"})
"""Video processors in whose place vLLM 0.32 calls the model's processor of images, which takes no such arguments."""


def processor_kwargs(clip: s3harness.Clip, info: Any) -> dict[str, object]:
    """Keyword arguments for the processor of a model, for one clip; ``info`` is vLLM's ``BaseProcessingInfo`` of it.

    ``fps`` is for families that read the frame rate here and not from the times of the frames; ``do_sample_frames`` off
    keeps all frames; ``size`` lets them be as large as the clip's ``max_pixels``. Sides are rounded to whole patches,
    and frames below the processor's minimum are enlarged.
    """
    video = getattr(info.get_hf_processor(), "video_processor", None)
    if type(video).__name__ in BY_IMAGES:
        return {}
    return {"fps": s3harness.frame_rate(clip), "do_sample_frames": False} | _size(clip, info)


def _size(clip: s3harness.Clip, info: Any) -> dict[str, object]:
    """The limits of size; empty for a video processor without limits of pixels, which has one size for all frames."""
    processor, max_pixels = info.get_hf_processor(), clip.max_pixels
    video = getattr(processor, "video_processor", None)
    limits = s3harness.pixel_limits_of(type(video).__name__)
    if video is None or not limits:
        return {}
    if limits == "clip":
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
