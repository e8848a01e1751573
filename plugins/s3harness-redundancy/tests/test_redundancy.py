"""The penalty for repetition: its size, its evidence, and the reports that it spares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from s3harness_redundancy.statements import find_repetitions, split_statements

from s3harness import ReportStructure
from s3harness.cli import main
from s3harness.metrics.rqi import score_report
from s3harness.plugins.manager import load
from s3harness.testing import check, promises
from s3harness.testing.golden import golden

EXPERT = "The head turns to the left. Then both arms stiffen. Afterwards the patient is confused."
OTHER = "At onset the patient stares. The head turns to the left side. Then both of the arms become stiff."


@pytest.mark.parametrize("promise", promises("rqi_penalty"))
def test_redundancy_keeps(promise):
    check("rqi_penalty", "redundancy", promise)


REPEATED = {
    "word for word": ("The head turns to the left.", "The head turns to the left."),
    "in other letters and marks": ("The head turns to the left.", "THE HEAD TURNS, to the left!"),
    "in another order": ("Then the head turns to the left.", "To the left the head turns then."),
    "but for a letter or two": ("The patient stares into the distance.", "The patient stared into the distance."),
}
DIFFERENT = {
    "another side": ("The head turns to the left.", "The head turns to the right."),
    "another limb": ("The patient's left arm stiffens at once.", "The patient's left leg stiffens at once."),
    "a denial": ("There is automatic chewing of the lips.", "There is no automatic chewing of the lips."),
    "another time": ("The eyes close for 10 seconds or so.", "The eyes close for 12 seconds or so."),
    "another order": ("The patient first stares straight ahead.", "The patient finally stares straight ahead."),
    "again, as something new": ("The left arm jerks.", "After a minute the left arm jerks again, harder."),
    "a heading": ("Tonic phase.", "Tonic phase."),
}


@pytest.mark.parametrize(("one", "other"), REPEATED.values(), ids=REPEATED)
def test_a_repetition_is_found_with_the_statement_that_it_repeats(one, other):
    ((later, earlier),) = find_repetitions(split_statements(f"{one} {other}"))
    assert (earlier.text, later.text) == (one, other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_a_different_statement_is_no_repetition(one, other):
    assert find_repetitions(split_statements(f"{one} {other}")) == []


def test_the_penalty_is_half_of_the_share_of_words_that_only_repeat():
    once = score_report(OTHER, {"text": EXPERT}, "strict+redundancy").penalties["redundancy"]
    assert (once.multiplier, once.evidence) == (1.0, ())
    twice = score_report(f"{OTHER} {OTHER}", {"text": EXPERT}, "strict+redundancy").penalties["redundancy"]
    assert twice.multiplier == pytest.approx(0.75)
    assert twice.evidence[0] == "50% of the words repeat what was said"
    assert twice.evidence[2] == "“The head turns to the left side.” repeats “The head turns to the left side.”"
    often = score_report(f"{OTHER} " * 50, {"text": EXPERT}, "strict+redundancy").penalties["redundancy"]
    assert 0.5 < often.multiplier < 0.52
    assert often.evidence[-1].startswith("and ")


def test_the_experts_own_report_keeps_all_even_if_it_repeats_itself():
    assert score_report(f"{EXPERT} {EXPERT}", {"text": f"{EXPERT} {EXPERT}"}, "strict+redundancy").value == 100.0


@given(st.lists(st.sampled_from(EXPERT.split(". ") + OTHER.split(". ")), max_size=12))
def test_more_repetition_never_costs_less_and_never_more_than_half(parts):
    from s3harness import PenaltyContext
    from s3harness.metrics.rqi.structure import ReportTruth

    def multiplier(text: str) -> float:
        structure = ReportStructure(words=len(text.split()))
        return load("rqi_penalty", "redundancy")(
            PenaltyContext(structure, ReportTruth(ReportStructure()), text)
        ).multiplier

    text = ". ".join(parts)
    assert 0.5 <= multiplier(f"{text}. {text}") <= multiplier(text) <= 1.0


def test_installed_it_changes_no_score_of_a_run_and_named_it_stands_in_the_result(tmp_path, monkeypatch):
    data, out = golden().data, tmp_path / "run"
    run = ["run", "--backend", "floors", "--data", str(data), "--tasks", "6", "--out", str(out)]
    monkeypatch.setenv("S3HARNESS_PLUGINS", "off")
    assert _main(*run) == 0
    without = (out / "scores.json").read_bytes()
    monkeypatch.setenv("S3HARNESS_PLUGINS", "on")
    assert _main("score", str(out)) == 0
    assert (out / "scores.json").read_bytes() == without
    assert _main("score", str(out), "--rqi", "strict+redundancy") == 0
    assert (out / "scores.json").read_bytes() == without
    named = json.loads((out / "scores-rqi-strict-2+redundancy.json").read_text())
    assert named["rqi"] == named["rqi_preset"] == "strict-2+redundancy"
    assert named["plugins"]["s3harness-redundancy"] == "0.1.0"
    assert [score["metric"] for score in named["scores"] if score["primary"]] == ["Seizure-RQI (strict-2+redundancy)"]


@pytest.mark.parametrize(
    ("preset", "full"), [("strict", "strict-2"), ("strict-1", "strict-1"), ("strict-2", "strict-2")]
)
def test_it_works_with_every_version_of_the_strict_preset(preset, full):
    alone = score_report(f"{OTHER} {OTHER}", {"text": EXPERT}, preset)
    named = score_report(f"{OTHER} {OTHER}", {"text": EXPERT}, f"{preset}+redundancy")
    assert named.preset == f"{full}+redundancy"
    assert named.value == pytest.approx(0.75 * alone.value)


def test_without_it_a_score_that_names_it_is_refused(tmp_path, monkeypatch, capsys):
    report = _file(tmp_path, EXPERT)
    monkeypatch.setenv("S3HARNESS_PLUGINS", "off")
    call = ("rqi", "score", "--report", str(report), "--expert", str(report), "--preset", "strict+redundancy")
    assert _main(*call) == 2
    assert "there is no rqi_penalty named 'redundancy'" in capsys.readouterr().err


def test_the_command_shows_what_repeats_what(tmp_path, capsys):
    report = _file(tmp_path, f"{OTHER} {OTHER}")
    assert _main("rqi", "explain", "--report", str(report), "--expert", str(report), "--preset", "strict") == 0
    assert "redundancy" not in capsys.readouterr().out
    expert = tmp_path / "expert.txt"
    expert.write_text(EXPERT, encoding="utf-8")
    call = ("rqi", "explain", "--report", str(report), "--expert", str(expert), "--preset", "strict+redundancy")
    assert _main(*call) == 0
    output = capsys.readouterr().out
    assert "× 0.75 redundancy" in output
    assert "repeats “The head turns to the left side.”" in output


def _file(folder: Path, text: str) -> Path:
    path = folder / "report.txt"
    path.write_text(text, encoding="utf-8")
    return path


def _main(*arguments: str) -> int:
    from s3harness.plugins.manager import manager

    manager.cache_clear()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    manager.cache_clear()
    return int(ended.value.code or 0)
