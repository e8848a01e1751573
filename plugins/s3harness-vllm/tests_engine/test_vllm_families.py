"""Every family through vLLM and its server, against transformers: the same prompts, probabilities and answers.

A limit of vLLM itself is an expectation of its own: where a release no longer has it, its test fails.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from s3harness_synth.dataset import synthesize
from s3harness_transformers.tiny import FAMILIES, OTHER_FAMILIES
from vllm_family_cases import BETWEEN_S, CASES, TIMES, WRITTEN, proof_table

TOLERANCE = 1e-4

SOUND_TOLERANCE = 2e-3
"""Of answers about sound from the server, which gets it in 16 bits."""

HALF_TOLERANCE = 0.02
"""Of answers in bfloat16, which has three digits: they differ between engines, and between batches of one engine."""

ANY_MODEL = Path(__file__).parents[3] / "docs" / "how-to" / "any-model.md"
SEEING = [name for name, case in CASES.items() if "video" in case.card.modalities]
HEARING = [name for name, case in CASES.items() if case.card.hears()]
INTERLEAVING = [name for name, case in CASES.items() if case.interleaves]
ASKED_OF_CLIPS = [name for name, case in CASES.items() if case.card.modalities]
DERIVED = [name for name, case in CASES.items() if case.is_derived]
QUESTIONS = [(name, question) for name, case in CASES.items() for question in sorted(case.questions)]


@pytest.fixture(scope="module")
def probed(environment, tmp_path_factory):
    """Return the findings of a family; FAMILIES (a,b) in the environment chooses those that are probed."""
    folder = tmp_path_factory.mktemp("families")
    synthesize(folder / "data", videos=1, seed=4, resolution=(640, 360), fps=4, duration_s=20.0)
    script = Path(__file__).with_name("vllm_family_probe.py")
    chosen = [name for name in os.environ.get("FAMILIES", ",".join(CASES)).split(",") if name in WRITTEN]
    # All in one process, which imports the engines once.
    command = [sys.executable, script, folder / "data", folder / "out", *chosen]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def findings(name: str) -> dict:
        path = folder / "out" / f"{name}.json"
        assert path.exists(), f"{name} was not probed: {done.stderr[-3000:]}"
        family = json.loads(path.read_text())
        assert "error" not in family, family["error"]
        return family

    return findings


def same(name: str, one: dict, other: dict, tolerance: float = TOLERANCE) -> None:
    """Two answers of a family agree in tokens, probabilities and, in full precision, text."""
    is_half = CASES[name].dtype == "bfloat16"
    assert one["prompt_tokens"] == other["prompt_tokens"]
    assert one["probabilities"] == pytest.approx(other["probabilities"], abs=HALF_TOLERANCE if is_half else tolerance)
    assert set(one["probabilities"]) == {"yes", "no"}
    assert is_half or one["text"] == other["text"]


def differ(one: dict, other: dict) -> None:
    """Two answers have other probabilities."""
    assert abs(one["probabilities"]["yes"] - other["probabilities"]["yes"]) > 10 * TOLERANCE


def test_every_family_of_the_tiny_models_has_a_case():
    assert {case.family for case in WRITTEN.values()} == {*FAMILIES, *OTHER_FAMILIES}


def test_the_table_in_the_documentation_is_that_of_these_cases():
    assert proof_table() in ANY_MODEL.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DERIVED)
def test_the_card_that_the_directory_gives_is_the_expected_one(probed, name):
    card, expected = probed(name)["card"], CASES[name].card
    assert (tuple(card["modalities"]), card["clip_form"]) == (expected.modalities, expected.clip_form)


@pytest.mark.parametrize(("name", "question"), QUESTIONS)
def test_prompts_and_probabilities_are_those_of_transformers(probed, name, question):
    ours, theirs = probed(name)["vllm"][question], probed(name)["transformers"][question]
    same(name, ours, theirs)
    assert len(ours["ids"]) == len(theirs["ids"])


@pytest.mark.parametrize("name", [name for name in ASKED_OF_CLIPS if not CASES[name].has_own_layout])
def test_inputs_are_those_of_the_models_own_processor(probed, name):
    receipts = [receipt for question, receipt in probed(name)["receipts"].items() if question != "between"]
    assert [receipt["cause"] for receipt in receipts] == [""] * len(receipts)
    assert all(stage["equal"] for receipt in receipts for stage in receipt["stages"])
    sees, hears = name in SEEING, name in HEARING
    assert all(("pixels" in receipt["hashes"]) is sees for receipt in receipts)
    assert all(("audio_features" in receipt["hashes"]) is hears for receipt in receipts)


@pytest.mark.parametrize("name", ASKED_OF_CLIPS)
def test_an_answer_depends_on_the_clip(probed, name):
    answers = probed(name)["vllm"]
    differ(answers["clip"], answers["later clip"])
    differ(answers["clip"], answers["text alone"])


@pytest.mark.parametrize("name", SEEING)
def test_frames_are_sent_in_the_form_that_vllm_takes_with_their_times(probed, name):
    case, findings = CASES[name], probed(name)
    answer = findings["vllm"]["clip"]
    assert answer["sent"]["media"] == {"video": "video", "images": "frames"}[case.form_in_vllm]
    assert findings["facts"]["clips"] == case.form_in_vllm
    assert answer["sent"]["times_s"] == pytest.approx(TIMES, abs=0.13)
    since_start = [time - TIMES[0] for time in answer["sent"]["times_s"]]
    if case.form_in_vllm == "images":
        times = [float(time) for time in re.findall(r"\[([0-9.]+) s\]", answer["prompt"])]
        assert times == pytest.approx(since_start, abs=0.051)
    if case.words:
        assert re.findall(case.words, answer["prompt"]) == case.times_in_words(since_start)


@pytest.mark.parametrize("name", [name for name in SEEING if CASES[name].writes_whole_seconds])
def test_times_between_whole_seconds_are_still_rounded_down(probed, name):
    findings = probed(name)
    prompt = findings["vllm"]["between"]["prompt"]
    assert re.findall(CASES[name].words, prompt) == [f"{int(BETWEEN_S[0])}.0", f"{int(BETWEEN_S[2])}.0"]
    (tokens,) = [stage for stage in findings["receipts"]["between"]["stages"] if stage["name"] == "tokens"]
    assert not tokens["equal"] and tokens["difference"].startswith("from token")


@pytest.mark.parametrize("name", HEARING)
def test_sound_is_sent_as_long_as_the_clip(probed, name):
    assert probed(name)["vllm"]["clip"]["sent"]["sound_s"] == pytest.approx(10.0, abs=0.01)


@pytest.mark.parametrize("name", INTERLEAVING)
def test_sound_that_belongs_to_the_video_is_interleaved_with_it(probed, name):
    findings = probed(name)
    same(name, findings["vllm"]["audio in video"], findings["transformers"]["audio in video"])
    same(name, findings["vllm"]["audio in video again"], findings["vllm"]["audio in video"])
    differ(findings["vllm"]["audio in video"], findings["vllm"]["clip"])


@pytest.mark.parametrize("name", CASES)
def test_an_answer_is_held_to_its_schema(probed, name):
    value = json.loads(probed(name)["vllm"]["schema"]["text"])
    assert value["answer"] in ("yes", "no")
    assert value["side"] in ("left", "right", "both")


@pytest.mark.parametrize("name", CASES)
def test_clips_of_several_lengths_asked_at_once_are_answered_as_one_by_one(probed, name):
    answers = probed(name)["vllm"]
    for question in CASES[name].questions:
        same(name, answers["at once"][question], answers[question])


@pytest.mark.parametrize("name", CASES)
def test_an_adapter_of_the_language_model_moves_an_answer_as_in_transformers(probed, name):
    findings = probed(name)
    # A limit names the families whose adapters vLLM does not apply; were it to, the limit would be wrong.
    assert bool(findings["gaps"]["language"]) is CASES[name].merges_language
    adapted = findings["merged" if CASES[name].merges_language else "vllm"]["language adapter"]
    same(name, adapted, findings["transformers"]["language adapter"])
    differ(adapted, findings["vllm"]["clip"])


@pytest.mark.parametrize("name", ASKED_OF_CLIPS)
def test_an_adapter_of_other_parts_is_noticed_and_merged(probed, name):
    findings = probed(name)
    assert findings["gaps"]["tower"], "vLLM was taken to apply layers that it ignores"
    same(name, findings["merged"]["mixed adapter"], findings["transformers"]["mixed adapter"])
    differ(findings["merged"]["mixed adapter"], findings["transformers"]["language adapter"])


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.merged_in_vllm])
def test_the_run_says_that_the_adapter_was_merged(probed, name):
    assert probed(name)["merged"]["facts"]["adapter_form"] == "merged"


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.is_refused_by_server])
def test_a_clip_that_the_server_refuses_is_still_refused(probed, name):
    findings = probed(name)
    assert findings["server"]["refusal"]
    same(name, findings["server"]["text alone"], findings["vllm"]["text alone"])


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.is_refused_by_server])
def test_the_server_gives_the_answers_of_the_engine(probed, name):
    served, here = probed(name)["server"], probed(name)["vllm"]
    for question in {"clip", "later clip", "schema", "text alone"} & CASES[name].questions:
        tolerance = SOUND_TOLERANCE if name in HEARING else TOLERANCE
        same(name, served[question], here[question], tolerance)
        same(name, served["at once"][question], served[question])
    if name in SEEING:
        assert served["clip"]["sent"]["times_s"] == here["clip"]["sent"]["times_s"]
        form = {"video": "jpeg_sequence", "images": "frames"}[CASES[name].form_in_vllm]
        assert served["clip"]["sent"]["media"] == form
    if name in HEARING:
        assert served["clip"]["sent"]["sound_s"] == pytest.approx(10.0, abs=0.01)
    if not CASES[name].merges_language:
        same(name, served["language adapter"], here["language adapter"], tolerance)
