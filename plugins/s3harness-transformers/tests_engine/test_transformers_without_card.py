"""``--model ./DIR`` without a card: known families, one that no code has named, and a model of text alone."""

from __future__ import annotations

import io
import json
import shutil
from contextlib import redirect_stderr, redirect_stdout

import pytest
import transformers
from s3harness_synth.dataset import synthesize
from s3harness_transformers.loading import AUTO_CLASSES
from s3harness_transformers.tiny import FAMILIES

from s3harness.cli import main
from s3harness.specs.derivation.families import FamilyRule, family_rule

SEES, HEARS = {"video"}, {"audio"}
TAKES = {
    "qwen2.5-vl": SEES,
    "qwen3-vl": SEES,
    "internvl3.5": SEES,
    "qwen2.5-omni": SEES | HEARS,
    "qwen3-omni": SEES | HEARS,
    "audio-flamingo": HEARS,
}
STRANGE = "zebra_vl"
# Of the GLM processor of transformers 5.19, with numpy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """One short synthetic video."""
    out = tmp_path_factory.mktemp("data") / "one"
    synthesize(out, videos=1, seed=4, resolution=(96, 64), fps=4, duration_s=12.0)
    return out


@pytest.fixture(scope="module")
def asked(data, tmp_path_factory):
    """A run of one short task on a model that is named by its directory: what it printed, manifest, what was sent."""
    folder = tmp_path_factory.mktemp("runs")

    def run(directory):
        out = folder / directory.name
        words = ["run", "--backend", "transformers", "--model", directory, "--data", data, "--tasks", "1", "--out", out]
        words += ["--cache", folder / "cache", "--sampling", "fps=0.5", "--sampling", "max_pixels=8192"]
        # Tied embeddings leave some answers without an end.
        words += ["--generation", "max_tokens=8"]
        printed = io.StringIO()
        with redirect_stdout(printed), redirect_stderr(printed), pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        assert not ended.value.code, printed.getvalue()
        sent = [json.loads(line) for line in (out / "sent.jsonl").read_text().splitlines()]
        return printed.getvalue(), json.loads((out / "manifest.json").read_text()), sent

    return run


@pytest.fixture
def strange(tiny, tmp_path):
    """The directory of a model whose ``model_type`` nobody has named; its classes are registered with transformers."""

    class ZebraConfig(transformers.Qwen3VLConfig):
        model_type = STRANGE

    class ZebraForConditionalGeneration(transformers.Qwen3VLForConditionalGeneration):
        config_class = ZebraConfig

    transformers.AutoConfig.register(STRANGE, ZebraConfig)
    auto = getattr(transformers, AUTO_CLASSES[0])
    auto.register(ZebraConfig, ZebraForConditionalGeneration)
    directory = shutil.copytree(tiny["qwen3-vl"], tmp_path / "strange")
    config = json.loads((directory / "config.json").read_text())
    config |= {"model_type": STRANGE, "architectures": [ZebraForConditionalGeneration.__name__]}
    (directory / "config.json").write_text(json.dumps(config))
    yield directory
    transformers.models.auto.configuration_auto.CONFIG_MAPPING._extra_content.pop(STRANGE)
    auto._model_mapping._extra_content.pop(ZebraConfig)


def assert_sent(sent, modalities):
    """The records of media hold the frames that were shown with their size, and the seconds of sound."""
    media = [line for line in sent if line["kind"] == "media"]
    assert media
    for line in media:
        assert bool(line["times_s"]) is ("video" in modalities)
        assert line["form"] in (("video", "frames") if "video" in modalities else ("",))
        assert (line["size"] == [96, 64]) is ("video" in modalities)
        assert (line["sound_s"] > 0) is ("audio" in modalities)
    (settings,) = (line["settings"] for line in sent if line["kind"] == "settings")
    assert settings["placement"] == "media, then text" and settings["max_tokens"] == 8


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_runs_from_its_directory(tiny, asked, family):
    _, manifest, sent = asked(tiny[family])
    assert manifest["failed"] == 0 and manifest["requests"] > 0
    card = manifest["run"]["derived"]["card"]
    assert set(card["modalities"]) == TAKES.get(family, SEES)
    assert (card["family"], card["weights"][:6]) == (family, "local:")
    assert card["context_length"] and card["text"] and card["chat_template"]["sha256"]
    assert_sent(sent, TAKES.get(family, SEES))


def test_a_model_type_that_no_code_has_named_runs_too(strange, asked):
    assert family_rule(STRANGE) == FamilyRule()
    _, manifest, _ = asked(strange)
    assert manifest["failed"] == 0 and manifest["requests"] > 0
    card = manifest["run"]["derived"]["card"]
    assert (card["family"], card["modalities"], card["clip_form"]) == ("zebra-vl", ["video"], "video")
    assert card["vision"]["patch_size"] == 16


@pytest.mark.parametrize("family", ["glm-4.6v", "gemma-3"])
def test_a_family_that_no_shipped_card_describes_runs_from_its_directory(tiny, asked, family):
    _, manifest, sent = asked(tiny[family])
    assert manifest["failed"] == 0 and manifest["requests"] > 0
    assert manifest["run"]["derived"]["card"]["modalities"] == ["video"]
    assert_sent(sent, SEES)


def test_a_model_of_text_alone_runs_and_sees_nothing(tiny, asked):
    printed, manifest, sent = asked(tiny["qwen3"])
    assert manifest["failed"] == 0 and manifest["requests"] > 0
    assert "takes text alone" in printed and "takes text alone" in manifest["model_notes"][0]
    assert manifest["run"]["model"]["modalities"] == []
    assert not any(line.get("times_s") or line.get("sound_s") for line in sent)
