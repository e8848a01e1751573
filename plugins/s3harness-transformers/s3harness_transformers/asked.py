"""From requests to what the model takes: a clip is converted once, for all of its questions."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import s3harness
from s3harness_transformers.failures import SHORTER, ContextOverflow
from s3harness_transformers.families import SOUND_RATE, Family, heard_s, video_options

CLIPS_KEPT = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with its tensors by name: one row each of ``words``, and those of the clip, which others share."""

    request: s3harness.Request
    words: Mapping[str, Any]
    media: Mapping[str, Any]

    @property
    def length(self) -> int:
        """Tokens of the prompt, the clip's included."""
        return int(self.words["input_ids"].shape[1])


class Asker:
    """Makes requests into tensors. Any thread may call it; one is served at a time.

    With ``as_images`` a clip is shown as images, each after its time in words, and not heard.
    """

    def __init__(
        self,
        processor: Any,
        family: Family,
        card: s3harness.ModelCard,
        media: s3harness.MediaStore,
        *,
        dtype: Any = None,
        context: int | None = None,
        as_images: bool = False,
    ) -> None:
        self._processor, self._family, self._card, self._media = processor, family, card, media
        self._context, self._as_images = context, as_images
        self._lock = threading.Lock()
        self._clip: s3harness.Clip | None = None
        self.unheard_s = 0.0
        for part in ("video_processor", "image_processor", "feature_extractor"):
            if getattr(processor, part, None) is not None:
                setattr(processor, part, _Once(getattr(processor, part), lambda: self._clip, dtype))

    def convert(self, clip: s3harness.Clip) -> None:
        """Convert a clip, so that it is there when its questions come."""
        self._tensors(s3harness.Request("", "", "", "", clip, ""))

    def ask(self, request: s3harness.Request) -> Asked:
        """The tensors of a request.

        Raises :class:`s3harness.MediaError` for a clip that cannot be shown and :class:`ContextOverflow` for a prompt
        that is longer than what the model was made for.
        """
        words, media = self._tensors(request)
        asked = Asked(request, words, media)
        if self._context is not None and asked.length + request.generation.max_tokens > self._context:
            raise ContextOverflow(
                f"{asked.length} tokens of prompt and {request.generation.max_tokens} of answer are more than the "
                f"{self._context} that the model takes; {SHORTER}"
            )
        return asked

    def messages(self, request: s3harness.Request) -> list[dict[str, Any]]:
        """The conversation, with marks where the clip's frames and sound come."""
        shown: list[dict[str, Any]] = []
        if self._shows(request.clip):
            shown.append({"type": "video"})
        if self._sounds(request.clip):
            shown.append({"type": "audio"})
        text = {"type": "text", "text": request.prompt}
        content = [text, *shown] if self._card.prompt_placement == "text_first" else [*shown, text]
        system = {"role": "system", "content": [{"type": "text", "text": request.system}]}
        return [*([system] if request.system else []), {"role": "user", "content": content}]

    def _tensors(self, request: s3harness.Request) -> tuple[dict[str, Any], dict[str, Any]]:
        clip = request.clip
        given: dict[str, Any] = {}
        with self._lock:
            messages = self.messages(request)
            if self._shows(clip):
                frames = self._media.frames(clip)
                if self._as_images:
                    given["images"], messages = (
                        [list(frames.pixels)],
                        s3harness.image_messages(request, frames.timestamps),
                    )
                else:
                    given |= {"videos": [frames.pixels], **video_options(clip, frames, self._family, self._processor)}
            if self._sounds(clip):
                given |= {"audio": [self._sound(clip)], "sampling_rate": SOUND_RATE}
            self._clip = replace(clip, index=0)
            text = self._processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            tensors = dict(self._processor(text=[text], return_tensors="pt", **given))
        shape = tensors["input_ids"].shape
        words = {name: tensors.pop(name) for name in list(tensors) if _is_row(tensors[name], shape)}
        return words, tensors

    def _sound(self, clip: s3harness.Clip) -> Any:
        samples, limit = self._media.audio(clip, SOUND_RATE), heard_s(self._family, self._processor)
        if limit is not None:
            self.unheard_s = max(self.unheard_s, len(samples) / SOUND_RATE - limit)
        return samples

    def _shows(self, clip: s3harness.Clip) -> bool:
        return bool(clip.timestamps) and not clip.is_text_only and "video" in self._card.modalities

    def _sounds(self, clip: s3harness.Clip) -> bool:
        return not clip.is_text_only and self._card.hears() and self._media.has_audio(clip)


class _Once:
    """A part of a processor that converts each of the last few clips once, to numbers as wide as the model's."""

    def __init__(self, part: Any, clip: Any, dtype: Any) -> None:
        self._part, self._clip, self._dtype = part, clip, dtype
        self._kept: OrderedDict[Any, Any] = OrderedDict()

    def __call__(self, *args: Any, **options: Any) -> Any:
        clip = self._clip()
        if clip not in self._kept:
            self._kept[clip] = self._narrow(self._part(*args, **options))
        self._kept.move_to_end(clip)
        while len(self._kept) > CLIPS_KEPT:
            self._kept.popitem(last=False)
        # A processor takes out of what it gets here what the model does not take.
        return type(self._kept[clip])(dict(self._kept[clip]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)

    def _narrow(self, features: Any) -> Any:
        for name, value in features.items():
            if self._dtype is not None and getattr(value, "is_floating_point", lambda: False)():
                features[name] = value.to(self._dtype)
        return features


def _is_row(value: Any, shape: Any) -> bool:
    return bool(getattr(value, "shape", None) == shape)
