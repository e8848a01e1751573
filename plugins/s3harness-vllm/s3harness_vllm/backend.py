"""The vllm backend: one asynchronous engine of vLLM, run by this process, that answers requests as they come."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import s3harness
from s3harness_vllm import errors
from s3harness_vllm.adapters import adapter_id, lora_request
from s3harness_vllm.arguments import EngineSetup, engine_setup
from s3harness_vllm.engine import start_engine, stop_engine
from s3harness_vllm.engine_log import EngineLog
from s3harness_vllm.installation import missing_requirements, vllm_version
from s3harness_vllm.processor_kwargs import processor_kwargs
from s3harness_vllm.prompt import ClipMedia, conversation, media_data, response, sampling_params

if TYPE_CHECKING:
    from vllm.outputs import RequestOutput
    from vllm.v1.engine.async_llm import AsyncLLM

MAX_CACHED_CLIPS = 256
"""The most clips whose media this process takes the engine to have in its cache.

More than the engine's cache holds is harmless: a clip that it has evicted is sent again.
"""


class VllmBackend(s3harness.Backend):
    """Answers by vLLM. A clip's first request carries its frames and sound, its others refer to them by id alone.

    Frames go in as one video with their times, and none is left out. ``-o`` takes any argument of vLLM's
    ``AsyncEngineArgs`` by its name, and those of :class:`~s3harness_vllm.arguments.VllmOptions`.
    """

    # A clip's other requests then find its tokens in the prefix cache (README: 93 % of those that can come from it).
    prime_each_clip = True

    def __init__(self, model: s3harness.ModelCard, options: Mapping[str, object], media: s3harness.MediaStore) -> None:
        super().__init__(model, options, media)
        self.setup = engine_setup(model, options)
        self.limits = s3harness.Limits(self.setup.options.in_flight * self.setup.replicas, self.setup.options.timeout_s)
        self.cached_tokens = 0
        self.prompt_tokens = 0
        self._cached_clips: OrderedDict[str, None] = OrderedDict()
        self._exit_stack = ExitStack()
        self._engine: AsyncLLM | None = None
        self._log: EngineLog | None = None
        self._adapter: Any = None
        self._n_sent = 0
        self._facts: Mapping[str, object] = {}
        self._identity: Mapping[str, object] = {}

    @classmethod
    def missing_requirements(cls) -> Sequence[str]:
        """Return vLLM, or a GPU for it, where it is missing."""
        return missing_requirements()

    async def __aenter__(self) -> Self:
        """Start the engine and report its phases as they begin."""
        self._log = self._exit_stack.enter_context(EngineLog(self.report_status))
        try:
            self._engine = await start_engine(self.setup, self._log)
        except Exception as error:
            # The log is read before the exit stack deletes it.
            with self._exit_stack:
                raise errors.start_error(error, self._log.errors()) from error
        except BaseException:
            # A cancelled start: Python calls no __aexit__ where __aenter__ did not return.
            self._exit_stack.close()
            raise
        self._adapter = lora_request(self.setup.options.adapter)
        self._facts = _facts(self._engine, self.setup)
        config = self._engine.vllm_config.model_config.hf_config
        self._identity = _identity(self.model, self._facts, config)
        durations = self._log.ready()
        phases = ", ".join(f"{phase} {seconds:.0f} s" for phase, seconds in durations.items())
        self.report_status("asking")
        self.add_note(f"vLLM started in {sum(durations.values()):.0f} s: {phases}")
        return self

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
        output = await self.complete(request)
        self.prompt_tokens += len(output.prompt_token_ids or ())
        self.cached_tokens += output.num_cached_tokens or 0
        return response(request, output)

    async def complete(self, request: s3harness.Request) -> RequestOutput:
        """The engine's output for one request. Media that the engine has in its cache are not sent again."""
        clip_media = self._clip_media(request.clip)
        if self.setup.has_media_cache and clip_media.key in self._cached_clips:
            try:
                return await self._send(request, clip_media, {modality: [None] for modality in clip_media.ids})
            except Exception as error:
                if not errors.is_media_evicted(error):
                    raise
                self._cached_clips.pop(clip_media.key, None)
        data = await asyncio.to_thread(media_data, request, clip_media, self.media) if clip_media.ids else {}
        output = await self._send(request, clip_media, data)
        self._mark_cached(clip_media.key)
        return output

    def _clip_media(self, clip: s3harness.Clip) -> ClipMedia:
        video = bool(clip.timestamps) and "video" in self.model.modalities
        audio = self.model.hears() and not clip.is_text_only and self.media.has_audio(clip)
        return ClipMedia(self.media.key(clip) if video or audio else "", video, audio)

    async def _send(
        self, request: s3harness.Request, clip_media: ClipMedia, data: Mapping[str, list[Any]]
    ) -> RequestOutput:
        assert self._engine is not None
        self._n_sent += 1
        options = self.setup.options
        params = sampling_params(request, structured=options.structured, logprobs=options.logprobs)
        try:
            outputs = self._engine.generate(
                await self._render(self._engine, request, clip_media, data),
                params,
                # The number keeps ids apart: an earlier attempt of a retried request may still be under way.
                f"{request.id}-{self._n_sent}",
                lora_request=self._adapter,
                data_parallel_rank=self._replica(clip_media.key),
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

        messages = conversation(request, clip_media, text_first=self.model.prompt_placement == "text_first")
        template = {"add_generation_prompt": True, "continue_final_message": False}
        kwargs = processor_kwargs(request.clip, engine.renderer.get_mm_processor().info) if clip_media.video else {}
        extras = {"multi_modal_data": dict(data), "mm_processor_kwargs": kwargs}
        _, (prompt,) = await engine.renderer.render_chat_async(
            [messages], ChatParams(chat_template_kwargs=template), prompt_extras=extras if clip_media.ids else None
        )
        return prompt

    def _replica(self, key: str) -> int | None:
        """The data-parallel rank for a clip; ``None`` leaves the choice to vLLM."""
        # By the clip's hash, so that all of its requests reach the replica that has the clip in its cache.
        return int(key[:8], 16) % self.setup.replicas if key and self.setup.replicas > 1 else None

    def _mark_cached(self, key: str) -> None:
        if key:
            self._cached_clips[key] = None
            self._cached_clips.move_to_end(key)
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
        "adapter": adapter_id(setup.options.adapter) if setup.options.adapter else "",
        "structured": setup.options.structured,
    }
    return {name: value for name, value in facts.items() if value not in ("", None)}


def _identity(card: s3harness.ModelCard, facts: Mapping[str, object], config: Any) -> dict[str, object]:
    """The facts that determine the answers, with the weights and the hash of their configuration."""
    # Without device and parallelism: a run may be resumed on another machine.
    determining = ("vllm", "revision", "dtype", "quantization", "adapter")
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
