"""The plan of a training: its numbers are those of a real step, and its configurations are accelerate's."""

from __future__ import annotations

import json

import pytest
import torch
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils import DistributedType
from s3harness_transformers.tiny import tiny_model
from s3harness_trl.loading import load_parts
from s3harness_trl.options import GrpoOptions, SftOptions
from s3harness_trl.plan import STRATEGIES, configuration, layer_activations
from s3harness_trl.rollouts import rollout_arguments
from s3harness_trl.sizes import empty_model, sizes_of
from s3harness_trl.tuning import lora_config
from training_commands import s3harness

from benchmarks.gpu.large_models import save_checkpoint
from s3harness.specs.models import load_model

OF_GPUS = {
    "ddp": DistributedType.MULTI_GPU,
    "fsdp2": DistributedType.FSDP,
    "zero2": DistributedType.DEEPSPEED,
    "zero3": DistributedType.DEEPSPEED,
}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """The configuration of Qwen2.5-Omni-7B, without weights."""
    return save_checkpoint("qwen2.5-omni-7b", tmp_path_factory.mktemp("large"), tiny=False)


@pytest.fixture(scope="module")
def plan(data, large):
    """The plan of a training on 8 H100, as JSON, with its exit code."""

    def of(more):
        words = f"train plan --model {large} --card qwen2.5-omni-7b --data {data} --split train --leave-out-constant "
        words += "--protocol paper --tasks 1,3 --json "
        code, printed = s3harness((words + more).split())
        # Libraries may print warnings before.
        return code, json.loads(printed[printed.index("{") :]) if code < 2 else printed

    return of


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_accelerate_takes_the_configurations(strategy):
    file = configuration(strategy)
    loaded = load_config_from_file(str(file))
    assert loaded.distributed_type == OF_GPUS[strategy] and loaded.mixed_precision == "bf16"
    arguments = launch_command_parser().parse_args(["--config_file", str(file), "-m", "s3harness", "train", "sft"])
    validated, _, _ = _validate_launch_command(arguments)
    assert validated.num_processes == 8
    assert validated.use_fsdp == (strategy == "fsdp2") and validated.use_deepspeed == strategy.startswith("zero")
    if strategy == "fsdp2":
        assert str(validated.fsdp_version) == "2"
    if strategy.startswith("zero"):
        assert str(validated.zero_stage) == strategy[-1]


def test_weights_adapters_and_activations_are_those_of_a_real_model(tmp_path):
    parts = load_parts(tiny_model("qwen2.5-omni", tmp_path / "tiny"))
    sizes = empty_model(tmp_path / "tiny", load_model("qwen2.5-omni-7b"))
    assert sizes == sizes_of(parts.model)
    assert sizes.total == sum(weight.numel() for weight in parts.model.parameters())
    layer = parts.model.get_decoder().layers[0]
    kept = {}

    def keep(tensor):
        if not isinstance(tensor, torch.nn.Parameter):
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    states = torch.randn(1, 200, sizes.hidden, requires_grad=True)
    positions = torch.arange(200).view(1, 1, -1).expand(3, 1, -1)
    rope = parts.model.get_decoder().rotary_emb(states, positions)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        layer(states, position_embeddings=rope, position_ids=positions[0])
    assert sum(kept.values()) / 4 / 200 == pytest.approx(layer_activations(sizes), rel=0.4)

    from peft import get_peft_model

    adapted = get_peft_model(parts.model, lora_config(parts, SftOptions(lora_rank=4)))
    trained = sum(weight.numel() for weight in adapted.parameters() if weight.requires_grad)
    assert trained == 4 * sum(sizes.adapter_widths.values())


def test_a_plan_of_seven_billion_weights_on_eight_gpus(plan):
    """By hand: 7.6 + 0.7 + 0.6 billion weights in float32, two states of AdamW, spread over eight."""
    code, whole = plan("-o lora_rank=0 -o batch_size=8 --strategy fsdp2")
    assert code == 0 and whole["fits"]
    assert sum(whole["facts"]["weights"].values()) == pytest.approx(8.93e9, rel=0.01)
    assert whole["memory_gb"]["weights"] == pytest.approx(8.93e9 * 4 / 8 / 2**30, rel=0.01)
    assert whole["memory_gb"]["optimizer"] == pytest.approx(2 * whole["memory_gb"]["gradients"])
    assert whole["hours"] > 0 and "fsdp_version: 2" in whole["files"]["fsdp2.yaml"]
    assert "accelerate launch --config_file fsdp2.yaml" in whole["command"]
    code, copies = plan("-o lora_rank=0 -o batch_size=8 --strategy ddp")
    assert code == 1 and not copies["fits"] and any("fsdp2" in remedy for remedy in copies["remedies"])
    assert copies["memory_gb"]["weights"] == pytest.approx(8 * whole["memory_gb"]["weights"])
    code, adapters = plan("-o lora_rank=16 -o batch_size=8 --strategy ddp")
    assert code == 0 and adapters["memory_gb"]["weights"] == pytest.approx(8.93e9 * 2 / 2**30, rel=0.01)
    assert adapters["facts"]["trained_weights"] < 1e8
    _, two = plan("-o lora_rank=0 -o batch_size=8 --strategy zero2")
    assert two["memory_gb"]["optimizer"] == whole["memory_gb"]["optimizer"]
    assert two["memory_gb"]["weights"] == copies["memory_gb"]["weights"]
    _, kept = plan("-o lora_rank=0 -o batch_size=8 -o gradient_checkpointing=never")
    assert kept["memory_gb"]["activations"] > 3 * whole["memory_gb"]["activations"]
    _, slow = plan("-o lora_rank=0 -o batch_size=8 --tokens-per-s 100")
    facts = slow["facts"]
    tokens = facts["batch"] * facts["steps"] * (facts["prompt_tokens"] + facts["answer_tokens"])
    assert slow["hours"] == pytest.approx(tokens / 8 / 100 / 3600, rel=0.01)


def test_a_plan_of_reinforcement_learning_has_its_answers_and_reference_model(plan):
    _, planned = plan("--stage grpo -o lora_rank=0 -o batch_size=64 -o answers=8 -o accumulate=8 --gpu h200")
    assert {"reference model", "keys and values"} <= planned["memory_gb"].keys()
    _, adapters = plan("--stage grpo -o batch_size=64 -o answers=8 -o accumulate=8 --gpu h200")
    assert "reference model" not in adapters["memory_gb"]
    _, colocated = plan("--stage grpo -o batch_size=64 -o answers=8 -o accumulate=8 -o vllm=colocate --gpu h200")
    assert colocated["memory_gb"]["vLLM"] == pytest.approx(0.3 * 141)
    assert colocated["hours"] < planned["hours"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("--strategy zero9", "there are ddp"),
        ("--gpu k80", "there are a100"),
        ("-o batch_size=9", "cannot be divided"),
        ("--stage grpo -o vllm=sometimes", "colocate"),
    ],
)
def test_a_wrong_plan_is_named(plan, more, why):
    code, printed = plan(more)
    assert code == 2 and why in printed


@pytest.mark.parametrize("family", ["qwen3-vl", "qwen2.5-omni"])
def test_no_answer_may_have_tokens_of_media(family, tmp_path):
    config = load_parts(tiny_model(family, tmp_path / "tiny")).model.config
    arguments = rollout_arguments(GrpoOptions(generation_batch=64), config)
    assert arguments["generation_batch_size"] == 64
    suppressed = arguments["generation_kwargs"]["suppress_tokens"]
    # Qwen2.5-Omni's configuration has other names of its own for these.
    assert {config.video_token_id, config.image_token_id} < {*suppressed, None}
    starts = {config.vision_start_token_id, getattr(config, "audio_start_token_id", None)}
    assert starts <= {*suppressed, None}
