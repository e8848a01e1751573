"""Samples as inputs of the model, by the encoder of the evaluation: the same conversation, tokens and tensors."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from s3harness_transformers.families import family_of
from s3harness_transformers.loading import generation_tokens
from s3harness_transformers.request_encoder import EncodedRequest, RequestEncoder

import s3harness
from s3harness_trl.loading import ModelParts

IGNORED = -100
"""Label of a token that is not learnt."""

IN_VIDEO = "use_audio_in_video"
"""Flag of a model for a batch whose sound is among the tokens of the video."""

GREY = 128
"""Value of a pixel in the middle of the range, which a processor normalises to about 0."""


@dataclass(frozen=True, slots=True)
class View:
    """Changes to what a clip shows: ``mirrored`` or ``shuffled`` frames, ``grey`` ones, and ``silent`` sound."""

    mirrored: bool = False
    grey: bool = False
    silent: bool = False
    shuffled: bool = False


CACHE_BYTES = 256 * 2**20
"""Limit of the encoded requests that are held, in bytes of their tensors."""


class SampleEncoder:
    """Encodes samples for a model as the transformers backend encodes requests.

    It puts a cache into the processor, which therefore has one encoder at a time.
    """

    def __init__(self, parts: ModelParts, card: s3harness.ModelCard, clips: s3harness.ClipFrames) -> None:
        self._views = _ClipViews(clips)
        # The part of a media store that engines read, for the clips of requests that are shown.
        self.media = cast("s3harness.MediaStore", self._views)
        self._eos_token_id, self.pad_token_id = _end_and_padding(parts)
        self._tokenizer, self._template = parts.processor.tokenizer, parts.processor.apply_chat_template
        self._cache = _EncodedCache()
        self._encoder = RequestEncoder(
            parts.processor,
            family_of(parts.processor),
            card,
            self.media,
            dtype=parts.model.dtype,
        )

    def encode(self, sample: s3harness.Sample, view: View | None = None) -> EncodedRequest:
        """Return the tensors of a sample's prompt and clip."""
        request = self.shown(sample, view)
        encoded = self._cache.get(request)
        if encoded is None:
            encoded = replace(self._encoder.encode(request), request=sample.request)
            self._cache.put(request, encoded)
        return encoded

    def shown(self, sample: s3harness.Sample, view: View | None = None) -> s3harness.Request:
        """Return a sample's request with the clip of a view, by default that of the sample; :attr:`media` has it."""
        clip = self._views.view(sample.request.clip, view or View(mirrored=sample.mirrored))
        return replace(sample.request, clip=clip)

    def prompt(self, request: s3harness.Request, messages: Sequence[Mapping[str, Any]]) -> str:
        """Return a conversation as text, by the model's chat template."""
        arguments = request.generation.chat_template_kwargs
        return str(self._template(messages, tokenize=False, add_generation_prompt=True, **arguments))

    def answer(self, text: str) -> list[int]:
        """Return the tokens of an answer with its end, as the model has to generate them."""
        return [*self._tokenizer(text, add_special_tokens=False).input_ids, self._eos_token_id]


class AnswerCollator:
    """Batches samples by number with their answers: prompts padded on the left, answers on the right.

    ``labels`` are those of the answers alone.
    """

    def __init__(self, encoder: SampleEncoder, samples: Sequence[s3harness.Sample], view: View | None = None) -> None:
        self._encoder, self._samples, self._view = encoder, samples, view

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the tensors of a batch."""
        samples = [self._samples[row["number"]] for row in rows]
        encoded = [self._encoder.encode(sample, self._view) for sample in samples]
        answers = [self._encoder.answer(sample.target) for sample in samples]
        return with_answers(encoded, answers, self._encoder.pad_token_id)


def with_answers(
    batch: Sequence[EncodedRequest], answers: Sequence[Sequence[int]], pad_token_id: int
) -> dict[str, Any]:
    """Tensors of a batch with an answer after each prompt, and ``labels``, which are :data:`IGNORED` elsewhere."""
    import torch

    inputs = batch_inputs(batch, pad_token_id)
    longest = max(map(len, answers))
    ids = torch.tensor([[*answer, *[pad_token_id] * (longest - len(answer))] for answer in answers])
    mask = torch.tensor([[1] * len(answer) + [0] * (longest - len(answer)) for answer in answers])
    prompts = inputs["input_ids"]
    labels = torch.cat((torch.full_like(prompts, IGNORED), ids.masked_fill(mask == 0, IGNORED)), 1)
    return extended(inputs, ids, mask, prompts.shape) | {"labels": labels}


def extended(inputs: Mapping[str, Any], ids: Any, mask: Any, shape: Any) -> dict[str, Any]:
    """Inputs with answers after the prompts; other fields of tokens are 0 for answers, which hold no media."""
    import torch

    added = {"input_ids": ids, "attention_mask": mask}
    return {
        name: torch.cat((value, added.get(name, torch.zeros_like(ids)).to(value)), 1)
        if getattr(value, "shape", None) == shape
        else value
        for name, value in inputs.items()
    }


def batch_inputs(batch: Sequence[EncodedRequest], pad_token_id: int, *, width: int | None = None) -> dict[str, Any]:
    """Tensors of a batch of prompts, padded on the left to a ``width``, by default that of the longest.

    Media are in the order of the prompts, as far as they have any.
    """
    import torch
    from torch.nn.functional import pad

    longest = width or max(encoded.length for encoded in batch)
    fill = {"input_ids": pad_token_id}
    text = {
        name: torch.cat(
            [pad(encoded.text[name], (longest - encoded.length, 0), value=fill.get(name, 0)) for encoded in batch]
        )
        for name in batch[0].text
    }
    names = dict.fromkeys(name for encoded in batch for name in encoded.media)
    if IN_VIDEO in names and any(IN_VIDEO not in encoded.media for encoded in batch):
        raise s3harness.UsageError(
            "some videos have no sound, and the positions of a batch are either those with sound in the video or those "
            "without: -o sound=separate"
        )
    return text | {name: joined([encoded.media[name] for encoded in batch if name in encoded.media]) for name in names}


def joined(parts: Sequence[Any]) -> Any:
    """Tensors in one, the shorter ones (sound) padded with zeros; a flag as it is."""
    import torch
    from torch.nn.functional import pad

    if isinstance(parts[0], bool):
        return parts[0]
    tensors = [torch.as_tensor(part) for part in parts]
    longest = max(tensor.shape[-1] for tensor in tensors)
    return torch.cat([pad(tensor, (0, longest - tensor.shape[-1])) for tensor in tensors])


def _end_and_padding(parts: ModelParts) -> tuple[int, int]:
    """Return the token that ends an answer: the tokenizer's, where the model stops at it; and the one that pads."""
    tokenizer = parts.processor.tokenizer
    eos_token_ids, pad_token_id = generation_tokens(parts.model, tokenizer)
    return (tokenizer.eos_token_id if tokenizer.eos_token_id in eos_token_ids else eos_token_ids[0]), pad_token_id


class _EncodedCache:
    """The encoded requests that were used last, as many as fit: a small set is encoded once for all epochs."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit, self._bytes = limit, 0
        self._entries: OrderedDict[str, tuple[EncodedRequest, int]] = OrderedDict()

    def get(self, request: s3harness.Request) -> EncodedRequest | None:
        """Return the entry of a request, ``None`` if there is none."""
        key = _key(request)
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key][0]

    def put(self, request: s3harness.Request, encoded: EncodedRequest) -> None:
        """Add an entry, and drop the least recently used ones that are over the limit."""
        size = sum(
            value.nbytes for part in (encoded.text, encoded.media) for value in part.values() if _has_size(value)
        )
        self._entries[_key(request)] = (encoded, size)
        self._bytes += size
        while self._bytes > self._limit and self._entries:
            self._bytes -= self._entries.popitem(last=False)[1][1]


def _key(request: s3harness.Request) -> str:
    return f"{request.id} {request.clip.video_id} {request.generation}"


def _has_size(value: Any) -> bool:
    return hasattr(value, "nbytes")


class _ClipViews:
    """The part of a media store that the encoder reads, for views of clips."""

    def __init__(self, clips: s3harness.ClipFrames) -> None:
        self._clips = clips
        self._views: dict[str, tuple[str, View]] = {}

    def view(self, clip: s3harness.Clip, view: View) -> s3harness.Clip:
        """Return a clip of another id for each view, as the encoder caches its tensors by clip."""
        name = f"{clip.video_id} {view}"
        self._views[name] = (clip.video_id, view)
        return replace(clip, video_id=name)

    def frames(self, clip: s3harness.Clip) -> s3harness.Frames:
        """Frames of a view."""
        import numpy as np

        original, view = self._original(clip)
        frames = self._clips.of_clip(original)
        pixels = frames.pixels[:, :, ::-1] if view.mirrored else frames.pixels
        if view.shuffled:
            # Of a fixed seed, so that a probe can be repeated.
            pixels = pixels[np.random.default_rng(len(pixels)).permutation(len(pixels))]
        return s3harness.Frames(
            np.full_like(pixels, GREY) if view.grey else np.ascontiguousarray(pixels), frames.timestamps
        )

    def key(self, clip: s3harness.Clip) -> str:
        """Return a name of a view, for this process alone."""
        return clip.video_id

    def has_audio(self, clip: s3harness.Clip) -> bool:
        """Tell whether the clip has sound."""
        return self._clips.has_audio(self._original(clip)[0])

    def audio(self, clip: s3harness.Clip, rate: int) -> s3harness.Samples:
        """Sound of a view."""
        import numpy as np

        original, view = self._original(clip)
        samples = self._clips.audio(original, rate)
        return np.zeros_like(samples) if view.silent else samples

    def _original(self, clip: s3harness.Clip) -> tuple[s3harness.Clip, View]:
        video_id, view = self._views[clip.video_id]
        return replace(clip, video_id=video_id), view
