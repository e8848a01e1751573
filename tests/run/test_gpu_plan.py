"""The plan of GPU memory says what fits before anything is loaded."""

import pytest

from s3harness.errors import UsageError
from s3harness.run.gpu_plan import Gpus, gpu_plan, read_gpus
from s3harness.specs.models import ModelCard, load_model


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80GB", (80, 1)),
        ("80", (80, 1)),
        ("80GB×2", (80, 2)),
        ("80GBx2", (80, 2)),
        ("2x80GB", (80, 2)),
        ("8 × 141 GB", (141, 8)),
        ("23.5gb*4", (23.5, 4)),
    ],
)
def test_gpus_are_read(text, expected):
    assert read_gpus(text) == expected


@pytest.mark.parametrize("text", ["", "two", "2x80x2", "0GB", "0x80GB", "80GB x", "-80GB"])
def test_what_is_no_gpu_is_refused(text):
    with pytest.raises(UsageError, match="80GBx2"):
        read_gpus(text)


def plan(name, gpus, longest=20_000, **options):
    model = load_model(name)
    context = options.get("max_model_len") or model.engines["vllm"]["max_model_len"]
    return gpu_plan(model, "vllm", options, read_gpus(gpus), longest=longest, context=context)


def test_a_model_of_32b_does_not_fit_one_gpu_of_80_gb_at_its_default_context():
    planned = plan("qwen2.5-vl-32b", "80GB")
    assert planned.tensor_parallel == 1
    # 33.5e9 parameters of 2 bytes
    assert planned.weights_gib == pytest.approx(62.4, abs=0.1)
    assert "fewer than the context of 65,536" in planned.problem
    assert "-o max_model_len=" in planned.remedy and "fp8" in planned.remedy


@pytest.mark.parametrize(
    ("name", "gpus", "fits"),
    [
        ("qwen2.5-vl-32b", "80GBx2", True),
        ("qwen2.5-vl-7b", "80GB", True),
        ("qwen2.5-vl-7b", "24GB", False),
        ("qwen2.5-vl-72b", "80GBx2", False),
        ("qwen2.5-vl-72b", "80GBx4", True),
        ("qwen3-omni-30b-a3b", "80GBx2", True),
        ("audio-flamingo-3", "40GB", True),
    ],
)
def test_known_cases(name, gpus, fits):
    assert (not plan(name, gpus).problem) == fits


def test_a_token_in_the_cache_takes_keys_and_values_of_all_layers():
    one, two = plan("qwen3-vl-8b", "80GB"), plan("qwen3-vl-8b", "80GBx2", tensor_parallel_size=2)
    # 2 × 36 layers × 8 heads × 128 numbers × 2 bytes
    assert one.cache_tokens == int(one.cache_gib * 2**30 / 147_456)
    assert two.cache_tokens == int(two.cache_gib * 2**30 / 73_728)
    assert two.replicas == 1 and plan("qwen3-vl-8b", "80GBx2").replicas == 2
    assert one.at_once == one.cache_tokens // 20_000


def test_the_remedies_work():
    planned = plan("qwen2.5-vl-32b", "80GB")
    smaller = int(planned.remedy.partition("max_model_len=")[2].partition(" ")[0])
    assert not plan("qwen2.5-vl-32b", "80GB", max_model_len=smaller).problem
    assert not plan("qwen2.5-vl-32b", "80GB", quantization="fp8").problem
    wider = plan("qwen2.5-vl-32b", "80GBx4", tensor_parallel_size=1)
    assert "-o tensor_parallel_size=2" in wider.remedy


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tensor_parallel_size": 3}, "does not divide the 28 attention heads .* 1, 2, 4, 7"),
        ({"tensor_parallel_size": 14}, "needs more GPUs than the 8"),
    ],
)
def test_a_wrong_tensor_parallel_size_is_refused(options, words):
    with pytest.raises(UsageError, match=words):
        plan("qwen2.5-vl-7b", "80GBx8", **options)


def test_a_server_has_the_number_of_gpus_of_the_cards_engine():
    model = load_model("qwen3-omni-30b-a3b")
    served = gpu_plan(model, "openai", {}, Gpus(80, 2), longest=20_000, context=65_536)
    assert served.tensor_parallel == 2 and not served.problem


def test_a_card_without_sizes_has_no_plan():
    with pytest.raises(UsageError, match="states no parameters"):
        gpu_plan(ModelCard("any"), "vllm", {}, Gpus(80, 1), longest=1, context=None)
