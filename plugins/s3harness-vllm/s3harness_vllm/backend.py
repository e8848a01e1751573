"""vLLM in this process's care: one asynchronous engine that every request is put to as it comes."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import s3harness
from s3harness_vllm import failures
from s3harness_vllm.adapters import adapter_id, lora_request
from s3harness_vllm.arguments import Setup, setup
from s3harness_vllm.engine import start, stop
from s3harness_vllm.installed import lacks, vllm_version
from s3harness_vllm.pixels import processor_options
from s3harness_vllm.prompt import Shows, conversation, media_data, response, sampling
from s3harness_vllm.starting import EngineLog

if TYPE_CHECKING:
    from vllm.outputs import RequestOutput
    from vllm.v1.engine.async_llm import AsyncLLM

CLIPS_REMEMBERED = 256
"""Of so many clips it is remembered that the engine has their media."""


class VllmBackend(s3harness.Backend):
    """Asks vLLM. A clip's first request carries its frames and sound, its others their ids alone.

    Frames go in as one video with the times that they were taken at, and none are taken out of them. ``-o`` takes any
    argument of vLLM's ``AsyncEngineArgs`` by its name, and those of :class:`~s3harness_vllm.arguments.Setup`.
    """

    warms_by_clip = True

    def __init__(self, model: s3harness.ModelCard, options: Mapping[str, object], media: s3harness.MediaStore) -> None:
        super().__init__(model, options, media)
        self.setup = setup(model, options)
        self.limits = s3harness.Limits(self.setup.in_flight * self.setup.replicas, self.setup.timeout_s)
        self.cached_tokens = 0
        self.prompt_tokens = 0
        self._has: OrderedDict[str, None] = OrderedDict()
        self._open = ExitStack()
        self._engine: AsyncLLM | None = None
        self._log: EngineLog | None = None
        self._adapter: Any = None
        self._asked = 0
        self._facts: Mapping[str, object] = {}
        self._identity: Mapping[str, object] = {}

    @classmethod
    def lacks(cls) -> Sequence[str]:
        """The engine itself, or a GPU for it."""
        return lacks()

    async def __aenter__(self) -> Self:
        """Start the engine, its phases told as they come."""
        self._log = self._open.enter_context(EngineLog(self.say))
        try:
            self._engine = await start(self.setup, self._log)
        except Exception as error:
            with self._open:
                raise failures.of_start(error, self._log.errors()) from error
        except BaseException:
            self._open.close()
            raise
        self._adapter = lora_request(self.setup.adapter)
        self._facts = _facts(self._engine, self.setup)
        config = self._engine.vllm_config.model_config.hf_config
        self._identity = _identity(self.model, self._facts, config)
        phases = self._log.ready()
        told = ", ".join(f"{phase} {seconds:.0f} s" for phase, seconds in phases.items())
        self.say("asking")
        self.note(f"vLLM started in {sum(phases.values()):.0f} s: {told}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the engine, and say how much of the prompts it did not have to read again."""
        engine, self._engine = self._engine, None
        with self._open:
            if engine is not None:
                await stop(engine)
        if self.prompt_tokens:
            share = self.cached_tokens / self.prompt_tokens
            self.note(f"{share:.0%} of {self.prompt_tokens} prompt tokens came from vLLM's prefix cache")

    def facts(self) -> Mapping[str, object]:
        """Version, device, numbers, adapter, and how the weights are spread."""
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
        """What the engine puts out for one request; media that it has already are not handed over again."""
        shows = self._shows(request.clip)
        if self.setup.holds_media and shows.key in self._has:
            try:
                return await self._ask(request, shows, {modality: [None] for modality in shows.ids})
            except Exception as error:
                if not failures.is_forgotten(error):
                    raise
                self._has.pop(shows.key, None)
        data = await asyncio.to_thread(media_data, request, shows, self.media) if shows.ids else {}
        output = await self._ask(request, shows, data)
        self._remember(shows.key)
        return output

    def _shows(self, clip: s3harness.Clip) -> Shows:
        seen = bool(clip.timestamps) and "video" in self.model.modalities
        heard = self.model.hears() and not clip.is_text_only and self.media.has_audio(clip)
        return Shows(self.media.key(clip) if seen or heard else "", seen, heard)

    async def _ask(self, request: s3harness.Request, shows: Shows, data: Mapping[str, list[Any]]) -> RequestOutput:
        assert self._engine is not None
        self._asked += 1
        params = sampling(request, structured=self.setup.structured, logprobs=self.setup.logprobs)
        try:
            outputs = self._engine.generate(
                await self._prompt(self._engine, request, shows, data),
                params,
                f"{request.id}-{self._asked}",
                lora_request=self._adapter,
                data_parallel_rank=self._replica(shows.key),
            )
            return _whole([output async for output in outputs])
        except Exception as error:
            named = failures.of_request(error, self._log.errors() if self._log else ())
            if named is error:
                raise
            raise named from error

    async def _prompt(
        self, engine: AsyncLLM, request: s3harness.Request, shows: Shows, data: Mapping[str, list[Any]]
    ) -> Any:
        """The request by the model's own chat template, tokens and media together."""
        from vllm.renderers.params import ChatParams

        messages = conversation(request, shows, text_first=self.model.prompt_placement == "text_first")
        template = {"add_generation_prompt": True, "continue_final_message": False}
        told = processor_options(request.clip, engine.renderer.get_mm_processor().info) if shows.video else {}
        extras = {"multi_modal_data": dict(data), "mm_processor_kwargs": told}
        _, (prompt,) = await engine.renderer.render_chat_async(
            [messages], ChatParams(chat_template_kwargs=template), prompt_extras=extras if shows.ids else None
        )
        return prompt

    def _replica(self, key: str) -> int | None:
        """The engine that has the clip in its cache, where several share the work."""
        return int(key[:8], 16) % self.setup.replicas if key and self.setup.replicas > 1 else None

    def _remember(self, key: str) -> None:
        if key:
            self._has[key] = None
            self._has.move_to_end(key)
        if len(self._has) > CLIPS_REMEMBERED:
            self._has.popitem(last=False)


def _facts(engine: AsyncLLM, chosen: Setup) -> dict[str, object]:
    """What the engine turned out to be."""
    from vllm.platforms import current_platform

    model, spread = engine.vllm_config.model_config, engine.vllm_config.parallel_config
    found = {
        "vllm": vllm_version(),
        "revision": str(getattr(model.hf_config, "_commit_hash", None) or ""),
        "device": current_platform.get_device_name(),
        "dtype": str(model.dtype).removeprefix("torch."),
        "quantization": model.quantization,
        "max_model_len": model.max_model_len,
        "tensor_parallel_size": spread.tensor_parallel_size,
        "pipeline_parallel_size": spread.pipeline_parallel_size,
        "data_parallel_size": spread.data_parallel_size,
        "adapter": adapter_id(chosen.adapter) if chosen.adapter else "",
        "structured": chosen.structured,
    }
    return {name: value for name, value in found.items() if value not in ("", None)}


def _identity(card: s3harness.ModelCard, facts: Mapping[str, object], config: Any) -> dict[str, object]:
    """Who answers, of what the engine turned out to be."""
    determining = ("vllm", "revision", "dtype", "quantization", "adapter")
    told = {name: facts[name] for name in determining if name in facts}
    return {
        "weights": card.weights_id or card.weights,
        "config_sha256": s3harness.config_hash(config.to_dict()),
        **told,
    }


def _whole(outputs: Sequence[RequestOutput]) -> RequestOutput:
    """The one output of a request that was answered to its end."""
    if not outputs or outputs[-1].outputs[0].finish_reason not in ("stop", "length"):
        raise s3harness.RetryableError("vLLM gave up on the request")
    return outputs[-1]
