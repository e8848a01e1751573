"""No name or title of a stranger deceives, hides or reorders what stands around it, and honest ones pass."""

from __future__ import annotations

import csv
import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from calling import call
from hypothesis import given
from hypothesis import strategies as st
from tampering import cover_up, edit

from s3harness.leaderboard.entries import entry_of
from s3harness.leaderboard.escapes import for_csv, for_latex, for_markdown, plain
from s3harness.leaderboard.exports import as_csv, as_latex, rows
from s3harness.leaderboard.replays import read_answers
from s3harness.leaderboard.titles import name_problem, one_line, prose_problem, skeleton
from s3harness.leaderboard.verify import verify

DECEIVING = {
    "bidi override": "Qwen\u202e3-VL",
    "bidi isolate": "Qwen\u2066gnol\u2069",
    "zero-width space": "Qwen\u200b3-VL",
    "zero-width joiner": "Qwen\u200d3",
    "soft hyphen": "Qwen\u00ad3",
    "byte order mark": "\ufeffQwen3",
    "tag characters": "Qwen\U000e0041\U000e0042",
    "variation selector": "Qwen3\ufe0f",
    "Hangul filler": "Qwen\u3164",
    "grapheme joiner": "Qw\u034fen",
    "braille blank": "Qwen\u2800",
    "no-break of a kind": "Qwen\u2003VL",
    "escape code": "Qwen\x1b[2J",
    "null": "Qwen\x00",
    "next line": "Qwen\u0085x",
    "line separator": "Qwen\u2028x",
    "private use": "Qwen\ue000",
    "Cyrillic a in Latin": "Lаma",
    "Greek o in Latin": "Mοdel",
    "all Cyrillic, like Latin": "сора",
    "full width": "Ｑwen",
    "mathematical": "𝐐wen",
    "circled": "Ⓠwen",
    "Roman numeral": "ⅽopy",
    "script g": "ɡpt",
    "Cherokee": "ᎪᏴ",
    "Coptic": "ⲟⲣ",
    "stacked marks": "Z" + "\u0335\u0327\u0322\u0316",
}
HONEST = [
    *("Qwen3-VL-8B, other weights", "S³ baseline (v2)", "Lingshu-32B", "José García-Núñez", "Nguyễn Văn Ánh"),
    *("Yıldız Üniversitesi", "Ольга Иванова", "Χρήστος Παπαδόπουλος", "王小明", "東京大学 Lab", "김민수", "محمد علي"),
    *("עידן כהן", "सीमा शर्मा", "Łódź lab", "Großklinikum Süd", "O'Brien & sons", "100 % open", "😀 team"),
]


@pytest.mark.parametrize("text", DECEIVING.values(), ids=DECEIVING.keys())
def test_a_deceiving_name_is_refused(text: str) -> None:
    assert name_problem(text)
    assert prose_problem(f"Notes on {text} and more.")


@pytest.mark.parametrize("text", ["Model\nsecond line", "a\r\nb", " padded", "a  b"])
def test_a_name_stands_on_one_line_without_loose_blanks(text: str) -> None:
    assert name_problem(text)
    assert name_problem(one_line(text)) == ""


@pytest.mark.parametrize("text", HONEST)
def test_an_honest_name_of_any_country_passes(text: str) -> None:
    assert name_problem(text) == ""


@pytest.mark.parametrize("text", ["Trained for 10 µs.\nβ-blockers, Δ t and Ольга's notes.", "Zwölf – „so“ – 3 × 4."])
def test_notes_may_have_lines_and_words_of_several_scripts(text: str) -> None:
    assert prose_problem(text) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Lingshu-32B", "Iingshu-32B"),
        ("Qwen3-VL", "qwen3 vl"),
        ("modern", "rnodern"),
        ("GPT-O", "GPT-0"),
        ("сора", "copa"),
    ],
)
def test_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


def test_names_that_do_not_look_alike_have_two() -> None:
    assert skeleton("Qwen3-VL-8B") != skeleton("Qwen3-VL-32B")


PLACES = {
    "the submitter": lambda about, text: about.update(submitter=text),
    "the title": lambda about, text: about["model"].update(title=text),
    "the family": lambda about, text: about["model"].update(family=text),
    "the licence": lambda about, text: about["model"].update(licence=text),
    "the notes": lambda about, text: about.update(notes=text),
    "the data's version": lambda about, text: about["dataset"].update(version=text),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize(
    "text", [DECEIVING[kind] for kind in ("bidi override", "zero-width space", "Greek o in Latin")]
)
def test_a_submission_with_one_is_neither_accepted_nor_shown(
    tmp_path: Path, submission: Path, place: Any, text: str
) -> None:
    edit(submission / "submission.json", lambda about: place(about, text))
    assert {finding.kind for finding in verify(submission).findings} == {"name"}
    built = call("leaderboard", "build", "--submissions", submission.parent, "--out", tmp_path / "site")
    assert "left out: submission: " in built.output
    assert not (tmp_path / "site" / "model-submission.html").exists()
    assert text not in built.output


def test_a_name_like_that_of_a_known_model_is_refused(submission: Path, dataset: Path) -> None:
    edit(submission / "submission.json", lambda about: about["model"].update(name="mine", title="Iingshu-32B"))
    edit(submission / "manifest.json", lambda manifest: manifest["run"]["model"].update(name="mine"))
    edit(submission / "scores.json", lambda scores: scores.update(model="mine"))
    cover_up(submission)
    findings = [str(finding) for finding in verify(submission, dataset).findings]
    assert any("'Iingshu-32B' looks almost like the known model lingshu-32b" in finding for finding in findings)


def test_a_known_model_has_the_size_and_title_of_its_card(submission: Path) -> None:
    told = {"name": "lingshu-32b", "title": "Lingshu-32B", "parameters_b": 1.0}
    edit(submission / "submission.json", lambda about: about["model"].update(told))
    edit(submission / "manifest.json", lambda manifest: manifest["run"]["model"].update(name="lingshu-32b"))
    messages = [finding.message for finding in verify(submission).findings if finding.where == "model"]
    assert any(
        message.startswith("title, parameters_b: differs from the manifest and the model") for message in messages
    )


def test_a_title_like_that_of_another_submission_needs_a_look(
    tmp_path: Path, dataset: Path, first_model: Path, second_model: Path
) -> None:
    other = Path(shutil.copytree(second_model, tmp_path / "other"))
    edit(other / "submission.json", lambda about: about["model"].update(title="first-mode1"))
    verdict = verify(first_model, dataset, [read_answers(other)])
    assert [review.kind for review in verdict.reviews] == ["name"]
    assert not verdict.accepted


FORMULAS = ["=cmd()", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "|calc", "%0A=1", "\n=cmd()"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_a_table_is_a_formula(packed: Path, text: str) -> None:
    bad = replace(entry_of(packed), slug=text)
    (first, *_) = csv.DictReader(io.StringIO(as_csv(rows([bad]))))
    assert first["entry"].startswith("'")
    assert for_csv(-0.5) == -0.5


@given(st.text(max_size=30))
def test_every_export_is_one_line_without_anything_that_steers(text: str) -> None:
    for escaped in (for_latex(text), for_markdown(text), str(for_csv(text)), plain(text)):
        assert not any(c in escaped for c in "\n\r\t\x00\u202e\u200b\u2028")


@given(st.text(alphabet='\\{}%$&#_^~<>|`"\n\u202ea', max_size=20))
def test_latex_has_no_command_of_the_text(text: str) -> None:
    rest = for_latex(text)
    known = [r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}", r"\textless{}", r"\textgreater{}"]
    known += [r"\textbar{}", r"\textquotedbl{}", r"\textasciigrave{}", *(f"\\{c}" for c in "&%$#_{}")]
    for one in known:
        rest = rest.replace(one, "")
    assert set(rest) <= set("a ")


@given(st.text(alphabet="[]()<>*_`|!#\n&:@a", max_size=20))
def test_markdown_has_no_markup_of_the_text(text: str) -> None:
    rest = for_markdown(text).replace("&#60;", "").replace("&#62;", "").replace("&#38;", "")
    for special in "\\`*_{}[]()<>#+-.!|~&$@:":
        rest = rest.replace(f"\\{special}", "")
    assert set(rest) <= set("a ")


def test_a_title_ends_no_table_of_latex(packed: Path) -> None:
    entry = entry_of(packed)
    bad = replace(entry, model={**entry.model, "title": "x \\\\ \\bottomrule\n\n\\input{/etc/passwd}"})
    table = as_latex([bad])
    assert "\\input" not in table
    assert table.splitlines()[4].startswith("x ")
    assert len(table.splitlines()) == 7
