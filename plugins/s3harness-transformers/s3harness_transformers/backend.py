"""The transformers backend: a model in this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import s3harness
from s3harness_transformers.batch_generator import BatchGenerator, ResponseOrError, batch_key
from s3harness_transformers.batching import DynamicBatcher
from s3harness_transformers.clip_forms import with_possible_form
from s3harness_transformers.families import family_of
from s3harness_transformers.grammar import LIBRARY, grammar_library
from s3harness_transformers.installation import installed_version, missing_requirements, require_engine
from s3harness_transformers.loading import LoadedModel, load_model
from s3harness_transformers.official import common_inputs, official_inputs
from s3harness_transformers.options import TransformersOptions
from s3harness_transformers.recipes import recipe_inputs
from s3harness_transformers.request_encoder import EncodedRequest, RequestEncoder


class TransformersBackend(s3harness.Backend):
    """Answers by transformers, in batches of requests that come together.

    :class:`~s3harness_transformers.options.TransformersOptions` has its options. A clip's frames go in as one video
    with their times, and none is left out.
    """

    model_source = "weights"
    # Neither changes an answer, up to the order of sums in bfloat16.
    transport_options = frozenset({"batch_size", "timeout_s"})

    def __init__(self, model: s3harness.ModelCard, options: Mapping[str, object], media: s3harness.MediaStore) -> None:
        super().__init__(model, options, media)
        self._options = TransformersOptions.of(options, model.engines.get("transformers", {}))
        require_engine(model, self._options.min_version)
        if model.weights is None:
            raise s3harness.UsageError(f"{model.name} has no weights on the hub; name a directory by --weights DIR")
        if self._options.clips:
            self.model = replace(model, clip_form=self._options.clips)
        # Two batches, so that the prompts of the next one are encoded while one is answered.
        self.limits = s3harness.Limits(2 * self._options.batch_size, self._options.timeout_s, attempts=1)
        self._is_structured = False
        self._own_decoding: Mapping[str, object] = {}
        self._facts: dict[str, object] = {}
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
        self._own_decoding = loaded.own_decoding
        self._is_structured = options.structured and bool(grammar_library())
        if options.structured and not self._is_structured:
            self.add_note(f"answers were not held to their schema: pip install {LIBRARY}")
        planned, self.model = self.model, with_possible_form(self.model, loaded.processor)
        if self.model.clip_form != planned.clip_form:
            if options.clips:
                raise s3harness.UsageError(f"{planned.name} takes no video: -o clips=images shows images and times")
            self.add_note("the model takes no video: clips were shown as images, each after its time")
        self._encoder = RequestEncoder(
            loaded.processor,
            family_of(loaded.processor),
            self.model,
            self.media,
            dtype=loaded.model.dtype,
            max_tokens=loaded.max_tokens,
        )
        self.context_length = loaded.max_tokens
        self._generator = BatchGenerator(
            loaded,
            structured=self._is_structured,
            logprobs=options.logprobs,
            marks=s3harness.reasoning_marks(self.model),
        )
        self._batcher = DynamicBatcher[EncodedRequest, s3harness.Response](
            self._timed_generate, batch_key, options.batch_size
        )
        self._facts = _facts(loaded, options, grammar_library() if self._is_structured else "") | _forms(self.model)
        self._facts |= s3harness.decoding_facts(loaded.own_decoding)
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
        encoded = await asyncio.to_thread(self._encoder.encode, request)
        response = await self._batcher.submit(encoded)
        settings = s3harness.sent_settings(request, self.model, self._own_decoding, is_structured=self._is_structured)
        return replace(response, sent=replace(encoded.sent, settings=settings))

    async def model_inputs(self, request: s3harness.Request) -> s3harness.ModelInputs:
        """Tokens and tensors of a request, as they go into ``generate``."""
        encoded = await asyncio.to_thread(self._encoder.encode, request)
        return common_inputs({**encoded.text, **encoded.media}, self._encoder.decode)

    async def official_inputs(self, request: s3harness.Request, source: s3harness.SourceClip) -> s3harness.ModelInputs:
        """Tokens and tensors by a processor of its own, called as its documentation has it."""
        trusted = self._options.trust_remote_code
        return await asyncio.to_thread(official_inputs, self.model, request, source, trust_remote_code=trusted)

    async def recipe_inputs(self, request: s3harness.Request, path: Path) -> s3harness.RecipeInputs | None:
        """Tokens and tensors by the recipe of the model's authors, where its package is installed."""
        trusted = self._options.trust_remote_code
        return await asyncio.to_thread(recipe_inputs, self.model, request, path, trust_remote_code=trusted)

    def _timed_generate(self, batch: Sequence[EncodedRequest]) -> list[ResponseOrError]:
        started = time.perf_counter()
        results = self._generator.generate(batch)
        self._seconds += time.perf_counter() - started
        self._tokens += sum(r.completion_tokens or 0 for r in results if isinstance(r, s3harness.Response))
        return results


def _forms(model: s3harness.ModelCard) -> dict[str, object]:
    """The forms in which clips are shown."""
    return {"clips": model.clip_form, **({"audio": "in video"} if model.audio_in_video else {})}


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
        "adapter": s3harness.adapter_id(options.adapter) if options.adapter else "",
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
