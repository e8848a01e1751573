"""Answers by a vLLM in the training process, shown the clips of the training, with the model's present weights.

TRL's own prompts for vLLM hold images alone, so those of this module are the vLLM backend's: video and sound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from s3harness_vllm.arguments import engine_setup
from s3harness_vllm.processor_kwargs import processor_kwargs
from s3harness_vllm.prompt import load_media
from trl.generation.vllm_generation import VLLMGeneration, extract_logprobs

import s3harness
from s3harness_trl.encoding import SampleEncoder
from s3harness_trl.loading import name_prefix
from s3harness_trl.parts import base_of
from s3harness_trl.rollouts import media_token_ids

BATCHED_TOKENS = 4096
"""Tokens that vLLM computes at once, as TRL sets it: its profile of the memory goes by them."""
UNREACHABLE = -100.0
"""Bias on the logits of tokens that no answer may have."""


class ClipRollouts(VLLMGeneration):  # type: ignore[misc]
    """TRL's colocated vLLM, for the samples that ``samples`` returns in the order of the prompts."""

    def __init__(
        self,
        *,
        card: s3harness.ModelCard,
        weights: Path,
        encoder: SampleEncoder,
        samples: Callable[[], Sequence[s3harness.Sample]],
        trainer: Any,
    ) -> None:
        self._encoder, self._samples = encoder, samples
        self._card = replace(card, weights=str(weights), revision=None)
        model, arguments = base_of(trainer.accelerator.unwrap_model(trainer.model)), trainer.args
        self._prefix = name_prefix(model, weights)
        super().__init__(
            model=trainer.model,
            accelerator=trainer.accelerator,
            processing_class=trainer.processing_class,
            gpu_memory_utilization=arguments.vllm_gpu_memory_utilization,
            max_num_seqs=arguments.per_device_train_batch_size * arguments.steps_per_generation,
            temperature=trainer.temperature,
            max_completion_length=trainer.max_completion_length,
            generation_kwargs={"logit_bias": dict.fromkeys(media_token_ids(model.config), UNREACHABLE)},
        )

    def _init_vllm(self) -> None:
        """Start the engine of an evaluation, in this process."""
        import os

        from trl.trainer.utils import ensure_master_addr_port
        from vllm import LLM

        # vLLM reads its place among the processes here.
        os.environ["RANK"] = str(self.accelerator.process_index)
        os.environ["LOCAL_RANK"] = str(self.accelerator.local_process_index)
        os.environ["WORLD_SIZE"] = str(self.accelerator.num_processes)
        ensure_master_addr_port()
        setup = engine_setup(
            self._card,
            {
                "gpu_memory_utilization": self.gpu_memory_utilization,
                "max_num_seqs": self.max_num_seqs,
                "max_num_batched_tokens": BATCHED_TOKENS,
                "tensor_parallel_size": 1,
                "distributed_executor_backend": "external_launcher",
                "seed": self.accelerator.process_index,
                # After temperature and bias: the probabilities that the correction of importance weights needs.
                "logprobs_mode": "processed_logprobs",
                "dtype": str(self.model.dtype).removeprefix("torch."),
            },
        )
        self.llm = LLM(**setup.engine)
        self.accelerator.wait_for_everyone()

    def sync_weights(self) -> None:
        """Give vLLM the present weights, and clear what it computed with others."""
        # Not one by one, as TRL does: vLLM has packed some for its kernels, and reloads them all or none.
        self.llm.collective_rpc("reload_weights", kwargs={"weights_iterator": self._iter_named_params()})
        self.llm.reset_prefix_cache()
        # The towers' outputs for a clip are kept by its content, and would outlive the weights that made them.
        self.llm.llm_engine.reset_encoder_cache()

    def generate(
        self, prompts: Sequence[Sequence[int]], images: object, num_generations: int, profiler: Any = None
    ) -> tuple[Any, ...]:
        """Return prompts, answers, log-probabilities and their tokens, one row for each prompt.

        Raises :class:`s3harness.S3HarnessError` if vLLM makes other tokens of a clip than the training.
        """
        from vllm import SamplingParams

        sampling = SamplingParams(
            n=1,
            temperature=self.temperature,
            max_tokens=self.max_completion_length,
            logprobs=self.logprobs,
            **self.generation_kwargs,
        )
        samples = self._samples()
        # Answers of a group are to one sample, whose clip is loaded once.
        distinct = {id(sample): self._row(sample) for sample in samples}
        rows = [distinct[id(sample)] for sample in samples]
        with profiler or nullcontext():
            outputs = self.llm.generate(rows, sampling_params=sampling, use_tqdm=False)
        for ids, output in zip(prompts, outputs, strict=True):
            if list(output.prompt_token_ids) != list(ids):
                raise s3harness.S3HarnessError(
                    f"vLLM made {len(output.prompt_token_ids)} tokens of a prompt that has {len(ids)} in training, so "
                    "that its answers would be to something else; leave -o vllm off"
                )
        answers = [output.outputs[0].token_ids for output in outputs]
        return (prompts, answers, *extract_logprobs(outputs))

    def _row(self, sample: s3harness.Sample) -> Mapping[str, Any]:
        request = self._encoder.shown(sample)
        media, data = load_media(request.clip, self._card, self._encoder.media)
        has_frames, has_audio = bool(media.times_s), media.sound_s > 0
        messages = s3harness.conversation(request, self._card, frame_times_s=media.times_s, has_audio=has_audio)
        row = {"prompt": self._encoder.prompt(request, messages), "multi_modal_data": data}
        if not has_frames or media.as_images:
            return row
        info = self.llm.llm_engine.renderer.get_mm_processor().info
        in_video = s3harness.audio_is_in_video(self._card, has_frames=has_frames, has_audio=has_audio)
        flags = {"use_audio_in_video": True} if in_video else {}
        return {**row, "mm_processor_kwargs": {**processor_kwargs(request.clip, info), **flags}}

    def _iter_named_params(self) -> Iterator[tuple[str, Any]]:
        """Yield name and value of each weight, by the names of the checkpoint of which the model is a part."""
        for name, weight in super()._iter_named_params():
            yield self._prefix + name, weight
