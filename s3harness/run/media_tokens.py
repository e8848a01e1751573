"""Tokens of a clip's frames and sound, by the sizes that a model's card states."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from s3harness.specs.geometry import PixelLimits, VisionGeometry
from s3harness.specs.models import ModelCard
from s3harness.types import Clip

MARKERS = 2
"""Tokens around a video, a picture or a sound: its begin and its end."""

PIXELS_PER_TOKEN = 28 * 28 * 2
"""Pixels of a token where a card states no sizes: those of Qwen2-VL (28 × 28 pixels of two frames)."""

AUDIO_TOKENS_PER_S = 25
"""Tokens of a second of sound where a card states none: one for 40 ms, as in Qwen2-Audio and Audio Flamingo."""


class MediaTokens(NamedTuple):
    """Tokens of a clip: of its frames, of its sound, and of the text that the processor writes around them.

    ``is_exact`` is true where the sizes of frames and model are known; otherwise the frames have at most so many.
    """

    frames: int
    sound: int
    text: int
    is_exact: bool

    @property
    def total(self) -> int:
        """All tokens."""
        return self.frames + self.sound + self.text


def media_tokens(card: ModelCard, clip: Clip, source: tuple[int, int] | None = None) -> MediaTokens:
    """Return the tokens of a clip, as the backends show it; ``source`` is (width, height) of the video in pixels.

    Without ``source`` each frame is taken to fill the clip's ``max_pixels``, which only frames below the processor's
    own minimum can pass. Sound is counted for the whole clip, as it
    is only known with the file whether there is any. Frames and sound are exact; ``text`` (times, numbers and markers)
    depends on the digits of the times and is exact to a few tokens.
    """
    n_frames = len(clip.timestamps) if "video" in card.modalities else 0
    sound = _sound(card, clip)
    marks = MARKERS * (sound > 0)
    if not n_frames:
        return MediaTokens(0, sound, marks, is_exact=card.audio is not None or not sound)
    vision = card.vision
    if vision is None:
        return MediaTokens(n_frames * clip.max_pixels // PIXELS_PER_TOKEN, sound, marks + MARKERS, is_exact=False)
    if card.clip_form == "images":
        frames = n_frames * _picture(vision, clip, source)
        # The time of each picture, "[12.5 s]", is text of some 7 tokens.
        text = n_frames * (MARKERS + 7)
    else:
        steps = math.ceil(n_frames / vision.temporal_patch_size)
        frames = steps * _video_step(vision, clip, source)
        text = steps * vision.text_per_frame or MARKERS
    is_exact = source is not None or vision.image_size is not None
    return MediaTokens(frames, sound, text + marks, is_exact)


def _sound(card: ModelCard, clip: Clip) -> int:
    if not (clip.audio and card.hears()):
        return 0
    seconds = clip.end_s - clip.start_s
    if card.audio is None:
        return math.ceil(seconds * AUDIO_TOKENS_PER_S)
    heard_s = seconds if card.audio.max_s is None else min(seconds, card.audio.max_s)
    return math.ceil(heard_s * card.audio.tokens_per_s)


def _video_step(vision: VisionGeometry, clip: Clip, source: tuple[int, int] | None) -> int:
    """Return the tokens of one temporal patch of a video."""
    fixed = vision.tokens_per_frame or vision.tokens_per_image
    if fixed is not None:
        return fixed
    if vision.patch_size is None:
        return math.ceil(clip.max_pixels * vision.temporal_patch_size / PIXELS_PER_TOKEN)
    factor = vision.patch_size * vision.merge_size
    if source is None:
        return max(1, clip.max_pixels // factor**2)
    # Backends let the frames be as large as the clip's, in place of the processor's own limit.
    if vision.frame_pixels == (None, None) and vision.clip_pixels[0] is not None:
        return _grid_of_clip(_shown(source, clip), vision, clip)
    least = min(vision.frame_pixels[0] or 1, clip.max_pixels)
    return _cells(_shown(source, clip), factor, (least, clip.max_pixels))


def _picture(vision: VisionGeometry, clip: Clip, source: tuple[int, int] | None) -> int:
    """Return the tokens of a frame that is given as a picture."""
    if vision.tokens_per_image is not None:
        return vision.tokens_per_image * vision.max_tiles
    if vision.patch_size is None:
        return math.ceil(clip.max_pixels / PIXELS_PER_TOKEN * 2)
    factor = vision.patch_size * vision.merge_size
    if source is None:
        return max(1, clip.max_pixels // factor**2)
    return _cells(_shown(source, clip), factor, vision.image_pixels)


def _shown(source: tuple[int, int], clip: Clip) -> tuple[int, int]:
    """Return the (width, height) of the frames that the media store decodes."""
    from s3harness.media.geometry import Size, fit

    return fit(Size(*source), clip.max_pixels)


def _cells(size: tuple[int, int], factor: int, limits: PixelLimits) -> int:
    """Return the cells of ``factor`` × ``factor`` pixels of a picture after its resizing.

    The rule is ``smart_resize`` of Qwen2-VL (transformers, ``image_processing_qwen2_vl``): sides to whole cells, and if
    the area is beyond a limit, both sides scaled to it and rounded towards the inside of the limit.
    """
    width, height = size
    low, high = limits
    rounded = round(width / factor), round(height / factor)
    area = rounded[0] * rounded[1] * factor**2
    if high is not None and area > high:
        return _scaled_cells(size, factor, math.sqrt(high / (width * height)), math.floor)
    if low is not None and area < low:
        return _scaled_cells(size, factor, math.sqrt(low / (width * height)), math.ceil)
    return rounded[0] * rounded[1]


def _grid_of_clip(size: tuple[int, int], vision: VisionGeometry, clip: Clip) -> int:
    """Return the cells of a frame where the limits are for all frames of a clip together.

    The rule is ``smart_resize`` of Qwen3-VL (transformers, ``video_processing_qwen3_vl``).
    """
    factor, step = (vision.patch_size or 1) * vision.merge_size, vision.temporal_patch_size
    width, height = size
    if min(size) < factor:
        scale = factor / min(size)
        width, height = int(width * scale), int(height * scale)
    n_frames = max(len(clip.timestamps), step)
    high = clip.max_pixels * math.ceil(len(clip.timestamps) / step) * step
    low = min(vision.clip_pixels[0] or 1, clip.max_pixels)
    rounded = round(width / factor), round(height / factor)
    # Python's round, as the processor has it: 5 frames in steps of 2 count as 4.
    volume = rounded[0] * rounded[1] * factor**2 * round(n_frames / step) * step
    if volume > high:
        return _scaled_cells((width, height), factor, math.sqrt(high / (n_frames * width * height)), math.floor)
    if volume < low:
        return _scaled_cells((width, height), factor, math.sqrt(low / (n_frames * width * height)), math.ceil)
    return rounded[0] * rounded[1]


def _scaled_cells(size: tuple[int, int], factor: int, scale: float, rounding: Callable[[float], int]) -> int:
    sides = [max(1, rounding(side * scale / factor)) for side in size]
    return sides[0] * sides[1]
