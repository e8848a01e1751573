"""Weights in a directory: a run knows them by what they are, wherever they are."""

from __future__ import annotations

import json
import shutil

import pytest

from s3harness import UsageError
from s3harness.cli import main
from s3harness.rundir.manifest import RunIdentity
from s3harness.specs.models import load_model
from s3harness.specs.weights import WHOLE_BYTES, weights_id, with_weights


@pytest.fixture
def weights(tmp_path):
    """A directory with a configuration and a large file."""
    directory = tmp_path / "weights"
    directory.mkdir()
    (directory / "config.json").write_text('{"hidden_size": 8}')
    (directory / "model.safetensors").write_bytes(bytes(range(256)) * (WHOLE_BYTES // 64))
    return directory


def test_the_same_weights_elsewhere_are_the_same(weights, tmp_path):
    there = shutil.copytree(weights, tmp_path / "elsewhere" / "copy")
    assert weights_id(there) == weights_id(weights)


@pytest.mark.parametrize("place", [0, 0.5, 0.9999999])
def test_other_weights_of_the_same_shape_are_others(weights, place):
    before = weights_id(weights)
    path = weights / "model.safetensors"
    data = bytearray(path.read_bytes())
    first = int(place * len(data))
    data[first : first + len(data) // 32] = bytes(len(data[first : first + len(data) // 32]))
    path.write_bytes(data)
    assert weights_id(weights) != before


def test_another_configuration_is_another_model(weights):
    before = weights_id(weights)
    (weights / "config.json").write_text('{"hidden_size": 9}')
    assert weights_id(weights) != before


def test_the_manifest_has_their_id_and_not_their_place(weights):
    model = with_weights(load_model("qwen3-vl-8b"), weights)
    told = RunIdentity(
        backend="floors",
        options={},
        model=model,
        protocol="strict",
        specs={},
        tasks=(),
        dataset={},
        split=None,
        limit=None,
    ).as_json()
    assert told["model"]["weights"] == weights_id(weights)
    assert str(weights) not in json.dumps(told)
    assert model.weights == str(weights)


def test_a_directory_without_a_model_is_an_error_of_the_call(tmp_path):
    with pytest.raises(UsageError, match=r"config\.json"):
        with_weights(load_model("qwen3-vl-8b"), tmp_path)


def test_weights_without_a_model_are_an_error_of_the_call(weights, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["run", "--backend", "oracle", "--data", str(tmp_path), "--weights", str(weights)])
    assert ended.value.code == 2
    assert "--model" in capsys.readouterr().err
