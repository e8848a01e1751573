"""The inputs of a request by the recipe of a model's authors: qwen-vl-utils or qwen-omni-utils, called as documented.

They read the file by a decoder of their own, take frames, resize them, and leave the rest to the model's processor.
They are asked for as many frames as the clip has, from its first to its last, and for its limit of pixels.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import wave
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import s3harness
from s3harness_transformers.official import common_inputs, load_official_processor

PATCH_SIZES: Mapping[str, tuple[str, int]] = {
    "Qwen2VLProcessor": ("qwen_vl_utils", 14),
    "Qwen2_5_VLProcessor": ("qwen_vl_utils", 14),
    "Qwen3VLProcessor": ("qwen_vl_utils", 16),
    "Qwen2_5OmniProcessor": ("qwen_omni_utils", 14),
    "Qwen3OmniMoeProcessor": ("qwen_omni_utils", 16),
}
"""Class of a processor → module of its authors' recipe, and the size of a patch that it is told."""

TELLS_METADATA = frozenset({"Qwen3VLProcessor"})
"""Processors to which the documentation hands the metadata of the frames, and no frame rate."""


def recipe_inputs(
    card: s3harness.ModelCard, request: s3harness.Request, path: Path, *, trust_remote_code: bool
) -> s3harness.RecipeInputs | None:
    """Return what the recipe makes of a request and of its video's file; ``None`` where there is or installs none."""
    processor = load_official_processor(card, trust_remote_code=trust_remote_code)
    module, patch_size = PATCH_SIZES.get(type(processor).__name__, ("", 0))
    clip = request.clip
    if not module or importlib.util.find_spec(module) is None or not clip.timestamps or card.clip_form == "images":
        return None
    vision = importlib.import_module(f"{module}{'.v2_5' if module == 'qwen_omni_utils' else ''}.vision_process")
    _choose_reader(vision)
    least = min(vision.VIDEO_MIN_TOKEN_NUM * (2 * patch_size) ** 2, clip.max_pixels)
    part = {
        "type": "video",
        "video": str(path),
        "video_start": clip.timestamps[0],
        # A frame that begins at the end is within it.
        "video_end": clip.timestamps[-1] + 1e-3,
        "nframes": len(clip.timestamps),
        "max_pixels": clip.max_pixels,
        "min_pixels": least,
    }
    vision.logger.setLevel("ERROR")  # it would log the path of the file
    decoded, _, _ = vision.VIDEO_READER_BACKENDS[vision.get_video_reader_backend()](part)
    (frames, about), rate = vision.fetch_video(
        part, image_patch_size=patch_size, return_video_sample_fps=True, return_video_metadata=True
    )
    media: dict[str, Any] = {"videos": [frames], "do_sample_frames": False}
    if type(processor).__name__ in TELLS_METADATA:
        media |= {"video_metadata": [about], "do_resize": False}
    elif module == "qwen_vl_utils":
        media["fps"] = rate
    if card.hears() and (sound := _sound(path, clip)) is not None:
        media |= {"audio": sound, "sampling_rate": 16_000, "use_audio_in_video": card.audio_in_video}
    times_s = [float(index) / float(about["fps"]) - clip.start_s for index in about["frames_indices"]]
    messages = s3harness.conversation(request, card, frame_times_s=clip.timestamps, has_audio="audio" in media)
    prompt = processor.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=True, **request.generation.chat_template_kwargs
    )
    tensors = dict(processor(text=[prompt], return_tensors="pt", **media))
    name = module.replace("_", "-")
    inputs = common_inputs(tensors, processor.tokenizer.decode)
    return s3harness.RecipeInputs(
        library=f"{name} {version(name)}",
        inputs=inputs,
        times_s=tuple(times_s),
        frames=decoded.permute(0, 2, 3, 1).numpy(),
        min_pixels=least,
    )


def _choose_reader(vision: ModuleType) -> None:
    """Have the recipe read by decord where torchcodec, its first choice, finds no FFmpeg of the system."""
    if vision.FORCE_QWENVL_VIDEO_READER is not None or importlib.util.find_spec("decord") is None:
        return
    try:
        import torchcodec  # noqa: F401
    except (ImportError, OSError, RuntimeError):
        # The module read the variable of this name when it was imported, which may have been long ago.
        vision.FORCE_QWENVL_VIDEO_READER = "decord"  # type: ignore[attr-defined]
        vision.get_video_reader_backend.cache_clear()


def _sound(path: Path, clip: s3harness.Clip) -> Sequence[Any] | None:
    """The sound of a clip by the recipe, which gets it as a file of its own; ``None`` if the video has none."""
    from qwen_omni_utils import process_audio_info

    track = _as_wave(path)
    if track is None:
        return None
    # In memory: of a video's own track the recipe reads only what the system's ffmpeg unpacks to disk.
    audio = f"data:audio/wav;base64,{base64.b64encode(track).decode()}"
    part = {"type": "audio", "audio": audio, "audio_start": clip.start_s, "audio_end": clip.end_s}
    sound: Sequence[Any] = process_audio_info([{"role": "user", "content": [part]}], use_audio_in_video=False)
    return sound


def _as_wave(path: Path) -> bytes | None:
    """The sound of a file as WAV, mono, 16 bits, at its own rate."""
    import av

    out = io.BytesIO()
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        rate = container.streams.audio[0].rate
        resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
        with wave.open(out, "wb") as file:
            file.setparams((1, 2, rate, 0, "NONE", ""))
            for frame in (*container.decode(audio=0), None):
                for part in resampler.resample(frame):
                    file.writeframes(part.to_ndarray().tobytes())
    return out.getvalue()
