"""``s3harness train``: what is printed, what is written, and what is refused."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import subprocess
import sys
import types

import pytest
from training_cases import NAME

from s3harness.cli import main
from s3harness.dataset.run_card import FILE, read_card, refuse_trained_on, trained_on
from s3harness.training.training_set import SetSettings, build_training_set

FEW = ("--tasks", "3,4,5", "--balance", "drop", "--no-mirror", "--leave-out-constant")


@pytest.fixture
def s3(capsys):
    def call(*words):
        try:
            main([str(word) for word in words])
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture(scope="module")
def exported(data, tmp_path_factory):
    """The export of a format; each is made once."""
    folder = tmp_path_factory.mktemp("exports")

    def export(form):
        if not (folder / form).exists():
            with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
                main(["train", "export", "--data", str(data), "--format", form, "--out", str(folder / form), *FEW])
        return folder / form

    return export


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_gate_ends_with_1_for_a_refused_reward_and_shows_the_table(s3, data):
    code, out, err = s3("train", "gate", "--data", data, *FEW, "--rewards", "authors")
    assert code == 1
    assert "window_centre" in out
    assert "refused: authors_task4, authors_task5" in err
    code, out, _ = s3("train", "gate", "--data", data, *FEW, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["refused"] == []
    assert {p["reward"] for p in told["payments"]} >= {"task4_boundary_mae", "task5_lcs_f"}


def test_the_set_is_shown_in_numbers(s3, data):
    code, out, _ = s3("train", "data", "--data", data, *FEW, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["samples"] > 0
    assert told["training_patients"] + told["held_out_patients"] == 9
    assert len(told["fingerprint"]) == 64


@pytest.mark.parametrize(
    "words",
    [("--rewards", "nothing"), ("--rewards", "lcs_f=much"), ("--protocol", "mine"), ("--split", "x")],
)
def test_a_wrong_call_ends_with_2(s3, data, words):
    assert s3("train", "gate", "--data", data, *FEW, *words)[0] == 2


def test_rows_for_ms_swift_have_its_keys_and_a_tag_for_each_medium(exported):
    out = exported("ms-swift")
    for name, roles in (("sft.jsonl", ["user", "assistant"]), ("grpo.jsonl", ["user"])):
        for row in rows(out / name):
            assert [message["role"] for message in row["messages"]] == roles
            assert row["messages"][0]["content"].count("<video>") == len(row["videos"]) == 1
            assert set(row) == {"messages", "videos", "task", "sample", "mirrored"}
    assert NAME not in "".join(path.read_text(encoding="utf-8") for path in out.iterdir())


def test_rows_for_trl_have_as_many_images_as_their_prompt_asks_for(exported):
    for row in rows(exported("trl") / "sft.jsonl"):
        content = row["prompt"][-1]["content"]
        assert sum(part["type"] == "image" for part in content) == len(row["images"]) > 0
        assert row["completion"][0]["role"] == "assistant"


def test_the_reward_plugin_registers_rewards_that_pay_the_right_answers(exported, monkeypatch):
    """A module of the name that ms-swift has holds its registry; what is registered is called as it calls."""
    out = exported("ms-swift")
    registry: dict[str, type] = {}
    stand_in = types.ModuleType("swift.plugin")
    stand_in.__dict__.update(ORM=object, orms=registry)
    monkeypatch.setitem(sys.modules, "swift", types.ModuleType("swift"))
    monkeypatch.setitem(sys.modules, "swift.plugin", stand_in)
    spec = importlib.util.spec_from_file_location("reward_plugin", out / "reward_plugin.py")
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert set(registry) == {"task3_laterality_balanced_accuracy", "task4_boundary_mae", "task5_lcs_f"}
    row = next(row for row in rows(out / "sft.jsonl") if "task3" in row["task"])
    paid = registry["task3_laterality_balanced_accuracy"]()(
        [row["messages"][-1]["content"], "?"], sample=[row["sample"]] * 2
    )
    assert paid == [1.0, 0.0]
    # ms-swift logs a reward under the name of its class.
    assert {name: reward.__name__ for name, reward in registry.items()} == {name: name for name in registry}


def test_the_launch_scripts_are_complete_and_can_be_run_anywhere(exported):
    """What ms-swift itself makes of them is checked in benchmarks/training/check_swift.py, in its own environment."""
    out = exported("ms-swift")
    for name, command in (("sft.sh", "swift sft"), ("grpo.sh", "swift rlhf")):
        subprocess.run(["sh", "-n", str(out / name)], check=True)
        said = subprocess.run(
            ["sh", str(out / name), "--max_steps", "3"],
            env={"PATH": _path_with_swift(out), "MODEL": "weights", "FPS": "2"},
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
        ).stdout.split()
        assert " ".join(said[3:5]) == command and said[-2:] == ["--max_steps", "3"]
        assert said[:3] == [str(out.resolve()), "true", "2"]
        assert said[said.index("--model") + 1] == "weights"
        assert (out / said[said.index("--dataset") + 1]).exists()
    rewards = {row["metric"] for row in json.loads((out / "rewards.json").read_text())["rewards"]}
    start = said.index("--reward_funcs") + 1
    names = said[start : said.index("--reward_weights")]
    assert len(names) == len(rewards) == 3 and (out / said[said.index("--external_plugins") + 1]).exists()


def _path_with_swift(out):
    """A PATH with a program of that name, which prints the directory, environment and arguments it was called with."""
    folder = out.parent / "bin"
    folder.mkdir(exist_ok=True)
    program = folder / "swift"
    program.write_text('#!/bin/sh\necho "$PWD" "$USE_AUDIO_IN_VIDEO" "$FPS" swift "$@"\n')
    program.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def test_a_refused_reward_is_not_exported(s3, data, tmp_path):
    words = ("--format", "trl", "--rewards", "out_of_vocabulary_rate=1", "--out", tmp_path / "out")
    code, _, err = s3("train", "export", "--data", data, *FEW, *words)
    assert code == 1
    assert "task5_out_of_vocabulary_rate" in err
    assert not (tmp_path / "out").exists()


def test_the_authors_rewards_are_exported_only_with_the_word_for_it(s3, data, tmp_path):
    words = ("train", "export", "--data", data, *FEW, "--format", "trl", "--rewards", "authors", "--out")
    code, _, err = s3(*words, tmp_path / "out")
    assert code == 2 and "--accept-collapse" in err and not (tmp_path / "out").exists()
    code, out, err = s3(*words, tmp_path / "out", "--accept-collapse")
    assert code == 0 and "refused" in out and "expected to collapse" in err
    told = json.loads((tmp_path / "out" / "rewards.json").read_text())
    assert {row["kind"] for row in told["rewards"]} == {"authors"}


def test_an_export_goes_to_a_new_folder_and_trl_gets_no_video(s3, data, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine", encoding="utf-8")
    words = ("train", "export", "--data", data, *FEW, "--format", "trl", "--out")
    assert s3(*words, tmp_path / "full")[0] == 2
    code, _, err = s3(*words, tmp_path / "new", "--media", "mp4")
    assert code == 2
    assert "no column for video" in err


@pytest.mark.parametrize(("media", "pattern"), [("frames", "media/*/0001.jpg"), ("mp4", "media/*.mp4")])
def test_media_are_written_under_the_names_that_the_rows_use(s3, dataset, tmp_path, media, pattern):
    out = tmp_path / "out"
    words = ("--tasks", "7", "--leave-out-constant", "--media", media, "--cache", tmp_path / "cache", "--out", out)
    code, said, err = s3("train", "export", "--data", dataset, "--format", "ms-swift", *words)
    assert code == 0, said + err
    named = {path for row in rows(out / "sft.jsonl") for path in row.get("images", row.get("videos"))}
    assert named == {str(path.relative_to(out)) for path in (out / "media").rglob("*") if path.is_file()}
    assert list(out.glob(pattern))


def test_the_card_knows_the_training_patients_again_and_names_nobody(exported, data):
    out = exported("trl")
    card = read_card(out)
    training_set = build_training_set(
        data, SetSettings(tasks=("3", "4", "5"), mirror=False, balance="drop", leave_out_constant=True)
    )
    assert card.about["set"]["fingerprint"] == training_set.fingerprint
    met = [video.id for video in trained_on(card, data, training_set.dataset.videos)]
    assert met == [video.id for video in training_set.division.training]
    assert NAME not in (out / FILE).read_text(encoding="utf-8")
    with pytest.raises(Exception, match=r"was trained on .* of the patients"):
        refuse_trained_on(out, data, training_set.dataset.videos)
    refuse_trained_on(out, data, training_set.division.held_out)


def test_a_card_that_cannot_be_read_is_named(tmp_path):
    assert read_card(tmp_path) is None
    (tmp_path / FILE).write_text('{"schema": "s3harness/training/v1"}', encoding="utf-8")
    with pytest.raises(Exception, match="the run card cannot be read"):
        read_card(tmp_path)
