"""What videos and patients were called before an import is known, so that it can be looked for and kept in."""

from __future__ import annotations

import pytest

from s3harness.dataset.load import load_dataset
from s3harness.dataset.sources import patient_names, private_words
from s3harness.dataset.validate import validate_dataset
from s3harness.errors import DatasetError

SOURCES = """\
video_id,source,patient
v0001,ward/Huber_2019-03-14.avi,"Huber, Anna"
v0002,2.mp4,Patient 12
v0003,emu 3.mp4,17
v0004,emu 4.mp4,4711234
"""


@pytest.fixture
def imported(data):
    (data / "private").mkdir()
    (data / "private" / "sources.csv").write_text(SOURCES, encoding="utf-8")
    return data


def test_names_of_before_the_import_are_private_and_so_is_each_word_of_a_patients(imported):
    words = private_words(imported, load_dataset(imported).videos)
    assert words >= {"Huber, Anna", "Huber", "Anna", "4711234", "Patient 12", "emu 3.mp4", "emu 3"}
    assert words >= {"ward/Huber_2019-03-14.avi", "Huber_2019-03-14.avi", "Huber_2019-03-14", "p1"}


def test_what_would_be_found_in_any_answer_is_not(imported):
    words = private_words(imported, load_dataset(imported).videos)
    assert not words & {"", "2", "12", "17", "Patient", "v0001", "v0002"}


def test_without_an_import_the_names_of_the_tables_are_private(data):
    text = (data / "videos.csv").read_text()
    (data / "videos.csv").write_text(text.replace(",p2,", ',"Roe, Jane",'))
    assert patient_names(data, load_dataset(data).videos) == {"p1", "p3", "Roe, Jane", "Roe", "Jane"}


def test_a_table_of_names_that_cannot_be_read_stops_what_would_look_for_them(imported):
    (imported / "private" / "sources.csv").write_bytes(SOURCES.replace("Huber", "Müller").encode("cp1252"))
    with pytest.raises(DatasetError, match=r"private/sources\.csv:2: byte 0xfc is not UTF-8"):
        private_words(imported, ())


@pytest.mark.parametrize(
    ("file", "row", "column", "old", "new"),
    [
        ("reports.csv", 4, "report", "The head turns", "Mrs Huber turns the head"),
        ("features.csv", 2, "justification", "The arm, stiff", "Anna's arm, stiff"),
    ],
)
def test_validation_names_where_an_expert_named_a_patient(imported, file, row, column, old, new):
    assert validate_dataset(imported)[1] == []
    path = imported / file
    path.write_text(path.read_text().replace(old, new))
    (problem,) = validate_dataset(imported)[1]
    assert (problem.file, problem.row, problem.column) == (file, row, column)
    assert "Huber" not in problem.message
    assert "Anna" not in problem.message
