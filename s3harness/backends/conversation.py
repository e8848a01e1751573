"""The conversation of a request, the same for every engine and for training: what is shown, in which order and form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from s3harness.specs.models import ModelCard
from s3harness.types import Request


def conversation(
    request: Request, model: ModelCard, *, frame_times_s: Sequence[float] = (), has_audio: bool = False
) -> list[dict[str, Any]]:
    """Return the chat messages of a request, with parts of the types ``text``, ``video``, ``image`` and ``audio``.

    Parts of media are placeholders, in the order in which an engine gets the media. ``frame_times_s`` are the times in
    the video, in seconds, of the frames that are shown; none if it is empty. In the form ``video`` they are one part,
    in the form ``images`` one part each, after its time since the start of the clip in words: ``[2.5 s]``. Sound is a
    part of its own after the frames, unless it belongs to the video (:func:`audio_is_in_video`). The messages of a
    model of text alone are plain texts, without parts.
    """
    if not model.modalities:
        # Chat templates of such models add the content of a message to a text.
        plain_system = [{"role": "system", "content": request.system}] if request.system else []
        return [*plain_system, {"role": "user", "content": request.prompt}]
    media = _frames(request, model, frame_times_s)
    if has_audio and not audio_is_in_video(model, has_frames=bool(frame_times_s), has_audio=True):
        media.append({"type": "audio"})
    question = {"type": "text", "text": request.prompt}
    content = [question, *media] if model.prompt_placement == "text_first" else [*media, question]
    system = [{"role": "system", "content": [{"type": "text", "text": request.system}]}] if request.system else []
    return [*system, {"role": "user", "content": content}]


def audio_is_in_video(model: ModelCard, *, has_frames: bool, has_audio: bool) -> bool:
    """Return true if the tokens of a clip's sound are interleaved with those of its video."""
    return model.audio_in_video and model.clip_form == "video" and has_frames and has_audio


def _frames(request: Request, model: ModelCard, times_s: Sequence[float]) -> list[dict[str, str]]:
    if not times_s or model.clip_form == "video":
        return [{"type": "video"}] if times_s else []
    parts: list[dict[str, str]] = []
    for time_s in times_s:
        # The frame nearest to the clip's start may lie just before it.
        since_start_s = max(0.0, time_s - request.clip.start_s)
        parts += [{"type": "text", "text": f"[{since_start_s:.1f} s]"}, {"type": "image"}]
    return parts
