"""Generation of the answers to a batch of requests, by one call of ``generate``."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import s3harness
from s3harness_transformers import errors
from s3harness_transformers.grammar import AnswerGrammars
from s3harness_transformers.loading import LoadedModel
from s3harness_transformers.logprobs import LogprobsRecorder, decode_tokens
from s3harness_transformers.reasoning import ReasoningMarks
from s3harness_transformers.request_encoder import EncodedRequest

USUAL_MARKS = s3harness.Thinking(by_default=False)

PADDED = frozenset({"input_features", "input_features_mask", "feature_attention_mask"})
"""Tensors of sound, of which the shorter ones of a batch are padded at the end."""

ResponseOrError = s3harness.Response | Exception


class BatchGenerator:
    """Generates answers. One thread may call it; any thread may set ``stop``, which ends the batch under way."""

    def __init__(
        self,
        loaded: LoadedModel,
        *,
        structured: bool,
        logprobs: bool,
        marks: s3harness.Thinking = USUAL_MARKS,
    ) -> None:
        self._loaded, self._logprobs = loaded, logprobs
        self._grammars = (
            AnswerGrammars(loaded.tokenizer, loaded.vocab_size, loaded.eos_token_ids) if structured else None
        )
        self._reasoning = ReasoningMarks(loaded.tokenizer, marks)
        self.stop = threading.Event()
        self.n_halved = 0

    def generate(self, batch: Sequence[EncodedRequest]) -> list[ResponseOrError]:
        """Return a response or an error for each request. A batch that does not fit into memory is halved."""
        try:
            return list(self._generate(batch))
        except Exception as error:
            if len(batch) == 1 or not errors.is_out_of_memory(error):
                return [errors.generation_error(error)] * len(batch)
        # Outside of the except block, as the error's traceback holds the tensors that did not fit.
        self._free_memory()
        middle = len(batch) // 2
        return [*self.generate(batch[:middle]), *self.generate(batch[middle:])]

    def _generate(self, batch: Sequence[EncodedRequest]) -> list[s3harness.Response]:
        import torch

        requests = [encoded.request for encoded in batch]
        inputs: dict[str, Any] = {
            name: value if isinstance(value, bool) else value.to(self._loaded.device)
            for name, value in collate(batch, self._loaded.pad_token_id).items()
        }
        closed = [s3harness.closed_answer(request) if self._logprobs else None for request in requests]
        recorder = LogprobsRecorder() if any(closed) else None
        waits = [encoded.is_begun or encoded.request.generation.thinking for encoded in batch]
        reasoning = self._reasoning.processor(batch, inputs["input_ids"].shape[1]) if any(waits) else None
        masks = self._grammars.processor(requests, self._reasoning.end, waits) if self._grammars else None
        seed = requests[0].generation.seed
        # torch's random state is restored, so that a seeded request changes nothing of what is drawn after it.
        with torch.inference_mode(), torch.random.fork_rng(enabled=seed is not None):
            if seed is not None:
                torch.manual_seed(seed)
            output = self._loaded.model.generate(
                **inputs,
                **_sampling_options(requests[0].generation.completed(self._loaded.own_decoding)),
                # The recorder comes last, so that probabilities are shares of what the grammar allows.
                logits_processor=[processor for processor in (reasoning, masks, recorder) if processor is not None],
                stopping_criteria=[self._stopped],
            )
        if self.stop.is_set():
            raise s3harness.S3HarnessError("the run was stopped")
        rows = output[:, inputs["input_ids"].shape[1] :].tolist()
        return [
            self._response(encoded, row, closed[number], recorder.row(number, row) if recorder else [])
            for number, (encoded, row) in enumerate(zip(batch, rows, strict=True))
        ]

    def _response(
        self,
        encoded: EncodedRequest,
        row: list[int],
        closed: s3harness.ClosedAnswer | None,
        logprobs: Sequence[Mapping[int, float]],
    ) -> s3harness.Response:
        # A row of a batch goes on with padding after its end, until the longest row has ended.
        end = next((place for place, token in enumerate(row) if token in self._loaded.eos_token_ids), None)
        answer = row if end is None else row[:end]
        tokenizer = self._loaded.tokenizer
        reply = s3harness.split_reasoning(
            tokenizer.decode(answer, skip_special_tokens=True), self._reasoning.marks, is_begun=encoded.is_begun
        )
        probabilities = None
        if closed is not None and not reply.is_cut:
            tokens = decode_tokens(tokenizer, answer, logprobs)
            probabilities = s3harness.choice_probabilities(
                closed, s3harness.answer_tokens(tokens, self._reasoning.marks)
            )
        return s3harness.Response(
            encoded.request.id,
            reply.answer,
            status="cut" if end is None or reply.is_cut else "ok",
            prompt_tokens=encoded.length,
            completion_tokens=len(answer) + (end is not None),
            choice_probabilities=probabilities,
            reasoning=reply.reasoning,
        )

    def _stopped(self, tokens: Any, scores: Any, **_: Any) -> Any:
        """Stopping criterion of ``generate``: one boolean a row."""
        import torch

        return torch.full((tokens.shape[0],), self.stop.is_set(), dtype=torch.bool, device=tokens.device)

    def _free_memory(self) -> None:
        import torch

        self.n_halved += 1
        if torch.cuda.is_available():
            # Otherwise blocks of the sizes that the failed batch needed stay reserved.
            torch.cuda.empty_cache()


def batch_key(encoded: EncodedRequest) -> object:
    """Key that is equal for requests that may share a batch: their generation settings and kinds of tensors."""
    generation = encoded.request.generation
    # What is sampled from a seed gets a batch of its own: beside others, its random numbers would depend on them.
    alone = encoded.request.id if generation.temperature != 0 and generation.seed is not None else ""
    return replace(generation), frozenset(map(_stackable, encoded.media.items())), alone


def _stackable(media: tuple[str, Any]) -> tuple[str, tuple[int, ...]]:
    """The name of a tensor and the sizes that a batch must share: all but the first, and the length of sound."""
    name, value = media
    sizes = tuple(getattr(value, "shape", ()))[1:]
    return name, sizes[:-1] if name in PADDED else sizes


def collate(batch: Sequence[EncodedRequest], pad_token_id: int) -> dict[str, Any]:
    """Tensors of a batch: text padded on the left to the longest prompt, media concatenated."""
    import torch

    longest = max(encoded.length for encoded in batch)
    fill = {"input_ids": pad_token_id}
    text = {
        name: torch.cat(
            [_padded(encoded.text[name], (longest - encoded.length, 0), fill.get(name, 0)) for encoded in batch]
        )
        for name in batch[0].text
    }
    names = batch[0].media
    # MiniCPM's patches of all pictures lie side by side, and the sizes of the pictures tell them apart.
    is_in_row = any(name.startswith("target_sizes") for name in names)
    return text | {
        name: _concatenated(
            [encoded.media[name] for encoded in batch], in_row=is_in_row and name.startswith("pixel_values")
        )
        for name in names
    }


def _sampling_options(generation: s3harness.Generation) -> dict[str, Any]:
    """Arguments of ``generate``: greedy, or sampled from all tokens but for ``top_p`` and ``top_k``."""
    common: dict[str, Any] = {"max_new_tokens": generation.token_limit}
    if generation.repetition_penalty is not None:
        common["repetition_penalty"] = generation.repetition_penalty
    if generation.temperature == 0:
        return common | {"do_sample": False}
    return common | {
        "do_sample": True,
        "temperature": generation.temperature,
        "top_p": 1.0 if generation.top_p is None else generation.top_p,
        # transformers' default is 50, which would cut off tokens that the task's settings allow.
        "top_k": generation.top_k or 0,
    }


def _concatenated(parts: Sequence[Any], *, in_row: bool = False) -> Any:
    """Tensors in one, in a row or the shorter ones (sound) padded with zeros at the end; a flag as it is."""
    import torch

    # A flag of the model: requests that share a batch have the same.
    if isinstance(parts[0], bool):
        return parts[0]
    tensors = [torch.as_tensor(part) for part in parts]
    if in_row:
        return torch.cat(tensors, -1)
    longest = max(tensor.shape[-1] for tensor in tensors)
    return torch.cat([_padded(tensor, (0, longest - tensor.shape[-1]), 0) for tensor in tensors])


def _padded(tensor: Any, sides: tuple[int, int], value: int) -> Any:
    import torch

    return torch.nn.functional.pad(tensor, sides, value=value) if any(sides) else tensor
