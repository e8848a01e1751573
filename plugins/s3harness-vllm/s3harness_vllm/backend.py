"""The vllm backend: one asynchronous engine of vLLM, run by this process, that answers requests as they come."""

from __future__ import annotations

import asyncio
import tempfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

import s3harness
from s3harness_vllm import errors
from s3harness_vllm.adapters import (
    load_adapter,
    lora_request,
    merge_adapter,
    reason_to_merge,
    reason_without_lora,
)
from s3harness_vllm.arguments import EngineSetup, engine_setup, merged_setup
from s3harness_vllm.clip_forms import with_possible_form
from s3harness_vllm.engine import start_engine, stop_engine
from s3harness_vllm.engine_log import EngineLog
from s3harness_vllm.inputs import model_inputs, whole_renderer
from s3harness_vllm.installation import missing_requirements, vllm_version
from s3harness_vllm.processor_kwargs import processor_kwargs
from s3harness_vllm.prompt import (
    NO_MEDIA,
    ClipMedia,
    chat_messages,
    load_media,
    response,
    sampling_params,
)
from s3harness_vllm.reasoning import begins_in_reasoning, can_limit_thinking, reasoning_arguments

if TYPE_CHECKING:
    from vllm.outputs import RequestOutput
    from vllm.v1.engine.async_llm import AsyncLLM

MAX_CACHED_CLIPS = 256
"""The most clips whose media this process takes the engine to have in its cache.

More than the engine's cache holds is harmless: a clip that it has evicted is sent again.
"""


class VllmBackend(s3harness.Backend):
    """Answers by vLLM. A clip's first request carries its frames and sound, its others refer to them by id alone.

    Frames go in as one video with their times, or as images if the card says so, and none is left out. ``-o`` takes
    any argument of vLLM's ``AsyncEngineArgs`` by its name, and those of :class:`~s3harness_vllm.arguments.VllmOptions`.
    """

    model_source = "weights"
    # A clip's other requests then find its tokens in the prefix cache (README: 93 % of those that can come from it).
    prime_each_clip = True

    def __init__(self, model: s3harness.ModelCard, options: Mapping[str, object], media: s3harness.MediaStore) -> None:
        super().__init__(model, options, media)
        self._options = options
        self.setup = engine_setup(model, options)
        self.limits = s3harness.Limits(self.setup.options.in_flight, self.setup.options.timeout_s)
        self._n_replicas = 1
        self.cached_tokens = 0
        self.prompt_tokens = 0
        self._cached_clips: OrderedDict[s3harness.Clip, ClipMedia] = OrderedDict()
        self._exit_stack = ExitStack()
        self._engine: AsyncLLM | None = None
        self._log: EngineLog | None = None
        self._adapter: Any = None
        self._whole_renderer: Any = None
        self._n_sent = 0
        self._facts: Mapping[str, object] = {}
        self._identity: Mapping[str, object] = {}
        self._own_decoding: Mapping[str, object] = {}
        self._marks = s3harness.reasoning_marks(model)

    @classmethod
    def missing_requirements(cls) -> Sequence[str]:
        """Return vLLM, or a GPU for it, where it is missing."""
        return missing_requirements()

    async def __aenter__(self) -> Self:
        """Start the engine and report its phases as they begin."""
        for limit in self.setup.limits:
            self.report_status(str(limit))
        self._log = self._exit_stack.enter_context(EngineLog(self.report_status))
        try:
            self._log.begin("loading vLLM")
            await self._fit_clip_form()
            self._engine = await self._start(self._log)
        except Exception as error:
            # The log is read before the exit stack deletes it.
            with self._exit_stack:
                raise errors.start_error(error, self._log.errors()) from error
        except BaseException:
            # A cancelled start: Python calls no __aexit__ where __aenter__ did not return.
            self._exit_stack.close()
            raise
        # Known only now: by default there are as many replicas as the machine's GPUs have room for.
        self._n_replicas = self._engine.vllm_config.parallel_config.data_parallel_size
        self.limits = replace(self.limits, in_flight=self.setup.options.in_flight * self._n_replicas)
        self.context_length = self._engine.vllm_config.model_config.max_model_len
        self._own_decoding = self._engine.vllm_config.model_config.try_get_generation_config()
        forms = {"clips": self.model.clip_form} if "video" in self.model.modalities else {}
        self._facts = _facts(self._engine, self.setup) | forms | s3harness.decoding_facts(self._own_decoding)
        config = self._engine.vllm_config.model_config.hf_config
        self._identity = _identity(self.model, self._facts, config)
        durations = self._log.ready()
        phases = ", ".join(f"{phase} {seconds:.0f} s" for phase, seconds in durations.items())
        self.report_status("asking")
        self.add_note(f"vLLM started in {sum(durations.values()):.0f} s: {phases}")
        return self

    async def _fit_clip_form(self) -> None:
        """Show clips as images where vLLM has the model take no video."""
        model = await asyncio.to_thread(with_possible_form, self.model, self.setup.engine)
        if model.clip_form != self.model.clip_form:
            self.add_note("vLLM has the model take no video: clips were shown as images, each after its time")
            # The engine reserves room for images then.
            self.model, self.setup = model, engine_setup(model, self._options)

    async def _start(self, log: EngineLog) -> AsyncLLM:
        """Start the engine with the adapter, loaded if the engine applies all of it, else merged into the weights."""
        adapter = self.setup.options.adapter
        if adapter is None:
            return await start_engine(self.setup, log)
        reason = "-o merge_adapter" if self.setup.options.merge_adapter else reason_to_merge(adapter)
        reason = reason or await asyncio.to_thread(reason_without_lora, self.setup.engine)
        if not reason:
            engine = await start_engine(self.setup, log)
            try:
                reason = await load_adapter(engine, adapter)
            except BaseException:
                await stop_engine(engine)
                raise
            if not reason:
                self._adapter = lora_request(adapter)
                return engine
            await stop_engine(engine)
            # What the refused adapter logged is not why a later start fails.
            log.forget_errors()
        return await self._start_merged(adapter, reason, log)

    async def _start_merged(self, adapter: Path, reason: str, log: EngineLog) -> AsyncLLM:
        log.begin("merging the adapter into a copy of the weights")
        # Private to the user. It stays as long as the engine, which loads the processor with its first clip.
        folder = Path(self._exit_stack.enter_context(tempfile.TemporaryDirectory(prefix="s3harness-merged-")))
        try:
            trusts = self.setup.engine.get("trust_remote_code") is True
            await merge_adapter(self.model, adapter, folder, trust_remote_code=trusts)
        except s3harness.UsageError as error:
            raise s3harness.UsageError(f"-o adapter: vLLM cannot apply it ({reason}), and {error}") from error
        self.setup = merged_setup(self.setup, folder)
        self.add_note(f"the adapter was merged into a copy of the weights ({reason})")
        return await start_engine(self.setup, log)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the engine, and note the share of prompt tokens that came from its prefix cache."""
        engine, self._engine = self._engine, None
        # The log outlives the engine, whose processes write to it until they end.
        with self._exit_stack:
            if engine is not None:
                await stop_engine(engine)
        if self.prompt_tokens:
            share = self.cached_tokens / self.prompt_tokens
            self.add_note(f"{share:.0%} of {self.prompt_tokens} prompt tokens came from vLLM's prefix cache")

    def facts(self) -> Mapping[str, object]:
        """Version, device, numeric types, adapter, and the parallelism of the engine."""
        return self._facts

    def identity(self) -> Mapping[str, object]:
        """The weights with their revision and the hash of their configuration, and the version of the engine."""
        return self._identity

    async def generate(self, request: s3harness.Request) -> s3harness.Response:
        """Answer one request."""
        output, clip_media = await self.complete(request)
        assert self._engine is not None
        is_begun = begins_in_reasoning(self._engine, output.prompt_token_ids or (), self._marks)
        self.prompt_tokens += len(output.prompt_token_ids or ())
        self.cached_tokens += output.num_cached_tokens or 0
        settings = s3harness.sent_settings(
            request, self.model, self._own_decoding, is_structured=self.setup.options.structured
        )
        sent = clip_media.sent(settings)
        return replace(response(request, output, self._marks, is_begun=is_begun), sent=sent)

    async def model_inputs(self, request: s3harness.Request) -> s3harness.ModelInputs:
        """Tokens and tensors of a request, by a renderer like the engine's that leaves nothing to the cache."""
        if self._whole_renderer is None:
            self._whole_renderer = await asyncio.to_thread(whole_renderer, self.setup.engine)
        renderer, clip = self._whole_renderer, replace(request.clip, index=0)
        clip_media, data = NO_MEDIA, dict[str, list[Any]]()
        if not clip.is_text_only:
            clip_media, data = await asyncio.to_thread(load_media, clip, self.model, self.media)
        prompt = await self._render(cast("AsyncLLM", SimpleNamespace(renderer=renderer)), request, clip_media, data)
        return model_inputs(prompt, renderer.get_tokenizer())

    async def complete(self, request: s3harness.Request) -> tuple[RequestOutput, ClipMedia]:
        """The engine's output for one request, with its media, which are not sent again if the engine has them."""
        # Clips of different tasks may show the same; their index is the only difference.
        clip = replace(request.clip, index=0)
        if self.setup.has_media_cache and clip in self._cached_clips:
            clip_media = self._cached_clips[clip]
            try:
                return await self._send(request, clip_media, clip_media.cached), clip_media
            except Exception as error:
                if not errors.is_media_evicted(error):
                    raise
                self._cached_clips.pop(clip, None)
        if clip.is_text_only:
            return await self._send(request, NO_MEDIA, {}), NO_MEDIA
        clip_media, data = await asyncio.to_thread(load_media, clip, self.model, self.media)
        output = await self._send(request, clip_media, data)
        self._mark_cached(clip, clip_media)
        return output, clip_media

    async def _send(
        self, request: s3harness.Request, clip_media: ClipMedia, data: Mapping[str, list[Any]]
    ) -> RequestOutput:
        assert self._engine is not None
        self._n_sent += 1
        options = self.setup.options
        params = sampling_params(
            request,
            structured=options.structured,
            logprobs=options.logprobs,
            of_model=self._own_decoding,
            can_limit_thinking=can_limit_thinking(self._engine),
        )
        try:
            prompt = await self._render(self._engine, request, clip_media, data)
            outputs = self._engine.generate(
                prompt,
                params,
                # The number keeps ids apart: an earlier attempt of a retried request may still be under way.
                f"{request.id}-{self._n_sent}",
                lora_request=self._adapter,
                data_parallel_rank=self._replica(clip_media.key),
                **reasoning_arguments(self._engine, request, prompt, self._marks),
            )
            return _complete_output([output async for output in outputs])
        except Exception as error:
            explained = errors.request_error(error, self._log.errors() if self._log else ())
            if explained is error:
                raise
            raise explained from error

    async def _render(
        self, engine: AsyncLLM, request: s3harness.Request, clip_media: ClipMedia, data: Mapping[str, list[Any]]
    ) -> Any:
        """The request's tokens, by the model's own chat template, together with its processed media."""
        from vllm.renderers.params import ChatParams

        messages = chat_messages(request, self.model, clip_media)
        template: dict[str, object] = {"add_generation_prompt": True, "continue_final_message": False}
        template |= request.generation.chat_template_kwargs
        extras = {
            "multi_modal_data": dict(data),
            # Named for all items, since sound that belongs to a video has no part of its own in the conversation.
            "multi_modal_uuids": clip_media.ids,
            "mm_processor_kwargs": self._processor_kwargs(request.clip, clip_media, engine),
        }
        _, (prompt,) = await engine.renderer.render_chat_async(
            [messages], ChatParams(chat_template_kwargs=template), prompt_extras=extras if clip_media.ids else None
        )
        return prompt

    def _processor_kwargs(self, clip: s3harness.Clip, clip_media: ClipMedia, engine: AsyncLLM) -> dict[str, object]:
        if not clip_media.times_s or clip_media.as_images:
            return {}
        kwargs = processor_kwargs(clip, engine.renderer.get_mm_processor().info)
        has_audio = clip_media.sound_s > 0
        in_video = s3harness.audio_is_in_video(self.model, has_frames=True, has_audio=has_audio)
        return kwargs | ({"use_audio_in_video": True} if in_video else {})

    def _replica(self, key: str) -> int | None:
        """The data-parallel rank for a clip; ``None`` leaves the choice to vLLM."""
        # By the clip's hash, so that all of its requests reach the replica that has the clip in its cache.
        return int(key[:8], 16) % self._n_replicas if key and self._n_replicas > 1 else None

    def _mark_cached(self, clip: s3harness.Clip, clip_media: ClipMedia) -> None:
        if clip_media.key:
            self._cached_clips[clip] = clip_media
            self._cached_clips.move_to_end(clip)
        if len(self._cached_clips) > MAX_CACHED_CLIPS:
            self._cached_clips.popitem(last=False)


def _facts(engine: AsyncLLM, setup: EngineSetup) -> dict[str, object]:
    """Facts about the loaded engine, without those that are empty."""
    from vllm.platforms import current_platform

    model, parallel = engine.vllm_config.model_config, engine.vllm_config.parallel_config
    facts = {
        "vllm": vllm_version(),
        "revision": str(getattr(model.hf_config, "_commit_hash", None) or ""),
        "device": current_platform.get_device_name(),
        "dtype": str(model.dtype).removeprefix("torch."),
        "quantization": model.quantization,
        "max_model_len": model.max_model_len,
        "tensor_parallel_size": parallel.tensor_parallel_size,
        "pipeline_parallel_size": parallel.pipeline_parallel_size,
        "data_parallel_size": parallel.data_parallel_size,
        "adapter": s3harness.adapter_id(setup.options.adapter) if setup.options.adapter else "",
        "adapter_form": setup.adapter_form,
        "structured": setup.options.structured,
        "prefix_caching": bool(engine.vllm_config.cache_config.enable_prefix_caching),
        "kv_cache_dtype": engine.vllm_config.cache_config.cache_dtype.removeprefix("auto"),
        "speculative": _speculative(engine.vllm_config.speculative_config),
        "reasoning_parser": engine.vllm_config.structured_outputs_config.reasoning_parser,
    }
    return {name: value for name, value in facts.items() if value not in ("", None)}


def _speculative(config: Any) -> dict[str, object] | None:
    """Method of speculative decoding, tokens drafted at once, and the draft model; ``None`` where there is none."""
    if config is None:
        return None
    draft = {"method": config.method, "tokens": config.num_speculative_tokens, "model": config.model}
    # A draft model may be a directory, whose path stays on this machine; vLLM names the n-gram method as its own model.
    return {name: s3harness.public_name(str(value)) if name == "model" else value for name, value in draft.items()}


def _identity(card: s3harness.ModelCard, facts: Mapping[str, object], config: Any) -> dict[str, object]:
    """The facts that determine the answers, with the weights and the hash of their configuration."""
    # Without device and parallelism: a run may be resumed on another machine.
    determining = ("vllm", "revision", "dtype", "quantization", "kv_cache_dtype", "adapter")
    return {
        "weights": card.weights_id or card.weights,
        "config_sha256": s3harness.config_hash(config.to_dict()),
        **{name: facts[name] for name in determining if name in facts},
    }


def _complete_output(outputs: Sequence[RequestOutput]) -> RequestOutput:
    """The output of a request that was answered to its end; :class:`s3harness.RetryableError` if it was aborted."""
    if not outputs or outputs[-1].outputs[0].finish_reason not in ("stop", "length"):
        raise s3harness.RetryableError("vLLM aborted the request")
    return outputs[-1]
