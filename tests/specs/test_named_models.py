"""What --model may name, and how it goes on from there: cards of one's own, directories, the hub, a server's name."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from s3harness import UsageError
from s3harness.cli import main
from s3harness.specs.models import load_model
from s3harness.specs.resolution import resolve_model
from tests.specs.hub_cache import hub, put_into_cache
from tests.specs.released_configs import RELEASED, write_files, write_released

FIRST, SECOND = "a" * 40, "b" * 40
NAME = "zoo/zebra-7b"
FILES = RELEASED["a model of next week"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A hub's cache and a configuration folder of this test's own, without a network."""
    monkeypatch.setenv("S3HARNESS_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path / "cache"


def s3harness(*words: object) -> tuple[int, str, str]:
    """The command, in this process: exit code, output and errors."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(ended.value.code or 0), out.getvalue(), err.getvalue()


def run(dataset: Path, out: Path, model: object, *words: object) -> tuple[int, str, dict]:
    """A run of the floors for a model: exit code, errors, manifest."""
    options = ("--data", dataset, "--out", out, "--tasks", "3", "--limit", "2", *words)
    code, _, err = s3harness("run", "--backend", "floors", "--model", model, *options)
    manifest = out / "manifest.json"
    return code, err, json.loads(manifest.read_text()) if manifest.exists() else {}


def test_the_derived_card_stands_whole_in_the_manifest_without_its_path(dataset, tmp_path):
    model = write_released("Qwen3-VL-8B-Instruct", tmp_path / "secret-folder")
    code, err, manifest = run(dataset, tmp_path / "run", model)
    assert code == 0, err
    derived = manifest["run"]["derived"]
    assert derived["card"]["vision"]["clip_pixels"] == [4096, 25165824]
    assert derived["card"]["context_length"] == 262144
    assert derived["sources"]["vision.clip_pixels"] == "video_preprocessor_config: size"
    assert derived["card"]["weights"] == manifest["run"]["model"]["weights"]
    assert manifest["run"]["model"]["weights"].startswith("local:")
    assert "secret-folder" not in json.dumps(manifest)


def test_a_model_of_text_alone_is_shown_nothing_and_the_run_says_so(dataset, tmp_path):
    model = write_released("Qwen3-8B", tmp_path / "text")
    code, err, manifest = run(dataset, tmp_path / "run", model)
    assert code == 0, err
    assert "model: the model takes text alone" in err
    assert manifest["run"]["model"]["modalities"] == []
    assert "takes text alone" in manifest["model_notes"][0]
    lines = [json.loads(line) for line in (tmp_path / "run" / "sent.jsonl").read_text().splitlines()]
    assert not [line for line in lines if line.get("wanted_s") or line.get("sound")]
    assert list((tmp_path / "run" / "responses.jsonl").read_text().splitlines())


def test_a_model_on_the_hub_is_pinned_to_its_commit_and_a_moved_one_is_noticed(dataset, tmp_path, cache):
    put_into_cache(cache, NAME, FIRST, FILES)
    code, err, manifest = run(dataset, tmp_path / "run", NAME)
    assert code == 0, err
    assert f"{NAME} is not pinned: main of {NAME} is {FIRST}" in err
    assert manifest["run"]["model"]["revision"] == FIRST
    assert manifest["run"]["model"]["name"] == NAME.replace("/", "--")
    pack = ("submit", "pack", tmp_path / "run", "--data", dataset, "--out", tmp_path / "packed", "--without-truth")
    code, _, err = s3harness(*pack)
    assert code == 0, err

    put_into_cache(cache, NAME, SECOND, FILES)
    code, err, _ = run(dataset, tmp_path / "run", NAME, "--resume")
    assert code == 2
    assert f"continue with the weights of this run: --model {NAME}@{FIRST}" in err

    code, err, manifest = run(dataset, tmp_path / "run", f"{NAME}@{FIRST}", "--resume")
    assert code == 0, err
    assert "not pinned" not in err
    assert manifest["run"]["model"]["revision"] == FIRST


def test_a_card_without_a_commit_gets_that_of_the_weights_that_are_loaded(cache):
    put_into_cache(cache, "Qwen/Qwen3-VL-8B-Instruct", FIRST, RELEASED["Qwen3-VL-8B-Instruct"])
    chosen = resolve_model("qwen3-vl-8b", loads_weights=True)
    assert chosen.card.revision == FIRST
    assert f"pin it by --model qwen3-vl-8b@{FIRST}" in chosen.notes[0]
    pinned = resolve_model(f"qwen3-vl-8b@{SECOND}", loads_weights=True)
    assert (pinned.card.revision, pinned.notes) == (SECOND, ())
    # A server has weights of its own, of which the cache of this machine says nothing.
    assert resolve_model("qwen3-vl-8b", is_served=True).card.revision is None


def test_weights_of_a_card_are_run_by_the_card(cache):
    chosen = resolve_model("Qwen/Qwen2.5-VL-7B-Instruct")
    assert chosen.card == load_model("qwen2.5-vl-7b")
    assert "has a card, qwen2.5-vl-7b, which is used" in chosen.notes[0]


def test_a_model_that_is_nowhere_is_an_error_with_the_remedy():
    with pytest.raises(UsageError, match=r"not in the cache of the hub .*hf download zoo/zebra-7b"):
        resolve_model(NAME)
    with pytest.raises(UsageError, match="did you mean qwen3-vl-8b"):
        resolve_model("qwen3-vl-8")


def test_a_name_of_a_server_needs_no_card():
    chosen = resolve_model("my-served-model", is_served=True)
    assert (chosen.card.name, chosen.card.modalities) == ("my-served-model", ("video",))
    assert "taken for a model of the server that sees video" in chosen.notes[0]
    with pytest.raises(UsageError, match="printable"):
        resolve_model("a\x1b[31mname", is_served=True)
    with pytest.raises(UsageError, match="no such directory"):
        resolve_model("../nowhere", is_served=True)


def test_a_saved_card_is_used_by_its_name_and_listed_with_its_place(dataset, tmp_path):
    model = write_files(FILES, tmp_path / "model")
    code, out, err = s3harness("models", "add", model, "--as", "my-zebra")
    assert code == 0, err
    path = tmp_path / "config" / "models" / "my-zebra.yaml"
    assert str(path) in out
    assert path.stat().st_mode & 0o077 == 0
    card = load_model("my-zebra")
    assert card.vision is not None and card.vision.clip_pixels == (2048, 8388608)
    assert card.weights_id.startswith("local:")
    rows = {row["model"]: row["card"] for row in json.loads(s3harness("models", "list", "--json")[1])}
    assert (rows["my-zebra"], rows["qwen3-vl-8b"]) == (str(path), "s3harness")
    code, err, manifest = run(dataset, tmp_path / "run", "my-zebra")
    assert code == 0, err
    assert manifest["run"]["model"]["weights"] == card.weights_id
    assert str(tmp_path) not in json.dumps(manifest["run"])


def test_a_saved_card_shadows_no_other(dataset, tmp_path):
    model = write_files(FILES, tmp_path / "model")
    code, _, err = s3harness("models", "add", model, "--as", "qwen3-vl-8b")
    assert code == 2 and "choose another" in err
    s3harness("models", "add", model, "--as", "mine")
    assert s3harness("models", "add", model, "--as", "mine")[0] == 2
    assert s3harness("models", "add", model, "--as", "../../mine")[0] == 2
    # A card of this name may come with a later version of the harness.
    folder = tmp_path / "config" / "models"
    (folder / "mine.yaml").rename(folder / "qwen3-vl-8b.yaml")
    code, err, _ = run(dataset, tmp_path / "run", "qwen3-vl-8b")
    assert code == 2
    assert "two cards are named 'qwen3-vl-8b': that of package s3harness and your own" in err
    assert str(folder) in err
    assert load_model("qwen3-vl-8b").weights == "Qwen/Qwen3-VL-8B-Instruct"


def test_a_directory_shows_what_is_derived_and_a_card_how_it_differs(tmp_path, cache):
    model = write_files(FILES, tmp_path / "model")
    code, out, err = s3harness("models", "show", model, "--derive", "--json")
    assert code == 0, err
    rows = {row["field"]: row for row in json.loads(out)}
    assert rows["context_length"] == {
        "field": "context_length",
        "value": "100000",
        "from": "config.json: llm_config.max_position_embeddings",
    }
    changed = dict(RELEASED["Qwen3-VL-8B-Instruct"]) | {"video_preprocessor_config.json": {"merge_size": 4}}
    put_into_cache(cache, "Qwen/Qwen3-VL-8B-Instruct", FIRST, changed)
    rows = {
        row["field"]: row for row in json.loads(s3harness("models", "show", "qwen3-vl-8b", "--derive", "--json")[1])
    }
    assert (rows["vision.merge_size"]["value"], rows["vision.merge_size"]["card"]) == ("4", "2")
    assert rows["vision.patch_size"]["card"] == "the same"


def test_a_model_of_the_hub_is_saved_with_its_commit_and_without_its_weights(tmp_path):
    # Its address and its cache are read when the library is imported: in a process of its own.
    with hub(NAME, SECOND, FILES) as address:
        variables = os.environ | {
            "HF_ENDPOINT": address,
            "HF_HUB_CACHE": str(tmp_path / "cache"),
            "S3HARNESS_CONFIG": str(tmp_path / "config"),
        }
        for name in ("HF_HUB_OFFLINE", "HF_HOME"):
            variables.pop(name, None)
        command = [sys.executable, "-m", "s3harness", "models", "add", NAME]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        unknown = subprocess.run(
            [*command[:-1], "zoo/none"], env=variables, capture_output=True, text=True, check=False
        )
    assert unknown.returncode == 2
    assert "the hub has no such model" in unknown.stderr
    card = load_model("zebra-7b")
    assert (card.weights, card.revision) == (NAME, SECOND)
    assert card.context_length == 100000
