"""Configuration files of strangers: what is wrong with them is an error of the call that names file and field."""

from __future__ import annotations

import pytest

from s3harness import UsageError
from s3harness.specs.derivation import checkpoint
from s3harness.specs.derivation.checkpoint import read_checkpoint
from s3harness.specs.derivation.derive import derive
from tests.specs.released_configs import RELEASED, write_files

QWEN = RELEASED["Qwen3-VL-8B-Instruct"]
CONFIG = QWEN["config.json"]


def with_config(**changes):
    return dict(QWEN) | {"config.json": {**CONFIG, **changes}}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"config.json": "{"}, r"config\.json of the model is not valid JSON"),
        ({"config.json": "[" * 100_000 + "]" * 100_000}, r"config\.json of the model is not valid JSON: .*nest"),
        ({"config.json": "[1]"}, r"config\.json of the model: a mapping of fields is expected, not list"),
        ({"config.json": '{"model_type": 1' + "0" * 400 + "}"}, r"config\.json of the model is not valid JSON"),
        ({"config.json": "\x00\x01\x02"}, r"config\.json of the model is not valid JSON"),
        ({"preprocessor_config.json": "{}"}, r"there is no config\.json"),
        (with_config(model_type=None), r"config\.json: model_type: None is not the name"),
        (
            with_config(model_type="../../etc/passwd"),
            r"config\.json: model_type: '\.\./\.\./etc/passwd' is not the name",
        ),
        (with_config(model_type="a\x1b[31mb\n"), r"config\.json: model_type: 'a\\x1b\[31mb\\n' is not"),
        (with_config(model_type="x" * 100_000), r"config\.json: model_type: 'x+… is not"),
        (with_config(architectures=["/bin/sh -c rm"]), r"config\.json: architectures: .* is not a list"),
        (with_config(architectures=[]), r"config\.json: architectures: \[\] is not a list"),
        (with_config(text_config=[1, 2]), r"config\.json: text_config: \[1, 2\] is not a mapping"),
        (with_config(vision_config="large"), r"config\.json: vision_config: 'large' is not a mapping"),
        (
            with_config(text_config={"max_position_embeddings": True}),
            r"config\.json: text_config\.max_position_embeddings: True is not a whole number",
        ),
        (with_config(text_config={"max_position_embeddings": float("nan")}), "max_position_embeddings: nan is not"),
        (with_config(text_config={"max_position_embeddings": 10**18}), "max_position_embeddings: 10{18} is not"),
        (with_config(text_config={"num_hidden_layers": -1}), r"num_hidden_layers: -1 is not a whole number"),
        (
            dict(QWEN) | {"video_preprocessor_config.json": {"merge_size": 2, "patch_size": "16"}},
            r"video_preprocessor_config\.json: patch_size: '16' is not a number of pixels",
        ),
        (
            dict(QWEN) | {"preprocessor_config.json": {"merge_size": 2, "size": {"shortest_edge": -5}}},
            r"preprocessor_config\.json: size: .* is not a pair of numbers",
        ),
        (dict(QWEN) | {"generation_config.json": {"temperature": float("inf")}}, r"temperature: inf is not a number"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, files, message):
    with pytest.raises(UsageError, match=message) as caught:
        derive(read_checkpoint(write_files(files, tmp_path)))
    assert len(str(caught.value)) < 1000
    assert "\x1b" not in str(caught.value)


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "MAX_BYTES", 1000)
    write_files(with_config(padding="x" * 1000), tmp_path)
    with pytest.raises(UsageError, match=r"config\.json of the model has \d+ bytes; at most 1000 are read"):
        read_checkpoint(tmp_path)


def test_fields_that_no_card_needs_may_be_anything(tmp_path):
    strange = with_config(auto_map={"AutoConfig": "../../evil.py--x"}, nonsense=[float("nan"), {"a": None}])
    assert derive(read_checkpoint(write_files(strange, tmp_path))).card.context_length == 262144


def test_a_template_that_is_nested_without_end_costs_its_facts_alone(tmp_path):
    files = dict(QWEN) | {"chat_template.jinja": "{{ " + "(" * 20_000 + " }}"}
    derived = derive(read_checkpoint(write_files(files, tmp_path)))
    assert any("cannot be parsed" in note for note in derived.notes)
