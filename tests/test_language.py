"""The language of a clinical text: English is never taken for another one, and other languages are named."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.language import language_name, language_of
from s3harness.specs.document import read_document

SENTENCES = read_document(Path(__file__).parent / "language" / "sentences.yaml").data

ENGLISH = """
The head turns to the left, then the left arm extends.
He wakes up with a scream.
Oral automatisms, then head version to the right.
Patient sitting in bed, grimaces, eyes shut tight.
No behavioral changes noted.
No events
Head shakes side to side
behavioral and speech arrest and staring
L head version, R arm ext, GTC
tonic extension RUE, fencing
oral + manual automatisms, R hand dystonia, L gaze deviation
Pt unresp, LOC, R UE clonic, L gaze dev, GTC
Semiology: automotor -> versive (L) -> GTC
EEG onset 17:22:01, GTC 17:22:30
Figure 4 sign L; postictal aphasia
GTCS, postictal.
LTLE seizure
Hello.
Yawning.
Stare
unknown
n/a
""".strip().splitlines()


@pytest.mark.parametrize("note", ENGLISH)
def test_short_english_notes_are_never_taken_for_another_language(note):
    assert language_of(note) in {"en", None}


def test_clinical_sentences_of_other_languages_are_named():
    named = Counter(
        "right" if language_of(sentence) == code else str(language_of(sentence))
        for code, sentences in SENTENCES.items()
        for sentence in sentences
    )
    assert named.total() >= 200
    assert named["en"] == 0
    assert named["None"] <= 2
    assert named["right"] >= 0.97 * named.total()


@pytest.mark.parametrize(
    "text", ["", "  ", "17:22:01", "x y z", "blah blah blah", "asdf qwer zxcv uiop", "\x00\ud800", "!!!"]
)
def test_what_is_no_text_has_no_language(text):
    assert language_of(text) is None


@given(st.text(max_size=200))
def test_any_text_has_a_language_or_none_and_always_the_same(text):
    code = language_of(text)
    assert code == language_of(text)
    assert code is None or (code.islower() and 2 <= len(code) <= 3)


def test_expert_reports_of_the_release_are_english(release):
    with (release / "result/ground_truth/task6_report_annotation.csv").open(encoding="utf-8-sig") as file:
        languages = Counter(language_of(row["report"]) for row in csv.DictReader(file))
    assert set(languages) <= {"en", None}
    assert languages["en"] > 0.95 * languages.total()


def test_english_is_recognised_without_loading_the_model():
    program = (
        "import sys; from s3harness.language import language_of;"
        "assert language_of('The head turns to the left.') == 'en';"
        "assert not {name for name in sys.modules if name.startswith(('py3langid', 'numpy'))}"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_languages_have_names():
    assert [language_name(code) for code in ("de", "xx")] == ["German", "xx"]
