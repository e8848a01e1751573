"""The plan of a training: memory of one GPU by what it holds, hours, and the configuration for accelerate launch.

Bytes of activations are those that PyTorch keeps of a layer of the Llama kind with fused attention, counted as
Korthikanti et al. count them ("Reducing Activation Recomputation in Large Transformer Models", 2022, section 4).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import s3harness
from s3harness.options import read_options
from s3harness_trl.options import GrpoOptions, SftOptions, TuningOptions
from s3harness_trl.sizes import ModelSizes, empty_model

OWNER = "the trainer"
CONFIGURATIONS = Path(__file__).parent / "accelerate_configs"
STRATEGIES = ("ddp", "fsdp2", "zero2", "zero3")
SHARDED: Mapping[str, frozenset[str]] = {
    "ddp": frozenset(),
    "zero2": frozenset({"gradients", "optimizer"}),
    "zero3": frozenset({"weights", "gradients", "optimizer"}),
    "fsdp2": frozenset({"weights", "gradients", "optimizer"}),
}
"""Strategy → what is spread over the GPUs."""

GIGABYTE = 2**30
UTILISATION = 0.4
"""Share of the peak that matrix products reach, where no throughput is given."""
DECODE_SHARE = 0.6
"""Share of the memory's peak speed at which weights are read for each token that is written."""
RESERVE = 0.08
"""Share of a GPU's memory for CUDA, its kernels' work space and fragmentation."""
CHARACTERS_PER_TOKEN = 4


def configuration(strategy: str) -> Path:
    """Return the file of a strategy for accelerate launch; :class:`s3harness.UsageError` for an unknown one."""
    if strategy not in STRATEGIES:
        raise s3harness.UsageError(f"there is no strategy {strategy!r}; there are {', '.join(STRATEGIES)}")
    return CONFIGURATIONS / f"{strategy}.yaml"


@dataclass(frozen=True, kw_only=True)
class SampleTokens:
    """Tokens of a sample: the mean and the most of its prompt, with its clip, and the mean of its answer."""

    prompt: float
    longest: int
    answer: float


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A request with its options read and the model's sizes."""

    request: s3harness.PlanRequest
    options: TuningOptions
    sizes: ModelSizes
    tokens: SampleTokens

    @property
    def rows(self) -> int:
        """Samples that one GPU computes at once."""
        from s3harness_trl.tuning import samples_at_once

        return samples_at_once(self.options, self.request.gpus)

    @property
    def answer_tokens(self) -> float:
        """The tokens of an answer: the annotators', or of GRPO the most that the model may write."""
        return self.options.max_answer_tokens if self.request.stage == "grpo" else self.tokens.answer

    @property
    def tuned(self) -> int:
        """Weights of the parts that are trained, without towers that are frozen."""
        return self.sizes.weights["language"] + sum(self.sizes.weights.get(tower, 0) for tower in self.towers)

    @property
    def towers(self) -> list[str]:
        """The towers that are trained."""
        tuned = {"vision": self.options.vision, "audio": self.options.audio}
        return [tower for tower, is_tuned in tuned.items() if is_tuned]

    @property
    def trained(self) -> int:
        """Weights that are changed: adapters of all linear layers, or all of the parts that are trained."""
        if not self.options.lora_rank:
            return self.tuned
        return self.options.lora_rank * sum(self.sizes.adapter_widths[part] for part in ("language", *self.towers))

    def shared(self, part: str) -> int:
        """The number of GPUs that a part is spread over."""
        return self.request.gpus if part in SHARDED[self.request.strategy] else 1


def make_plan(request: s3harness.PlanRequest) -> s3harness.TrainingPlan:
    """Return the plan of SFT or GRPO."""
    if request.stage == "warmup":
        raise s3harness.UsageError("a warm-up is for small models and one process; there is nothing to plan")
    file = configuration(request.strategy)
    options_class = GrpoOptions if request.stage == "grpo" else SftOptions
    options = read_options(options_class, OWNER, request.options)
    sizes = empty_model(request.model, request.card, trust_remote_code=options.trust_remote_code)
    job = _Job(request=request, options=options, sizes=sizes, tokens=sample_tokens(request))
    memory = {part: amount / GIGABYTE for part, amount in _memory(job).items()}
    limit = request.gpu.memory_gb * (1 - RESERVE)
    hours, throughput = _hours(job)
    return s3harness.TrainingPlan(
        memory_gb=memory,
        limit_gb=limit,
        hours=hours,
        facts=_facts(job, throughput),
        command=_command(request, file.name),
        files={file.name: _with_gpus(file.read_text(encoding="utf-8"), request.gpus)},
        assumptions=_assumptions(job),
        remedies=_remedies(job) if sum(memory.values()) > limit else (),
    )


def sample_tokens(request: s3harness.PlanRequest) -> SampleTokens:
    """Count the tokens of a training set's samples, by the sizes in the model's card."""
    prompts, answers = [], []
    for sample in request.training_set.samples:
        question = sample.request
        clip = question.clip
        media = s3harness.clip_tokens(
            request.card,
            len(clip.timestamps),
            clip.max_pixels,
            clip.end_s - clip.start_s,
            has_audio=request.card.hears() and clip.audio,
        )
        prompts.append(media + (len(question.prompt) + len(question.system)) // CHARACTERS_PER_TOKEN)
        answers.append(len(sample.target) / CHARACTERS_PER_TOKEN + 1)
    return SampleTokens(prompt=sum(prompts) / len(prompts), longest=max(prompts), answer=sum(answers) / len(answers))


def _memory(job: _Job) -> dict[str, float]:
    """Bytes of one GPU, by what it holds; activations are those of the longest samples."""
    sizes, options, request = job.sizes, job.options, job.request
    weight_bytes = 2 if options.lora_rank else 4
    tokens = job.rows * (job.tokens.longest + job.answer_tokens)
    memory: dict[str, float] = {
        "weights": weight_bytes * sizes.total / job.shared("weights"),
        "gradients": 4 * job.trained / job.shared("gradients"),
        "optimizer": 8 * job.trained / job.shared("optimizer"),
        "activations": _activations(job, tokens),
        # bfloat16 scores of the answers, their float32 copy, and the gradient of that.
        "scores of answers": job.rows * job.answer_tokens * sizes.vocabulary * 10,
    }
    if not options.lora_rank and request.strategy in ("ddp", "zero2"):
        # float32 weights are cast for the matrix products.
        memory["weights in bfloat16"] = 2 * sizes.total
    if "weights" in SHARDED[request.strategy]:
        # One layer is in use while the next one comes.
        memory["gathered layers"] = 2 * weight_bytes * sizes.layer_weights
    if isinstance(options, GrpoOptions):
        memory |= _rollout_memory(job, options, weight_bytes)
    return memory


def layer_activations(sizes: ModelSizes) -> int:
    """Numbers that one layer of the language model keeps of each token for the gradient.

    They are the inputs of two norms and of the projections, queries, keys, values, the output of attention, and of the
    feed-forward layer gate, up, the activated gate and the product.
    """
    return 8 * sizes.hidden + 2 * sizes.kv_width + 4 * sizes.intermediate


def _activations(job: _Job, tokens: float) -> float:
    sizes = job.sizes
    of_layer = 2 * layer_activations(sizes) * tokens
    if job.options.checkpointing(True):
        return 2 * sizes.hidden * tokens * sizes.layers + of_layer
    # Frozen towers keep nothing; tuned ones keep about as much for each of their weights as the language model does.
    towers = sum(sizes.weights.get(tower, 0) for tower in job.towers) / sizes.weights["language"]
    return of_layer * sizes.layers * (1 + towers)


def _rollout_memory(job: _Job, options: GrpoOptions, weight_bytes: int) -> dict[str, float]:
    sizes = job.sizes
    tokens = job.rows * (job.tokens.longest + options.max_answer_tokens)
    memory: dict[str, float] = {}
    if not options.lora_rank and options.beta:
        memory["reference model"] = weight_bytes * sizes.total / job.shared("weights")
    if options.vllm == "colocate":
        memory["vLLM"] = options.vllm_memory * job.request.gpu.memory_gb * GIGABYTE
    else:
        # Answers are written by the model itself: of each token keys and values, and the weights whole if spread.
        memory["keys and values"] = 2 * 2 * sizes.layers * sizes.kv_width * tokens
    return memory


def _hours(job: _Job) -> tuple[float, float]:
    """Return the hours of all steps, and the tokens that a GPU trains on in a second."""
    request, options = job.request, job.options
    of_sample = job.tokens.prompt + job.answer_tokens
    tokens = options.batch_size * of_sample
    throughput = request.tokens_per_s or _training_speed(job)
    seconds = tokens / request.gpus / throughput
    if isinstance(options, GrpoOptions):
        seconds += _rollout_seconds(job, options)
    return options.steps * seconds / 3600, throughput


def _training_speed(job: _Job) -> float:
    """Tokens a second on one GPU, by the operations of a weight and token.

    They are 2 forward, 2 for the gradient of what comes before, 2 more for weights that are trained, and 2 again for
    activations that are computed anew.
    """
    sizes, options = job.sizes, job.options
    operations = 2 + 2 + (0 if options.lora_rank else 2) + (2 if options.checkpointing(True) else 0)
    attention = 2 * 2 * sizes.layers * sizes.hidden * job.tokens.prompt / 2
    of_token = operations * sizes.active + (operations / 2) * attention
    return UTILISATION * job.request.gpu.teraflops * 1e12 / of_token


def _rollout_seconds(job: _Job, options: GrpoOptions) -> float:
    """Seconds in which one GPU writes its answers of a step, and scores them by the first model."""
    gpu, sizes = job.request.gpu, job.sizes
    rows = options.batch_size / job.request.gpus
    prefill = rows * job.tokens.prompt * 2 * sizes.active / (UTILISATION * gpu.teraflops * 1e12)
    reading = 2 * sizes.active / (DECODE_SHARE * gpu.terabytes_per_s * 1e12)
    # Without vLLM the rows of a part are written together, one part after the other.
    rounds = 1 if options.vllm != "off" else max(1.0, rows / job.rows)
    reference = prefill * (1 + job.answer_tokens / job.tokens.prompt) if options.beta else 0.0
    return prefill + rounds * options.max_answer_tokens * reading + reference


def _facts(job: _Job, throughput: float) -> dict[str, object]:
    request, options = job.request, job.options
    samples = len(request.training_set.samples)
    return {
        "weights": dict(job.sizes.weights),
        "trained_weights": job.trained,
        "samples": samples,
        "epochs": round(options.steps * options.batch_size / samples / (getattr(options, "answers", 1)), 2),
        "steps": options.steps,
        "batch": options.batch_size,
        "rows_at_once": job.rows,
        "prompt_tokens": round(job.tokens.prompt),
        "longest_prompt_tokens": job.tokens.longest,
        "answer_tokens": math.ceil(job.answer_tokens),
        "tokens_per_s_and_gpu": round(throughput),
    }


def _assumptions(job: _Job) -> list[str]:
    given = job.request.tokens_per_s
    speed = f"{given:g} tokens a second on each GPU" if given else f"{UTILISATION:.0%} of the peak for matrix products"
    assumptions = [
        "computation in bfloat16, AdamW with float32 states",
        f"{speed}; videos are decoded before",
        f"{RESERVE:.0%} of the memory are left for CUDA",
        "frames of the largest size that the sampling allows",
    ]
    if job.request.stage == "grpo":
        assumptions.append("answers of the greatest length")
    return assumptions


def _remedies(job: _Job) -> list[str]:
    options, request = job.options, job.request
    remedies = []
    if job.rows > 1:
        remedies.append(f"-o accumulate={options.accumulate * 2} (fewer samples at once)")
    if not options.checkpointing(True):
        remedies.append("-o gradient_checkpointing=always")
    if not options.lora_rank:
        remedies.append("-o lora_rank=16 (adapters)")
    if request.strategy in ("ddp", "zero2"):
        remedies.append("--strategy fsdp2 (weights spread over the GPUs)")
    remedies.append("--sampling max_frames=N max_pixels=N (less of each clip)")
    return remedies


def _command(request: s3harness.PlanRequest, name: str) -> str:
    model = str(request.model) if request.model else "DIR"
    options = " ".join(f"-o {key}={str(value).lower()}" for key, value in request.options.items())
    card = f" --card {request.training_set.settings.model}" if request.training_set.settings.model else ""
    return (
        f"accelerate launch --config_file {name} -m s3harness train {request.stage} --model {model}{card} --data DATA "
        f"--out OUT {options}".rstrip()
    )


def _with_gpus(text: str, gpus: int) -> str:
    return text.replace("num_processes: 8", f"num_processes: {gpus}")
