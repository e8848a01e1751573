"""Arguments for the processors of the model families: times, rate and size of a clip's frames, and limits of sound.

A family is known by the classes of its processor and of its video processor, so that a new model with the processor of
an older one is treated like it. One with classes that are not in the tables gets frames, times and sound all the same,
at the size that its processor sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import s3harness

AUDIO_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class ProcessorFamily:
    """Properties of a family's processor: its limit of pixels, and whether it reads the frame rate from its arguments.

    Where the limit holds for each ``frame`` or for a whole ``clip``, frames keep the size that they have in the clip,
    which is within the clip's ``max_pixels``: sides are rounded to whole patches, and frames below the processor's
    minimum are enlarged. Without one all frames have one size. ``audio_limit`` is the path of attributes, from the
    processor on, to the seconds of sound that it takes at most. With ``nests_videos`` the videos of each text are a
    list of their own. Those that ``interleaves_audio`` put sound into the video (``use_audio_in_video``).
    """

    pixels: Literal["frame", "clip", ""] = ""
    takes_rate: bool = False
    audio_limit: tuple[str, ...] = ()
    nests_videos: bool = False
    interleaves_audio: bool = False


PROCESSORS: Mapping[str, ProcessorFamily] = {
    "Qwen2_5OmniProcessor": ProcessorFamily(
        takes_rate=True, interleaves_audio=True, audio_limit=("feature_extractor", "chunk_length")
    ),
    "Qwen3OmniMoeProcessor": ProcessorFamily(takes_rate=True, interleaves_audio=True),
    "AudioFlamingo3Processor": ProcessorFamily(audio_limit=("max_audio_len",)),
    "SmolVLMProcessor": ProcessorFamily(nests_videos=True),
}
"""Class of a processor → its properties, without those of its video processor."""


def family_of(processor: Any) -> ProcessorFamily:
    """The family of a processor, by its class and that of its video processor."""
    family = PROCESSORS.get(type(processor).__name__, ProcessorFamily())
    video_processor = getattr(processor, "video_processor", None)
    # An encoder that had this processor before has put its cache around the part.
    video_processor = getattr(video_processor, "_part", video_processor)
    return replace(family, pixels=s3harness.pixel_limits_of(type(video_processor).__name__))


def video_kwargs(
    clip: s3harness.Clip, frames: s3harness.Frames, family: ProcessorFamily, processor: Any
) -> dict[str, Any]:
    """Processor arguments that go with the frames of a clip: their times, sampling switched off, and limits of size."""
    kwargs: dict[str, Any] = {"do_sample_frames": False, "video_metadata": [frame_metadata(clip, frames)]}
    if family.takes_rate:
        kwargs["fps"] = s3harness.frame_rate(clip)
    if not family.pixels:
        return kwargs
    max_pixels = clip.max_pixels
    if family.pixels == "clip":
        # The limit is for whole temporal patches: the processor repeats the last frame to fill them.
        max_pixels *= _rounded_up(len(frames.timestamps), processor.video_processor.temporal_patch_size)
    kwargs["size"] = {"shortest_edge": min(_min_pixels(processor), max_pixels), "longest_edge": max_pixels}
    # Qwen2-VL's processor will cap each frame at a share of a budget for the whole video, by default from
    # transformers 5.22 on.
    if hasattr(processor.video_processor, "cap_pixels_per_frame"):
        kwargs["cap_pixels_per_frame"] = False
    return kwargs


def frame_metadata(clip: s3harness.Clip, frames: s3harness.Frames) -> dict[str, Any]:
    """Video metadata that give the time and the size of each frame."""
    _, height, width, _ = frames.pixels.shape
    return s3harness.frame_metadata(clip, frames.timestamps) | {"width": width, "height": height}


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
