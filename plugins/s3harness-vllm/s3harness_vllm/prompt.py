"""Conversion of requests to vLLM's conversation, media and sampling parameters, and of its outputs to responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import s3harness

if TYPE_CHECKING:
    from vllm import SamplingParams

AUDIO_RATE_HZ = 16_000
LOGPROBS_PER_ANSWER = 2
MAX_LOGPROBS = 20
"""The most alternatives that vLLM reports for a token by default (``max_logprobs``)."""


@dataclass(frozen=True, slots=True)
class ClipMedia:
    """The media of a request's clip, by which form they are shown; ``key`` hashes their content, empty without any.

    ``times_s`` are the times of its frames in seconds from the start of the video, ``size`` their (width, height) in
    pixels, ``sound_s`` the seconds of its sound.
    """

    key: str = ""
    times_s: tuple[float, ...] = ()
    size: tuple[int, int] | None = None
    sound_s: float = 0.0
    as_images: bool = False

    @property
    def ids(self) -> dict[str, list[str]]:
        """Modality → the ids by which the engine caches the clip's items of that modality."""
        ids: dict[str, list[str]] = {}
        if self.times_s and self.as_images:
            ids["image"] = [f"{self.key}-image-{number}" for number in range(len(self.times_s))]
        elif self.times_s:
            ids["video"] = [f"{self.key}-video"]
        if self.sound_s:
            ids["audio"] = [f"{self.key}-audio"]
        return ids

    @property
    def cached(self) -> dict[str, list[Any]]:
        """``multi_modal_data`` of a clip that the engine has in its cache: nothing for each item."""
        return {modality: [None] * len(ids) for modality, ids in self.ids.items()}

    def sent(self, settings: Mapping[str, object]) -> s3harness.Sent:
        """Return the record of what was sent for a request."""
        form = "" if not self.times_s else "frames" if self.as_images else "video"
        return s3harness.Sent(media=form, times_s=self.times_s, size=self.size, sound_s=self.sound_s, settings=settings)


NO_MEDIA = ClipMedia()
PART_TYPES = {"video": "video_url", "image": "image_url", "audio": "input_audio"}
"""Type of a part in the harness's conversation → its type in the OpenAI protocol, which vLLM's renderer reads."""


def load_media(
    clip: s3harness.Clip, model: s3harness.ModelCard, media: s3harness.MediaStore
) -> tuple[ClipMedia, dict[str, list[Any]]]:
    """Load the media of a clip, and return them as ``multi_modal_data``: frames with their times, sound at 16 kHz.

    It reads from disk, so call it in a worker thread.
    """
    has_frames = bool(clip.timestamps) and "video" in model.modalities
    has_audio = model.hears() and not clip.is_text_only and media.has_audio(clip)
    if not has_frames and not has_audio:
        return NO_MEDIA, {}
    clip_media, data = ClipMedia(media.key(clip), as_images=model.clip_form == "images"), dict[str, list[Any]]()
    if has_frames:
        frames = media.frames(clip)
        _, height, width, _ = frames.pixels.shape
        clip_media = replace(clip_media, times_s=tuple(map(float, frames.timestamps)), size=(width, height))
        data |= _frames(clip, frames, as_images=clip_media.as_images)
    if has_audio:
        samples = media.audio(clip, AUDIO_RATE_HZ)
        clip_media = replace(clip_media, sound_s=len(samples) / AUDIO_RATE_HZ)
        data["audio"] = [(samples, AUDIO_RATE_HZ)]
    return clip_media, data


def chat_messages(
    request: s3harness.Request, model: s3harness.ModelCard, clip_media: ClipMedia
) -> list[dict[str, Any]]:
    """Return the conversation of a request as vLLM's renderer takes it; its media are referred to by id."""
    messages = s3harness.conversation(
        request, model, frame_times_s=clip_media.times_s, has_audio=clip_media.sound_s > 0
    )
    ids = {modality: iter(items) for modality, items in clip_media.ids.items()}
    return [message | {"content": _content(message["content"], ids)} for message in messages]


def _content(content: str | list[dict[str, Any]], ids: Mapping[str, Iterator[str]]) -> str | list[dict[str, Any]]:
    # The messages of a model of text alone are plain texts.
    return content if isinstance(content, str) else [_part(part, ids) for part in content]


def _part(part: dict[str, Any], ids: Mapping[str, Iterator[str]]) -> dict[str, Any]:
    if part["type"] not in PART_TYPES:
        return part
    name = PART_TYPES[part["type"]]
    return {"type": name, name: None, "uuid": next(ids[part["type"]])}


def _frames(clip: s3harness.Clip, frames: s3harness.Frames, *, as_images: bool) -> dict[str, list[Any]]:
    if as_images:
        from PIL import Image

        # vLLM takes arrays for images too, but some of its processors ask them for width and height.
        return {"image": [Image.fromarray(pixels) for pixels in frames.pixels]}
    metadata = s3harness.frame_metadata(clip, frames.timestamps) | {"do_sample_frames": False}
    return {"video": [(frames.pixels, metadata)]}


def sampling_params(
    request: s3harness.Request,
    *,
    structured: bool,
    logprobs: bool,
    of_model: Mapping[str, object] = MappingProxyType({}),
    can_limit_thinking: bool = False,
) -> SamplingParams:
    """The ``SamplingParams`` of a request: decoding, limits of tokens, form of the answer, and logprobs.

    ``of_model`` are the checkpoint's own generation settings. Where the engine ``can_limit_thinking``, it ends the
    reasoning at its budget; elsewhere reasoning and answer share one limit.
    """
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    generation = request.generation.completed(of_model)
    budget = generation.thinking_tokens if can_limit_thinking and generation.thinking_tokens else None
    form = answer_form(request) if structured else {}
    return SamplingParams(
        temperature=generation.temperature,
        top_p=1.0 if generation.top_p is None else generation.top_p,
        top_k=generation.top_k or 0,
        repetition_penalty=1.0 if generation.repetition_penalty is None else generation.repetition_penalty,
        seed=generation.seed,
        max_tokens=generation.token_limit,
        # Left out where there is no budget: releases before 0.15 have no such setting.
        **({"thinking_token_budget": budget} if budget else {}),
        # One output at the end: a stream of partial ones would cost the event loop and is read by nobody.
        output_kind=RequestOutputKind.FINAL_ONLY,
        logprobs=_n_logprobs(request) if logprobs else None,
        structured_outputs=StructuredOutputsParams(**form) if form else None,
    )


def answer_form(request: s3harness.Request) -> dict[str, Any]:
    """Arguments of ``StructuredOutputsParams`` that hold the answer to its form; empty for free text."""
    if request.answer_schema is not None:
        return {"json": _plain(request.answer_schema)}
    return {"choice": list(request.choices)} if request.choices else {}


def response(
    request: s3harness.Request, output: Any, marks: s3harness.Thinking, *, is_begun: bool = False
) -> s3harness.Response:
    """The response in a ``RequestOutput`` of vLLM; ``cut`` if it ended at the limit of tokens or within reasoning.

    ``is_begun`` tells that the prompt ended within reasoning.
    """
    answer = output.outputs[0]
    reply = s3harness.split_reasoning(answer.text, marks, is_begun=is_begun)
    closed = s3harness.closed_answer(request)
    tokens = [
        _token(token_id, logprobs) for token_id, logprobs in zip(answer.token_ids, answer.logprobs or (), strict=False)
    ]
    return s3harness.Response(
        request.id,
        reply.answer,
        status="cut" if answer.finish_reason == "length" or reply.is_cut else "ok",
        prompt_tokens=len(output.prompt_token_ids),
        completion_tokens=len(answer.token_ids),
        choice_probabilities=(
            s3harness.choice_probabilities(closed, s3harness.answer_tokens(tokens, marks))
            if closed and tokens
            else None
        ),
        reasoning=reply.reasoning,
    )


def _n_logprobs(request: s3harness.Request) -> int | None:
    """The number of alternatives to request for each token; ``None`` where the answer is not closed."""
    # Few are enough: the grammar has ruled out all tokens that begin no answer.
    closed = s3harness.closed_answer(request)
    return min(MAX_LOGPROBS, 4 + LOGPROBS_PER_ANSWER * len(closed.choices)) if closed else None


def _token(token_id: int, logprobs: Mapping[int, Any]) -> s3harness.Token:
    alternatives: dict[str, float] = {}
    for logprob in logprobs.values():
        # Several tokens may read the same, such as one byte of different characters: the likeliest counts.
        text = logprob.decoded_token or ""
        alternatives[text] = max(alternatives.get(text, float("-inf")), logprob.logprob)
    return s3harness.Token(logprobs[token_id].decoded_token or "", alternatives)


def _plain(value: Any) -> Any:
    """A schema in the types of JSON."""
    # A request promises no more than a Mapping, and vLLM dumps the schema as JSON, which takes dicts and lists alone.
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
