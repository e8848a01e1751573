"""Conversion of requests to vLLM's conversation, media and sampling parameters, and of its outputs to responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import s3harness

if TYPE_CHECKING:
    from vllm import SamplingParams

TICKS_PER_S = 1000
"""Frames a second of the clock by which frame times are given to the processor.

Processors take the time of a frame as its number divided by a frame rate; at a rate this high every time is exact to
the millisecond.
"""

AUDIO_RATE_HZ = 16_000
LOGPROBS_PER_ANSWER = 2
MAX_LOGPROBS = 20
"""The most alternatives that vLLM reports for a token by default (``max_logprobs``)."""


@dataclass(frozen=True, slots=True)
class ClipMedia:
    """The media of a request's clip: video, audio, both or none. ``key`` hashes their content, empty without any."""

    key: str
    video: bool
    audio: bool

    @property
    def ids(self) -> dict[str, str]:
        """Modality → the id by which the engine caches the clip's media of that modality."""
        modalities = {"video": self.video, "audio": self.audio}
        return {modality: f"{self.key}-{modality}" for modality, is_present in modalities.items() if is_present}


def conversation(request: s3harness.Request, clip_media: ClipMedia, *, text_first: bool) -> list[dict[str, Any]]:
    """The chat messages of a request, which refer to its media by id."""
    part_types = {"video": "video_url", "audio": "input_audio"}
    media: list[dict[str, Any]] = [
        {"type": part_types[modality], part_types[modality]: None, "uuid": uuid}
        for modality, uuid in clip_media.ids.items()
    ]
    text: dict[str, Any] = {"type": "text", "text": request.prompt}
    system = [{"role": "system", "content": request.system}] if request.system else []
    return [*system, {"role": "user", "content": [text, *media] if text_first else [*media, text]}]


def media_data(request: s3harness.Request, clip_media: ClipMedia, media: s3harness.MediaStore) -> dict[str, list[Any]]:
    """Load the media of a request: frames with their times, and sound at 16 kHz.

    It reads from disk, so call it in a worker thread.
    """
    data: dict[str, list[Any]] = {}
    if clip_media.video:
        frames = media.frames(request.clip)
        data["video"] = [(frames.pixels, frame_metadata(request.clip, frames.timestamps))]
    if clip_media.audio:
        data["audio"] = [(media.audio(request.clip, AUDIO_RATE_HZ), AUDIO_RATE_HZ)]
    return data


def frame_metadata(clip: s3harness.Clip, timestamps: Sequence[float]) -> dict[str, object]:
    """Video metadata that give the time of each frame, in seconds from the start of the clip; no frame is left out."""
    ticks = [max(0, round((time - clip.start_s) * TICKS_PER_S)) for time in timestamps]
    return {
        # Such that processors which divide it by the frame rate arrive at the frames' own rate.
        "total_num_frames": max(round(len(ticks) / frame_rate(clip) * TICKS_PER_S), 1),
        "fps": float(TICKS_PER_S),
        "duration": clip.end_s - clip.start_s,
        "frames_indices": ticks,
        "video_backend": "s3harness",
        "do_sample_frames": False,
    }


def frame_rate(clip: s3harness.Clip) -> float:
    """Frames a second, by the requested times; of a single frame, one in the whole clip."""
    # By the requested times and not by those of the decoded frames: processors count whole grid steps by the rate, and
    # one that is a thousandth too high would put every step one too early.
    times = clip.timestamps
    span_s = times[-1] - times[0]
    return (len(times) - 1) / span_s if span_s > 0 else len(times) / (clip.end_s - clip.start_s)


def sampling_params(request: s3harness.Request, *, structured: bool, logprobs: bool) -> SamplingParams:
    """The ``SamplingParams`` of a request: temperature, limit of tokens, form of the answer, and logprobs."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    generation = request.generation
    form = answer_form(request) if structured else {}
    return SamplingParams(
        temperature=generation.temperature,
        top_p=1.0 if generation.top_p is None else generation.top_p,
        seed=generation.seed,
        max_tokens=generation.max_tokens,
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


def response(request: s3harness.Request, output: Any) -> s3harness.Response:
    """The response in a ``RequestOutput`` of vLLM; ``cut`` if it ended at the limit of tokens."""
    answer = output.outputs[0]
    closed = s3harness.closed_answer(request)
    tokens = [
        _token(token_id, logprobs) for token_id, logprobs in zip(answer.token_ids, answer.logprobs or (), strict=False)
    ]
    return s3harness.Response(
        request.id,
        answer.text,
        status="cut" if answer.finish_reason == "length" else "ok",
        prompt_tokens=len(output.prompt_token_ids),
        completion_tokens=len(answer.token_ids),
        choice_probabilities=s3harness.choice_probabilities(closed, tokens) if closed and tokens else None,
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
