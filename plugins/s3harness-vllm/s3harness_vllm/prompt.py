"""A request as vLLM takes it: the conversation, the media of its clip, and how the answer is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import s3harness

if TYPE_CHECKING:
    from vllm import SamplingParams

TICKS_PER_S = 1000
"""Frame times are told as numbers of ticks of a clock as fine as this, so that they are what they are."""

SOUND_RATE = 16_000
LOGPROBS_PER_ANSWER = 2
MOST_LOGPROBS = 20
"""What is asked of the tokens that might have stood where an answer begins. There are few, as others make no answer."""


@dataclass(frozen=True, slots=True)
class Shows:
    """What a request shows of its clip; ``key`` is the content's hash, empty where nothing is shown."""

    key: str
    video: bool
    audio: bool

    @property
    def ids(self) -> dict[str, str]:
        """Modality → the id by which the engine knows what is shown."""
        shown = {"video": self.video, "audio": self.audio}
        return {modality: f"{self.key}-{modality}" for modality, is_shown in shown.items() if is_shown}


def conversation(request: s3harness.Request, shows: Shows, *, text_first: bool) -> list[dict[str, Any]]:
    """The messages of a request, with its media by their ids."""
    parts = {"video": "video_url", "audio": "input_audio"}
    content = [{"type": parts[kind], parts[kind]: None, "uuid": uuid} for kind, uuid in shows.ids.items()]
    text: dict[str, Any] = {"type": "text", "text": request.prompt}
    system = [{"role": "system", "content": request.system}] if request.system else []
    return [*system, {"role": "user", "content": [text, *content] if text_first else [*content, text]}]


def media_data(request: s3harness.Request, shows: Shows, media: s3harness.MediaStore) -> dict[str, list[Any]]:
    """What the ids stand for: frames with their times, and sound at 16 kHz. Reads, and belongs in a worker thread."""
    data: dict[str, list[Any]] = {}
    if shows.video:
        frames = media.frames(request.clip)
        data["video"] = [(frames.pixels, frame_times(request.clip, frames.timestamps))]
    if shows.audio:
        data["audio"] = [(media.audio(request.clip, SOUND_RATE), SOUND_RATE)]
    return data


def frame_times(clip: s3harness.Clip, timestamps: Sequence[float]) -> dict[str, object]:
    """When the frames were, in seconds from the start of the clip: all of them, and none to be taken out.

    The number of all frames is such that the frames shown are as many a second as they are.
    """
    ticks = [max(0, round((time - clip.start_s) * TICKS_PER_S)) for time in timestamps]
    return {
        "total_num_frames": max(round(len(ticks) / rate(clip) * TICKS_PER_S), 1),
        "fps": float(TICKS_PER_S),
        "duration": clip.end_s - clip.start_s,
        "frames_indices": ticks,
        "video_backend": "s3harness",
        "do_sample_frames": False,
    }


def rate(clip: s3harness.Clip) -> float:
    """Frames a second: what lies between those that were wanted, or one in the whole clip.

    It is not taken from those that were decoded: families count whole grid steps by it, and one that is a thousandth
    too high would put every step one too early.
    """
    times = clip.timestamps
    between = times[-1] - times[0]
    return (len(times) - 1) / between if between > 0 else len(times) / (clip.end_s - clip.start_s)


def sampling(request: s3harness.Request, *, structured: bool, logprobs: bool) -> SamplingParams:
    """How the answer is made: greedy or drawn, how long, in which form, and with which probabilities."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    generation = request.generation
    form = answer_form(request) if structured else {}
    return SamplingParams(
        temperature=generation.temperature,
        top_p=1.0 if generation.top_p is None else generation.top_p,
        seed=generation.seed,
        max_tokens=generation.max_tokens,
        output_kind=RequestOutputKind.FINAL_ONLY,
        logprobs=_logprobs(request) if logprobs else None,
        structured_outputs=StructuredOutputsParams(**form) if form else None,
    )


def answer_form(request: s3harness.Request) -> dict[str, Any]:
    """What holds the engine to the form of the answer; empty for free text."""
    if request.answer_schema is not None:
        return {"json": _plain(request.answer_schema)}
    return {"choice": list(request.choices)} if request.choices else {}


def response(request: s3harness.Request, output: Any) -> s3harness.Response:
    """A ``RequestOutput`` of vLLM as a response; one that ended at the limit of tokens is cut."""
    answer = output.outputs[0]
    closed = s3harness.closed_answer(request)
    tokens = [_token(token_id, found) for token_id, found in zip(answer.token_ids, answer.logprobs or (), strict=False)]
    return s3harness.Response(
        request.id,
        answer.text,
        "cut" if answer.finish_reason == "length" else "ok",
        prompt_tokens=len(output.prompt_token_ids),
        completion_tokens=len(answer.token_ids),
        choice_probabilities=s3harness.choice_probabilities(closed, tokens) if closed and tokens else None,
    )


def _logprobs(request: s3harness.Request) -> int | None:
    closed = s3harness.closed_answer(request)
    return min(MOST_LOGPROBS, 4 + LOGPROBS_PER_ANSWER * len(closed.choices)) if closed else None


def _token(token_id: int, found: Mapping[int, Any]) -> s3harness.Token:
    told: dict[str, float] = {}
    for one in found.values():
        text = one.decoded_token or ""
        told[text] = max(told.get(text, float("-inf")), one.logprob)
    return s3harness.Token(found[token_id].decoded_token or "", told)


def _plain(value: Any) -> Any:
    """A schema in the types that JSON is made from."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
