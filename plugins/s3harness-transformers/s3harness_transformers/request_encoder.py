"""Encoding of requests as model inputs: text and media tensors. A clip is encoded once for all of its questions."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import s3harness
from s3harness_transformers.errors import LESS_INPUT
from s3harness_transformers.families import AUDIO_RATE_HZ, ProcessorFamily, max_audio_s, video_kwargs

MAX_CACHED_CLIPS = 3


@dataclass(frozen=True, slots=True)
class EncodedRequest:
    """A request with its tensors by name: ``text`` with one row each, and the clip's ``media``, shared by requests.

    ``is_begun`` tells that the prompt ends within reasoning, because its chat template opens it. ``sent`` records the
    media.
    """

    request: s3harness.Request
    text: Mapping[str, Any]
    media: Mapping[str, Any]
    is_begun: bool = False
    sent: s3harness.Sent = field(default_factory=s3harness.Sent)

    @property
    def length(self) -> int:
        """The number of tokens in the prompt, those of the clip included."""
        return int(self.text["input_ids"].shape[1])


class RequestEncoder:
    """Encodes requests by a model's processor. Any thread may call it; calls are serialised."""

    def __init__(
        self,
        processor: Any,
        family: ProcessorFamily,
        card: s3harness.ModelCard,
        media: s3harness.MediaStore,
        *,
        dtype: Any = None,
        max_tokens: int | None = None,
    ) -> None:
        self._processor, self._family, self._card, self._media = processor, family, card, media
        self._max_tokens = max_tokens
        self._lock = threading.Lock()
        self._clip: s3harness.Clip | None = None
        self.truncated_audio_s = 0.0
        # The processor calls these parts with no hint of the clip: the cache gets the current one from here.
        for part in ("video_processor", "image_processor", "feature_extractor"):
            if getattr(processor, part, None) is not None:
                setattr(processor, part, _ClipCache(getattr(processor, part), lambda: self._clip, dtype))

    def prefetch(self, clip: s3harness.Clip) -> None:
        """Encode a clip, so that its tensors are in the cache when its questions come."""
        self._encode(s3harness.Request(id="", task="", item="", subject="", clip=clip, prompt=""))

    def encode(self, request: s3harness.Request) -> EncodedRequest:
        """Return the tensors of a request.

        Raises :class:`s3harness.MediaError` for a clip that cannot be shown and :class:`s3harness.ContextOverflow` for
        a prompt that is longer than the model's context.
        """
        encoded = EncodedRequest(request, *self._encode(request))
        if self._max_tokens is not None and encoded.length + request.generation.token_limit > self._max_tokens:
            raise s3harness.ContextOverflow(
                f"{encoded.length} tokens of prompt and {request.generation.token_limit} of answer are more than the "
                f"{self._max_tokens} that the model takes; {LESS_INPUT}"
            )
        return encoded

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of tokens, the special ones included."""
        return str(getattr(self._processor, "tokenizer", self._processor).decode(token_ids))

    def _encode(self, request: s3harness.Request) -> tuple[dict[str, Any], dict[str, Any], bool, s3harness.Sent]:
        clip, sent = request.clip, s3harness.Sent()
        media: dict[str, Any] = {}
        # One at a time: the cached parts of the processor read the current clip.
        with self._lock:
            has_frames, has_audio = self._has_frames(clip), self._has_audio(clip)
            times_s: Sequence[float] = ()
            if has_frames:
                frames = self._media.frames(clip)
                times_s = frames.timestamps
                sent = _sent_frames(frames, self._card)
                if self._card.clip_form == "images":
                    media["images"] = [list(frames.pixels)]
                else:
                    videos = [frames.pixels]
                    media["videos"] = [videos] if self._family.nests_videos else videos
                    media |= video_kwargs(clip, frames, self._family, self._processor)
            if has_audio:
                samples, heard_s = self._audio(clip)
                media |= {"audio": [samples], "sampling_rate": AUDIO_RATE_HZ}
                sent = replace(sent, sound_s=heard_s)
            in_video = s3harness.audio_is_in_video(self._card, has_frames=has_frames, has_audio=has_audio)
            if in_video:
                media["use_audio_in_video"] = True
            messages = s3harness.conversation(request, self._card, frame_times_s=times_s, has_audio=has_audio)
            # Clips of different tasks may show the same; their index is the only difference.
            self._clip = replace(clip, index=0)
            prompt = self._processor.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, **request.generation.chat_template_kwargs
            )
            tensors = dict(self._processor(text=[prompt], return_tensors="pt", **media))
        # Text tensors (ids, attention mask, token types) are those of the shape of the ids; all others are the clip's.
        shape = tensors["input_ids"].shape
        text = {name: tensors.pop(name) for name in list(tensors) if _has_shape(tensors[name], shape)}
        if media and not tensors:
            raise s3harness.MediaError("the processor made nothing of the clip, so the model would be asked blindly")
        # The processor interleaves the tokens, and the model their positions.
        flags = {"use_audio_in_video": True} if in_video else {}
        is_begun = s3harness.begins_in_reasoning(prompt, s3harness.reasoning_marks(self._card))
        return text, tensors | flags, is_begun, sent

    def _audio(self, clip: s3harness.Clip) -> tuple[Any, float]:
        """The sound of a clip, and the seconds of it that the processor takes."""
        samples, limit_s = self._media.audio(clip, AUDIO_RATE_HZ), max_audio_s(self._family, self._processor)
        sound_s = len(samples) / AUDIO_RATE_HZ
        if limit_s is None:
            return samples, sound_s
        # Processors truncate without a word; the run notes it at its end.
        self.truncated_audio_s = max(self.truncated_audio_s, sound_s - limit_s)
        return samples, min(sound_s, limit_s)

    def _has_frames(self, clip: s3harness.Clip) -> bool:
        return bool(clip.timestamps) and not clip.is_text_only and "video" in self._card.modalities

    def _has_audio(self, clip: s3harness.Clip) -> bool:
        return not clip.is_text_only and self._card.hears() and self._media.has_audio(clip)


class _ClipCache:
    """A part of a processor that caches its output for the last few clips, in the model's numeric type."""

    def __init__(self, part: Any, current_clip: Callable[[], s3harness.Clip | None], dtype: Any) -> None:
        self._part, self._current_clip, self._dtype = part, current_clip, dtype
        self._entries: OrderedDict[s3harness.Clip | None, Any] = OrderedDict()

    def __call__(self, *args: Any, **options: Any) -> Any:
        clip = self._current_clip()
        if clip not in self._entries:
            self._entries[clip] = self._cast(self._part(*args, **options))
        self._entries.move_to_end(clip)
        while len(self._entries) > MAX_CACHED_CLIPS:
            self._entries.popitem(last=False)
        # A copy: processors pop entries that the model does not take from the dictionary that they get.
        return type(self._entries[clip])(dict(self._entries[clip]))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)

    def _cast(self, features: Any) -> Any:
        # The model would cast them as well, for each question anew; in bfloat16 the cache takes half the memory.
        for name, value in features.items():
            if self._dtype is not None and getattr(value, "is_floating_point", lambda: False)():
                features[name] = value.to(self._dtype)
        return features


def _sent_frames(frames: s3harness.Frames, card: s3harness.ModelCard) -> s3harness.Sent:
    _, height, width, _ = frames.pixels.shape
    form = "frames" if card.clip_form == "images" else "video"
    return s3harness.Sent(media=form, times_s=tuple(map(float, frames.timestamps)), size=(width, height))


def _has_shape(value: Any, shape: Any) -> bool:
    return bool(getattr(value, "shape", None) == shape)
