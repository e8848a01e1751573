"""Arguments for the processors of the model families: times, rate and size of a clip's frames, and limits of sound.

A family is chosen by the ``model_type`` of its configuration. One that is not in the table gets frames, times and sound
all the same, at the size that its processor sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import s3harness

TICKS_PER_S = 1000
"""Frames a second of the clock by which frame times are given to the processor.

Processors take the time of a frame as its number divided by a frame rate; at a rate this high every time is exact to
the millisecond.
"""

AUDIO_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class ProcessorFamily:
    """Properties of a family's processor: its limit of pixels, and whether it reads the frame rate from its arguments.

    Where the limit is ``per_frame`` or ``per_clip``, frames keep the size that they have in the clip, which is within
    the clip's ``max_pixels``: sides are rounded to whole patches, and frames below the processor's minimum are
    enlarged. With ``fixed`` all frames have one size. ``audio_limit`` is the path of attributes, from the processor
    on, to the seconds of sound that it takes at most.
    """

    pixels: Literal["per_frame", "per_clip", "fixed"] = "fixed"
    takes_rate: bool = False
    audio_limit: tuple[str, ...] = ()


FAMILIES: Mapping[str, ProcessorFamily] = {
    "qwen2_5_vl": ProcessorFamily("per_frame"),
    "qwen3_vl": ProcessorFamily("per_clip"),
    "qwen3_vl_moe": ProcessorFamily("per_clip"),
    "qwen2_5_omni_thinker": ProcessorFamily(
        "per_frame", takes_rate=True, audio_limit=("feature_extractor", "chunk_length")
    ),
    "qwen3_omni_moe_thinker": ProcessorFamily("per_frame", takes_rate=True),
    "internvl": ProcessorFamily("fixed"),
    "audioflamingo3": ProcessorFamily(audio_limit=("max_audio_len",)),
}


def family_of(model_type: str) -> ProcessorFamily:
    """The family of a configuration's ``model_type``."""
    return FAMILIES.get(model_type, ProcessorFamily())


def video_kwargs(
    clip: s3harness.Clip, frames: s3harness.Frames, family: ProcessorFamily, processor: Any
) -> dict[str, Any]:
    """Processor arguments that go with the frames of a clip: their times, sampling switched off, and limits of size."""
    kwargs: dict[str, Any] = {"do_sample_frames": False, "video_metadata": [frame_metadata(clip, frames)]}
    if family.takes_rate:
        kwargs["fps"] = frame_rate(clip)
    if family.pixels == "fixed":
        return kwargs
    max_pixels = clip.max_pixels
    if family.pixels == "per_clip":
        # The limit is for whole temporal patches: the processor repeats the last frame to fill them.
        max_pixels *= _rounded_up(len(frames.timestamps), processor.video_processor.temporal_patch_size)
    kwargs["size"] = {"shortest_edge": min(_min_pixels(processor), max_pixels), "longest_edge": max_pixels}
    # Qwen2-VL's processor will cap each frame at a share of a budget for the whole video, by default from
    # transformers 5.22 on.
    if hasattr(processor.video_processor, "cap_pixels_per_frame"):
        kwargs["cap_pixels_per_frame"] = False
    return kwargs


def frame_metadata(clip: s3harness.Clip, frames: s3harness.Frames) -> dict[str, Any]:
    """Video metadata that give the time of each frame, in seconds from the start of the clip."""
    times, (_, height, width, _) = frames.timestamps, frames.pixels.shape
    ticks = [max(0, round((time - clip.start_s) * TICKS_PER_S)) for time in times]
    # Such that processors which divide it by the frame rate arrive at the frames' own rate.
    total = round(len(times) / frame_rate(clip) * TICKS_PER_S)
    return {
        "total_num_frames": max(total, 1),
        "fps": float(TICKS_PER_S),
        "duration": clip.end_s - clip.start_s,
        "width": width,
        "height": height,
        "frames_indices": ticks,
        "video_backend": "s3harness",
    }


def frame_rate(clip: s3harness.Clip) -> float:
    """Frames a second, by the requested times; of a single frame, one in the whole clip."""
    # By the requested times and not by those of the decoded frames: processors count whole grid steps by the rate, and
    # one that is a thousandth too high would put every step one too early.
    times = clip.timestamps
    span_s = times[-1] - times[0]
    return (len(times) - 1) / span_s if span_s > 0 else len(times) / (clip.end_s - clip.start_s)


def max_audio_s(family: ProcessorFamily, processor: Any) -> float | None:
    """The seconds of sound after which a processor truncates it; ``None`` if it has no limit."""
    limit = processor
    for name in family.audio_limit:
        limit = getattr(limit, name, None)
    return float(limit) if family.audio_limit and limit is not None else None


def _rounded_up(frames: int, step: int) -> int:
    return -(-frames // step) * step


def _min_pixels(processor: Any) -> int:
    """The processor's minimum of pixels for a frame (or clip)."""
    # In transformers 5 the defaults of some processor classes take priority over the settings in the checkpoint.
    defaults = getattr(processor.valid_processor_kwargs, "_defaults", {}).get("videos_kwargs", {})
    size = defaults.get("size") or processor.video_processor.size
    return int(size["shortest_edge"])
