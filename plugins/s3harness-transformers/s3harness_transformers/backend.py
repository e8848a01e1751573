"""The transformers backend: a model in this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import s3harness
from s3harness_transformers.adapters import adapter_id
from s3harness_transformers.batch_generator import BatchGenerator, ResponseOrError, batch_key
from s3harness_transformers.batching import DynamicBatcher
from s3harness_transformers.families import family_of
from s3harness_transformers.grammar import LIBRARY, grammar_library
from s3harness_transformers.installation import installed_version, missing_requirements, require_engine
from s3harness_transformers.loading import LoadedModel, load_model
from s3harness_transformers.options import TransformersOptions
from s3harness_transformers.request_encoder import EncodedRequest, RequestEncoder


class TransformersBackend(s3harness.Backend):
    """Answers by transformers, in batches of requests that come together.

    :class:`~s3harness_transformers.options.TransformersOptions` has its options. A clip's frames go in as one video
    with their times, and none is left out.
    """

    # Neither changes an answer, up to the order of sums in bfloat16.
    transport_options = frozenset({"batch_size", "timeout_s"})

    def __init__(self, model: s3harness.ModelCard, options: Mapping[str, object], media: s3harness.MediaStore) -> None:
        super().__init__(model, options, media)
        self._options = TransformersOptions.of(options, model.engines.get("transformers", {}))
        require_engine(model, self._options.min_version)
        if model.weights is None:
            raise s3harness.UsageError(f"{model.name} has no weights on the hub; name a directory by --weights DIR")
        self._clip_form = self._options.clips or _clip_form_in_training(model, self._options)
        # Two batches, so that the prompts of the next one are encoded while one is answered.
        self.limits = s3harness.Limits(2 * self._options.batch_size, self._options.timeout_s, attempts=1)
        self._facts: Mapping[str, object] = {}
        self._identity: Mapping[str, object] = {}
        self._tokens, self._seconds = 0, 0.0

    @classmethod
    def missing_requirements(cls) -> Sequence[str]:
        """Return torch and transformers, where they are missing."""
        return missing_requirements()

    async def __aenter__(self) -> Self:
        """Load the model."""
        options = self._options
        loaded = await asyncio.to_thread(load_model, self.model, options, self.report_status)
        is_structured = options.structured and bool(grammar_library())
        if options.structured and not is_structured:
            self.add_note(f"answers were not held to their schema: pip install {LIBRARY}")
        self._encoder = RequestEncoder(
            loaded.processor,
            family_of(loaded.model_type),
            self.model,
            self.media,
            dtype=loaded.model.dtype,
            max_tokens=loaded.max_tokens,
            as_images=self._clip_form == "images",
        )
        self._generator = BatchGenerator(loaded, structured=is_structured, logprobs=options.logprobs)
        self._batcher = DynamicBatcher[EncodedRequest, s3harness.Response](
            self._timed_generate, batch_key, options.batch_size
        )
        self._facts = _facts(loaded, options, grammar_library() if is_structured else "") | {"clips": self._clip_form}
        self._identity = _identity(self.model, self._facts, loaded.base_model.config)
        self.report_status("asking")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the batch under way, and note what a user should know of the run."""
        # First, because the batcher waits for the batch under way.
        self._generator.stop.set()
        await self._batcher.close(s3harness.S3HarnessError("the run was stopped"))
        if self._seconds:
            self.add_note(f"{self._tokens} tokens were written in {self._seconds:.0f} s of generation")
        halved = self._generator.n_halved
        if halved:
            batches, were = ("batch", "was") if halved == 1 else ("batches", "were")
            self.add_note(f"{halved} {batches} did not fit into memory and {were} asked in halves")
        truncated_s = self._encoder.truncated_audio_s
        if truncated_s > 0:
            self.add_note(f"the sound of some clips is longer than the model hears, by up to {truncated_s:.0f} s")

    def facts(self) -> Mapping[str, object]:
        """Versions, device, numeric types and weights."""
        return self._facts

    def identity(self) -> Mapping[str, object]:
        """The weights with their revision and the hash of their configuration, and the versions of the libraries."""
        return self._identity

    def prefetch(self, clip: s3harness.Clip) -> None:
        """Encode a clip as model inputs."""
        self._encoder.prefetch(clip)

    async def generate(self, request: s3harness.Request) -> s3harness.Response:
        """Answer one request, in a batch with others that come at the same time."""
        return await self._batcher.submit(await asyncio.to_thread(self._encoder.encode, request))

    def _timed_generate(self, batch: Sequence[EncodedRequest]) -> list[ResponseOrError]:
        started = time.perf_counter()
        results = self._generator.generate(batch)
        self._seconds += time.perf_counter() - started
        self._tokens += sum(r.completion_tokens or 0 for r in results if isinstance(r, s3harness.Response))
        return results


def _clip_form_in_training(model: s3harness.ModelCard, options: TransformersOptions) -> str:
    """``images`` or ``video``, by the run card beside adapter or weights; ``video`` where there is none."""
    # A model that was trained on images gives other answers to the same frames as video.
    for directory in (options.adapter, Path(str(model.weights))):
        card = s3harness.read_card(directory) if directory is not None and directory.is_dir() else None
        if card is not None:
            return str(card.about.get("clips", "video"))
    return "video"


def _facts(loaded: LoadedModel, options: TransformersOptions, library: str) -> dict[str, object]:
    """Facts about the loaded model, without those that are empty; ``library`` is that of structured output."""
    facts = {
        "transformers": installed_version("transformers"),
        "torch": installed_version("torch"),
        "class": type(loaded.base_model).__name__,
        "revision": loaded.revision,
        "device": loaded.device_name,
        "dtype": str(loaded.model.dtype).removeprefix("torch."),
        "attention": str(getattr(loaded.base_model.config, "_attn_implementation", "")),
        "adapter": adapter_id(options.adapter) if options.adapter else "",
        "structured": library,
    }
    return {name: value for name, value in facts.items() if value}


def _identity(card: s3harness.ModelCard, facts: Mapping[str, object], config: Any) -> dict[str, object]:
    """The facts that determine the answers, with the weights and the hash of their configuration."""
    # Without the device: a run may be resumed on another machine.
    determining = ("transformers", "torch", "class", "revision", "dtype", "attention", "adapter")
    return {
        "weights": card.weights_id or card.weights,
        "config_sha256": s3harness.config_hash(config.to_dict()),
        **{name: facts[name] for name in determining if name in facts},
    }
