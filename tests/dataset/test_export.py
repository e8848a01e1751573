"""An exported data set is read by the real library as it was, and tells nothing that the tables do not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import yaml
from small_data import encode, make, plant

from s3harness.cli import main
from s3harness.dataset.export import export_dataset
from s3harness.dataset.load import load_dataset
from s3harness.types import FeatureLabel, Video

PRIVATE = {
    "title": "Huber Anna",
    "comment": "bed 4",
    "creation_time": "2021-03-14T10:00:00Z",
    "location": "+48.1000+011.5000/",
}


def call(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    printed = capsys.readouterr()
    return ended.value.code or 0, printed.out + printed.err


def loaded(folder: Path, cache: Path):
    """Return what Hugging Face makes of the folder; videos as paths, for decoding needs a library of its own."""
    import datasets

    splits = datasets.load_dataset(str(folder), cache_dir=str(cache))
    if "video" in next(iter(splits.values())).features:
        splits = splits.cast_column("video", datasets.Video(decode=False))
    return splits


def as_video(row, split) -> Video:
    labels = {
        sign["feature"]: FeatureLabel(
            sign["present"], sign["start_s"], sign["end_s"], sign["side"], sign["justification"] or ""
        )
        for sign in row["features"]
    }
    return Video(
        id=row["video_id"],
        patient=row["patient"],
        duration_s=row["duration_s"],
        diagnosis=row["diagnosis"],
        split="" if split == "unassigned" else split,
        onset_s=row["onset_s"],
        offset_s=row["offset_s"],
        onset_body_part=row["onset_body_part"] or "",
        features=labels,
        report=row["report"] or "",
    )


def equal_videos(data: Path):
    """Return the videos of a data set with numbers for patients and without paths, by id."""
    numbers: dict[str, int] = {}
    videos = {}
    for video in load_dataset(data).videos:
        number = numbers.setdefault(video.patient, len(numbers) + 1)
        fields = {name: getattr(video, name) for name in Video.__slots__ if name not in ("patient", "path")}
        videos[video.id] = Video(patient=f"p{number:04}", **fields)
    return videos


@pytest.mark.parametrize("words", [[], ["--no-video"]], ids=["videos", "no videos"])
@pytest.mark.parametrize("form", ["parquet", "hub"])
def test_what_was_exported_is_read_back_equal(tmp_path, capsys, data, form, words):
    plant(data, "videos.csv", "v0004,p3,,,test", "v0004,p3,,,")
    plant(data, "videos.csv", "v0003,p2,videos/v0003.mp4,NES,test", "v0003,p2,videos/v0003.mp4,NES,")
    code, output = call(capsys, "data", "export", data, "--format", form, "--output", tmp_path / "out", *words)
    assert code == 0, output
    assert f"4 videos (train 2, unassigned 2), {0 if words else 3} with a file" in output
    splits = loaded(tmp_path / "out", tmp_path / "cache")
    rows = [(row, split) for split, table in splits.items() for row in table]
    assert {row["video_id"]: as_video(row, split) for row, split in rows} == equal_videos(data)
    if words:
        assert not {"video", "file", "file_name"} & set(splits["train"].features)
        assert not list((tmp_path / "out").rglob("*.mp4"))
        return
    for row, _ in rows:
        file = row["video"]["path"] if form == "hub" and row["video"] else row.get("file")
        assert (file is None) is (row["video_id"] == "v0004")
        assert file is None or (tmp_path / "out" / file).name == f"{row['video_id']}.mp4"
        assert file is None or (tmp_path / "out" / file).is_file()


def test_the_columns_of_the_card_are_those_of_the_tables(tmp_path, data):
    import datasets

    for form in ("parquet", "hub"):
        export_dataset(data, tmp_path / form, form=form)
        header = yaml.safe_load((tmp_path / form / "README.md").read_text().split("---")[1])
        described = datasets.Features._from_yaml_list(header["dataset_info"]["features"])
        table = loaded(tmp_path / form, tmp_path / "cache")["train"]
        if form == "hub":
            described["video"] = datasets.Video(decode=False)
        assert described == table.features


@pytest.mark.parametrize(
    ("licence", "header"),
    [
        ("CC BY 4.0", {"license": "cc-by-4.0"}),
        ("cc0-1.0", {"license": "cc0-1.0"}),
        ("internal use", {"license": "other", "license_name": "internal-use"}),
        ("", {"license": "other", "license_name": "not-given"}),
    ],
)
def test_the_card_names_the_licence_and_the_splits(tmp_path, data, licence, header):
    about = {"schema": "s3harness/dataset/v1", "name": "a\n# b", "version": "1", "licence": licence}
    (data / "dataset.json").write_text(json.dumps(about))
    export_dataset(data, tmp_path / "out", form="parquet", with_videos=False)
    card = (tmp_path / "out" / "README.md").read_text()
    read = yaml.safe_load(card.split("---")[1])
    assert header.items() <= read.items()
    assert read["pretty_name"] == "a # b"
    assert "\n# b" not in card
    assert "| train | 2 |\n| test | 2 |" in card


@pytest.fixture
def telling(tmp_path) -> Path:
    """A data set whose patients, files and containers name a patient, a ward and a day."""
    from av.container import OutputContainer

    source = tmp_path / "Huber_2021-03-14.mp4"
    container: OutputContainer
    with av.open(str(source), "w", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(PRIVATE)
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        stream.metadata.update(handler_name="SN4711", timecode="10:11:12:00")
        for n in range(20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), 100 + n, np.uint8))))
        container.mux(stream.encode(None))
    data = make(tmp_path / "data", source)
    for file in ("videos.csv", "features.csv", "reports.csv"):
        text = (data / file).read_text().replace("v0003", "huber_v3").replace("p2,", "Huber Anna,")
        (data / file).write_text(text)
    (data / "videos" / "v0003.mp4").rename(data / "videos" / "huber_v3.mp4")
    return data


@pytest.mark.parametrize("form", ["parquet", "hub"])
def test_no_name_path_or_day_is_in_any_file(tmp_path, telling, form):
    assert b"Huber" in (telling / "videos" / "v0001.mp4").read_bytes()
    export_dataset(telling, tmp_path / "out", form=form)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) == 6
    for path in files:
        held = path.read_bytes().lower() + str(path.relative_to(tmp_path / "out")).encode().lower()
        for word in (b"huber", b"anna", b"bed 4", b"2021", b"+48", b"sn4711", b"10:11", str(telling).encode().lower()):
            assert word not in held, (path.name, word)


def test_pictures_and_times_stay_as_they_are(tmp_path, telling):
    export_dataset(telling, tmp_path / "out", form="parquet")

    def pictures(path):
        with av.open(str(path)) as container:
            return [(frame.time, frame.to_ndarray().tobytes()) for frame in container.decode(video=0)]

    assert pictures(tmp_path / "out" / "videos" / "v0001.mp4") == pictures(telling / "videos" / "v0001.mp4")


def test_a_container_that_hugging_face_does_not_know_becomes_matroska(tmp_path, video_file):
    data = make(tmp_path / "data", video_file)
    encode(data / "videos" / "v0001.ts")
    plant(data, "videos.csv", "videos/v0001.mp4", "videos/v0001.ts")
    export_dataset(data, tmp_path / "out", form="hub")
    rows = loaded(tmp_path / "out", tmp_path / "cache")["train"]
    assert {Path(row["video"]["path"]).name for row in rows} == {"v0001.mkv", "v0002.mp4"}


PLANTED = {
    "a report": ("reports.csv", "The head turns.", "Frau Huber turns the head."),
    "a justification": ("features.csv", "The arm, stiff", "Seen on 14.03.2019"),
    "a patient's name": ("reports.csv", "The head turns.", "The head of p1 turns."),
    "the name of the data set": ("dataset.json", "small", "Frau Huber"),
    "a split": ("videos.csv", "NES,test,4", "NES,test_2019_03_14,4"),
}


@pytest.mark.parametrize(("file", "old", "new"), PLANTED.values(), ids=PLANTED)
def test_identifiers_are_refused_and_nothing_is_left(tmp_path, capsys, data, file, old, new):
    plant(data, file, old, new)
    code, output = call(capsys, "data", "export", data, "--output", tmp_path / "out")
    assert code == 2
    assert "1 identifier would reach whoever gets the export" in output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_likely_ones_are_confirmed_and_others_need_a_reason_that_the_card_tells(tmp_path, capsys, data):
    plant(data, "reports.csv", "The head turns.", "Anna turns the head.")
    export = ["data", "export", data, "--no-video", "--output"]
    code, output = call(capsys, *export, tmp_path / "out")
    assert code == 2
    reviewed = output.split("--reviewed ")[1].split()[0]
    assert call(capsys, *export, tmp_path / "out", "--reviewed", reviewed)[0] == 0
    plant(data, "reports.csv", "Anna turns the head.", "Frau Huber turns the head.")
    code, output = call(capsys, *export, tmp_path / "named", "--allow-identifiers", "asked Frau Huber")
    assert code == 2
    assert "--allow-identifiers" in output
    assert call(capsys, *export, tmp_path / "named", "--allow-identifiers", "an actor, who agreed")[0] == 0
    card = (tmp_path / "named" / "README.md").read_text()
    assert "The owner let identifiers through (name: 1). Reason: an actor, who agreed" in card
    assert "The owner" not in (tmp_path / "out" / "README.md").read_text()


WRONG = {
    "a missing file": ([], "v0001.mp4", "v0009.mp4", "the file of video v0001 is missing"),
    "a file that is no video": ([], "videos/v0001.mp4", "dataset.json", "v0001: the video cannot be copied"),
    "a split's name": ([], "NES,test,4", "NES,site A,4", "no split named 'site A'"),
    "the name of all splits": ([], "NES,test,4", "NES,all,4", "no split named 'all'"),
    "a split without files": (["--format", "hub"], "videos/v0003.mp4", "", "no video of split test has a file"),
}


@pytest.mark.parametrize(("words", "old", "new", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_exported_is_named_with_a_remedy(tmp_path, capsys, data, words, old, new, message):
    plant(data, "videos.csv", old, new)
    code, output = call(capsys, "data", "export", data, "--output", tmp_path / "out", *words)
    assert code in (1, 2)
    assert message in output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_a_disk_that_refuses_is_named(tmp_path, capsys, data):
    (tmp_path / "file").write_text("")
    code, output = call(capsys, "data", "export", data, "--no-video", "--output", tmp_path / "file" / "out")
    assert code == 1
    assert "cannot be written: Not a directory" in output or "cannot be written: File exists" in output


def test_a_folder_that_is_there_stays_as_it_is(tmp_path, capsys, data):
    (tmp_path / "out").mkdir()
    code, output = call(capsys, "data", "export", data, "--output", tmp_path / "out")
    assert code == 2
    assert "exists; name another --output" in output
    assert list((tmp_path / "out").iterdir()) == []


def test_without_the_library_the_command_says_what_to_install(tmp_path, capsys, monkeypatch, data):
    monkeypatch.setitem(sys.modules, "datasets", None)
    code, output = call(capsys, "data", "export", data, "--output", tmp_path / "out")
    assert code == 2
    assert "pip install 's3harness[datasets]'" in output
