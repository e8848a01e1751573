"""What the processors of the model families are told of a clip.

A family is known by the ``model_type`` of its configuration. One that is not in the table gets frames, times and sound
all the same, sized as its processor has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import s3harness

TICKS_PER_S = 1000
"""Frame times are told as numbers of ticks of a clock as fine as this, so that they are what they are."""

SOUND_RATE = 16_000


@dataclass(frozen=True, slots=True)
class Family:
    """How the processor of a family counts pixels, and whether it takes the rate of the frames from the call.

    Where it counts them ``per_frame`` or ``per_clip``, frames keep the size that they have in the clip, which is within
    the clip's ``max_pixels``: sides are rounded to whole patches, and what is below the processor's least is enlarged.
    ``fixed`` has one size for all. ``sound_limit`` is the attribute that says how many seconds are heard at most.
    """

    pixels: Literal["per_frame", "per_clip", "fixed"] = "fixed"
    takes_rate: bool = False
    sound_limit: tuple[str, ...] = ()


FAMILIES: Mapping[str, Family] = {
    "qwen2_5_vl": Family("per_frame"),
    "qwen3_vl": Family("per_clip"),
    "qwen3_vl_moe": Family("per_clip"),
    "qwen2_5_omni_thinker": Family("per_frame", takes_rate=True, sound_limit=("feature_extractor", "chunk_length")),
    "qwen3_omni_moe_thinker": Family("per_frame", takes_rate=True),
    "internvl": Family("fixed"),
    "audioflamingo3": Family(sound_limit=("max_audio_len",)),
}


def family_of(model_type: str) -> Family:
    """The family of a configuration's ``model_type``."""
    return FAMILIES.get(model_type, Family())


def video_options(clip: s3harness.Clip, frames: s3harness.Frames, family: Family, processor: Any) -> dict[str, Any]:
    """What goes with the frames of a clip: when they were, that none is to be taken out, and how large they may be."""
    options: dict[str, Any] = {"do_sample_frames": False, "video_metadata": [frame_times(clip, frames)]}
    if family.takes_rate:
        options["fps"] = rate(clip)
    if family.pixels == "fixed":
        return options
    most = clip.max_pixels
    if family.pixels == "per_clip":
        most *= _padded(len(frames.timestamps), processor.video_processor.temporal_patch_size)
    options["size"] = {"shortest_edge": min(_least(processor), most), "longest_edge": most}
    if hasattr(processor.video_processor, "cap_pixels_per_frame"):
        options["cap_pixels_per_frame"] = False
    return options


def frame_times(clip: s3harness.Clip, frames: s3harness.Frames) -> dict[str, Any]:
    """When the frames were, in seconds from the start of the clip, as the metadata of a video has it.

    The number of all frames is such that the frames shown are as many a second as they are.
    """
    times, (_, height, width, _) = frames.timestamps, frames.pixels.shape
    ticks = [max(0, round((time - clip.start_s) * TICKS_PER_S)) for time in times]
    total = round(len(times) / rate(clip) * TICKS_PER_S)
    return {
        "total_num_frames": max(total, 1),
        "fps": float(TICKS_PER_S),
        "duration": clip.end_s - clip.start_s,
        "width": width,
        "height": height,
        "frames_indices": ticks,
        "video_backend": "s3harness",
    }


def rate(clip: s3harness.Clip) -> float:
    """Frames a second: what lies between those that were wanted, or one in the whole clip.

    It is not taken from those that were decoded: families count whole grid steps by it, and one that is a thousandth
    too high would put every step one too early.
    """
    times = clip.timestamps
    between = times[-1] - times[0]
    return (len(times) - 1) / between if between > 0 else len(times) / (clip.end_s - clip.start_s)


def heard_s(family: Family, processor: Any) -> float | None:
    """Seconds of sound that a processor takes at most; what is longer it cuts. ``None`` if it has no limit."""
    found = processor
    for name in family.sound_limit:
        found = getattr(found, name, None)
    return float(found) if family.sound_limit and found is not None else None


def _padded(frames: int, step: int) -> int:
    return -(-frames // step) * step


def _least(processor: Any) -> int:
    """The fewest pixels a frame (or clip) is given; the defaults of some processors go before their settings."""
    defaults = getattr(processor.valid_processor_kwargs, "_defaults", {}).get("videos_kwargs", {})
    size = defaults.get("size") or processor.video_processor.size
    return int(size["shortest_edge"])
