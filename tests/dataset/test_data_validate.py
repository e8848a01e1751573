"""``data validate`` finds what is wrong with a data set, and says where: file, row and column."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from small_data import encode, plant

from s3harness.cli import cli, main
from s3harness.dataset.load import load_dataset, opaque_id, read_dataset
from s3harness.dataset.validate import validate_dataset
from s3harness.errors import DatasetError

V, F, R = "videos.csv", "features.csv", "reports.csv"

# file, what is replaced by what; row and column of the problem, and what must be said
WRONG = {
    "a sign after the end of the video": (F, "yes,1,2.5", "yes,1,95", 2, "end_s", "95 s is outside the video"),
    "a sign that begins after the end": (F, "yes,1,2.5", "yes,95,", 2, "start_s", "which lasts 4 s"),
    "an onset after the end of the video": (V, "4,0.5,3", "4,50,", 2, "onset_s", "50 s is outside the video"),
    "a seizure that ends before it begins": (V, "4,0.5,3", "4,3,0.5", 2, "offset_s", "0.5 s is before the onset 3 s"),
    "a sign that ends before it begins": (F, "yes,1,2.5", "yes,2.5,1", 2, "end_s", "before the onset"),
    "a negative time": (F, "yes,1,2.5", "yes,-1,2.5", 2, "start_s", "'-1' is not a number of seconds"),
    "no number": (F, "yes,1,2.5", "yes,NaN,2.5", 2, "start_s", "'NaN' is not a number of seconds"),
    "an endless time": (F, "yes,1,2.5", "yes,1,inf", 2, "end_s", "'inf'"),
    "a number too large": (F, "yes,1,2.5", "yes,1,1e999", 2, "end_s", "'1e999'"),
    "a time on the clock": (F, "yes,1,2.5", "yes,1,00:02", 2, "end_s", "like 37 or 37.5"),
    "a duration that is none": (V, "train,4,0.5", "train,four,0.5", 2, "duration_s", "'four'"),
    "an unknown feature": (F, "tonic", "tonik", 2, "feature", "did you mean tonic"),
    "a feature twice": (F, "v0001,clonic", "v0001,tonic", 3, "feature", "given twice"),
    "an empty feature": (F, "v0001,clonic", "v0001,", 3, "feature", "unknown feature ''"),
    "a presence that is none": (F, "clonic,no", "clonic,perhaps", 3, "present", "yes, no, untested"),
    "no presence": (F, "clonic,no", "clonic,", 3, "present", "is empty"),
    "a side that is none": (F, "2.5,left", "2.5,west", 2, "side", "left, right, both"),
    "a sign of an unknown video": (F, "v0003,verbal", "v0009,verbal", 6, "video_id", "'v0009' is not in videos.csv"),
    "a video twice": (V, "v0002,p1", "v0001,p1", 3, "video_id", "duplicate of row 2"),
    "a video without an id": (V, "v0002,p1", ",p1", 3, "video_id", "is empty"),
    "a video without a patient": (V, "v0002,p1", "v0002,", 3, "patient_id", "is empty"),
    "a patient in two splits": (V, "v0002.mp4,ES,train", "v0002.mp4,ES,test", 3, "split", "in split 'train' at row 2"),
    "a diagnosis that is none": (V, "NES,test", "PNES,test", 4, "diagnosis", "ES, NES"),
    "a body part that is none": (V, "left arm", "left wing", 2, "onset_body_part", "head, eyes"),
    "an absolute path": (V, "videos/v0001.mp4", "/etc/passwd", 2, "file", "inside the data set directory"),
    "a path that leads out": (V, "videos/v0001.mp4", "videos/../../v.mp4", 2, "file", "inside the data set directory"),
    "a file that is missing": (V, "videos/v0003.mp4", "videos/v0033.mp4", 4, "file", "the file is missing"),
    "a directory for a file": (V, "videos/v0003.mp4", "videos", 4, "file", "the file is missing"),
    "a file of another length": (
        V,
        "train,4,0.5,3",
        "train,9,0.5,3",
        2,
        "duration_s",
        "lasts 4.0 s, the table says 9.0",
    ),
    "times after the end of the file": (V, "test,4,,,", "test,,1,9,", 4, "file", "lasts 4.0 s, and 9 s is annotated"),
    "a cell too many": (V, "NES,test,4,,,,", "NES,test,4,,,,,", 4, "", "11 cells under 10 columns"),
    "a cell too few": (F, "clonic,no,,,,", "clonic,no,,,", 3, "", "6 cells under 7 columns"),
    "a column that is missing": (F, "feature,present", "sign,present", 1, "", "no column feature"),
    "a misspelled column": (V, "onset_s,", "onsets,", 1, "onsets", "did you mean onset_s, which is missing"),
    "a column twice": (V, "camera", "split", 1, "split", "two columns"),
    "an open quote": (F, '"The arm, stiff"', '"The arm, stiff', 2, "", "not a CSV table"),
    "a report of an unknown video": (R, "v0002,The", "v0022,The", 4, "video_id", "not in videos.csv"),
    "two reports of a video": (R, "v0002,The", "v0001,The", 4, "video_id", "has two reports"),
}


@pytest.mark.parametrize(("file", "old", "new", "row", "column", "message"), WRONG.values(), ids=WRONG)
def test_a_problem_is_named_at_its_file_row_and_column(data, file, old, new, row, column, message):
    plant(data, file, old, new)
    _, problems = validate_dataset(data)
    found = [problem for problem in problems if message in problem.message]
    assert found, [str(problem) for problem in problems]
    assert (found[0].file, found[0].row, found[0].column) == (file, row, column)
    assert str(found[0]).startswith(f"{file}:{row}: ")


def test_the_data_set_that_the_wrong_ones_are_made_of_is_right(data):
    dataset, problems = validate_dataset(data)
    assert problems == []
    assert len(dataset.videos) == 4
    assert dataset.videos[0].features["tonic"].justification == "The arm, stiff"
    assert dataset.videos[0].report == "The left arm stiffens,\nthen it relaxes."


def test_all_that_is_wrong_is_named_at_once(data):
    plant(data, V, "left arm", "left wing")
    plant(data, F, "tonic", "tonik")
    plant(data, R, "v0002", "v0022")
    assert [problem.file for problem in validate_dataset(data)[1]] == [F, R, V]


@pytest.mark.parametrize("content", [b"", b"not a video", b"\x00" * 5000])
def test_a_file_that_cannot_be_decoded_is_named_at_its_row(data, content):
    (data / "videos" / "v0002.mp4").write_bytes(content)
    (problem,) = validate_dataset(data)[1]
    assert (problem.file, problem.row, problem.column) == (V, 3, "file")
    assert validate_dataset(data, media=False)[1] == []


def test_a_truncated_file_is_named_at_its_row(data, video_file):
    (data / "videos" / "v0002.mp4").write_bytes(video_file.read_bytes()[:900])
    assert [(p.file, p.row, p.column) for p in validate_dataset(data)[1]] == [(V, 3, "file")]


def test_a_file_of_another_length_is_only_told_by_more_than_a_second(data, tmp_path):
    encode(data / "videos" / "v0002.mp4", seconds=5)
    assert validate_dataset(data)[1] == []


@pytest.mark.parametrize("file", [V, F, R])
def test_a_table_that_is_not_utf8_is_named_at_its_row(data, file):
    text = (data / file).read_bytes()
    (data / file).write_bytes(text + "\nv0001,m\u00fcde".encode("latin-1"))
    problem = next(p for p in read_dataset(data)[1] if "not UTF-8" in p.message)
    assert (problem.file, problem.row) == (file, text.count(b"\n") + 2)
    assert "0xfc" in problem.message


@pytest.mark.parametrize("change", ["crlf", "byte-order mark", "blank lines", "blanks around cells"])
def test_a_table_as_spreadsheets_save_it_is_read_all_the_same(data, change):
    expected = read_dataset(data)[0].videos
    for file in (V, F):
        text = (data / file).read_text()
        changed = {
            "crlf": text.replace("\n", "\r\n"),
            "byte-order mark": "\ufeff" + text,
            "blank lines": text.replace("\n", "\n\n"),
            "blanks around cells": text.replace("v0001,p1,", " v0001 , p1 ,").replace("video_id,", " video_id ,"),
        }[change]
        (data / file).write_bytes(changed.encode("utf-8"))
    dataset, problems = read_dataset(data)
    assert problems == []
    assert dataset.videos == expected


def test_a_row_is_numbered_by_its_first_line(data):
    plant(data, R, "v0001", "v0011")
    plant(data, R, "v0002", "v0022")
    assert [problem.row for problem in read_dataset(data)[1]] == [2, 4]


@pytest.mark.parametrize("file", [V, F])
def test_a_table_that_is_missing_or_empty_is_named(data, file):
    (data / file).write_text("")
    assert any(p.file == file and "no column" in p.message for p in read_dataset(data)[1])
    (data / file).unlink()
    assert any(p.file == file and "No such file" in p.message for p in read_dataset(data)[1])


def test_reports_may_be_missing(data):
    (data / R).unlink()
    dataset, problems = validate_dataset(data)
    assert problems == []
    assert not any(video.report for video in dataset.videos)


ABOUT = {
    "no JSON": ("{", "not valid JSON"),
    "no UTF-8": (b"\xff\xfe", "not valid JSON"),
    "a list": ("[]", "is not 's3harness/dataset/v1'"),
    "another version": ('{"schema": "s3harness/dataset/v9"}', "'s3harness/dataset/v9' is not"),
}


@pytest.mark.parametrize(("content", "message"), ABOUT.values(), ids=ABOUT)
def test_a_wrong_dataset_json_is_named(data, content, message):
    (data / "dataset.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    (problem,) = read_dataset(data)[1]
    assert problem.file == "dataset.json"
    assert message in problem.message


def test_a_directory_that_is_no_data_set_is_an_error(tmp_path):
    with pytest.raises(DatasetError, match=r"no dataset\.json"):
        read_dataset(tmp_path)


def test_loading_names_the_problems_and_how_many_there_are_beside(data):
    rows = "".join(f"v0001,nonsense{n},yes,,,,\n" for n in range(30))
    (data / F).write_text((data / F).read_text() + rows)
    with pytest.raises(DatasetError) as caught:
        load_dataset(data)
    assert "30 problems" in str(caught.value)
    assert f"{F}:7: feature: unknown feature 'nonsense0'" in str(caught.value)
    assert "and 10 more" in str(caught.value)


def test_the_command_tells_by_its_exit_code(data, capsys):
    for problems, code in ((0, 0), (1, 1)):
        with pytest.raises(SystemExit) as ended:
            main(["data", "validate", str(data), "--json"])
        assert ended.value.code == code
        told = json.loads(capsys.readouterr().out)
        assert told["videos"] == 4
        assert len(told["problems"]) == problems
        (data / "videos" / "v0003.mp4").unlink(missing_ok=True)
    assert told["problems"][0]["row"] == 4


OPAQUE = ("v0001", "v1", "v99999", opaque_id("anything"))
TELLING = (
    "A0002",
    "smith19870512",
    "20210513",
    "v20210513",
    "p0001",
    "jane-doe",
    "ua6693lk",
    "v202105131200",
    "v 1",
    "v١",
)


@pytest.mark.parametrize("video_id", OPAQUE)
def test_an_id_that_says_nothing_stays(video_id):
    assert opaque_id(video_id) == video_id


@pytest.mark.parametrize("video_id", TELLING)
def test_an_id_that_may_say_something_is_hashed(video_id):
    assert opaque_id(video_id) != video_id
    assert opaque_id(video_id) == opaque_id(video_id)


@given(st.text(min_size=1))
def test_an_opaque_id_shows_nothing_of_a_longer_original(original):
    shown = opaque_id(original)
    assert shown == original or (shown[0] == "v" and len(shown) == 13 and not set(shown[1:]) - set("0123456789abcdef"))
    assert shown == original or len(original) < 3 or original not in shown


def test_the_ids_of_a_data_set_stay_apart_and_tell_nothing(data):
    for old, new in (("v0001", "smith"), ("v0002", "jones")):
        for file in (V, F, R):
            (data / file).write_text((data / file).read_text().replace(f"\n{old},", f"\n{new},"))
    dataset = load_dataset(data)
    assert len({video.id for video in dataset.videos}) == 4
    assert not {"smith", "jones"} & {video.id for video in dataset.videos}
    assert dataset.videos[0].features["tonic"].present == "yes"
    assert "p1" not in repr(dataset)
    assert "mp4" not in repr(dataset)


def test_a_link_out_of_the_data_set_is_refused_until_its_owner_allows_it(data, tmp_path):
    elsewhere = tmp_path / "elsewhere.mp4"
    (data / "videos" / "v0002.mp4").rename(elsewhere)
    (data / "videos" / "v0002.mp4").symlink_to(elsewhere)
    (problem,) = validate_dataset(data)[1]
    assert (problem.file, problem.row, problem.column) == ("videos.csv", 3, "file")
    assert "is a link that leads out of the data set" in problem.message
    assert str(elsewhere) not in str(problem)
    result = CliRunner().invoke(cli, ["data", "allow-links", str(data)])
    assert result.output == f"v0002 → {elsewhere}\n1 link to places outside {data} allowed\n"
    assert validate_dataset(data)[1] == []
    (data / "videos" / "v0002.mp4").unlink()
    (data / "videos" / "v0002.mp4").symlink_to("/etc/passwd")
    assert "leads out" in validate_dataset(data)[1][0].message


def test_a_folder_that_is_a_link_out_of_the_data_set_is_refused_alike(data, tmp_path):
    (data / "videos").rename(tmp_path / "elsewhere")
    (data / "videos").symlink_to(tmp_path / "elsewhere")
    assert len([problem for problem in validate_dataset(data)[1] if "leads out" in problem.message]) == 3


def test_a_link_within_the_data_set_is_followed(data):
    (data / "videos" / "v0002.mp4").rename(data / "kept.mp4")
    (data / "videos" / "v0002.mp4").symlink_to("../kept.mp4")
    assert validate_dataset(data)[1] == []


# the file, what is written into it, and what must be said
COSTLY = {
    "100,000 columns": (V, lambda text: ",".join(map(str, range(100_000))) + "\n", "100000 columns; at most"),
    "a name of 10 MB": (V, lambda text: text + f"{'v' * 10_000_000},p,,,,,,,\n", "field larger than field limit"),
    "a video of 1e300 s": (V, lambda text: text.replace(",test,60,", ",test,1e300,"), "is more than a week"),
    "a moment at 1e9 s": (F, lambda text: text.replace("yes,1,2.5", "yes,1,1e9"), "is more than a week"),
    "JSON nested 100,000 deep": ("dataset.json", lambda text: "[" * 100_000 + "]" * 100_000, "not valid JSON"),
    "a title of 10 MB": (
        "dataset.json",
        lambda text: text.replace('"small"', f'"{"a" * 10_000_000}"'),
        "at most 500 are allowed",
    ),
}


@pytest.mark.parametrize(("file", "change", "message"), COSTLY.values(), ids=COSTLY)
def test_what_a_strangers_table_could_cost_is_refused(data, file, change, message):
    (data / file).write_text(change((data / file).read_text()))
    problems = [str(problem) for problem in validate_dataset(data, media=False)[1]]
    assert any(message in problem for problem in problems), problems[:3]
    assert sum(map(len, problems)) < 10_000
