"""No file name, path, date or patient id reaches a run's files, a backend, or what is printed."""

from __future__ import annotations

import json
import shutil

import av
import pytest
from running import changed_table, journal, run_words

from s3harness.guard.redaction import MAX_LENGTH, Redactor

TELLTALE = ("jane_roe", "jane roe", "roe, jane", "mrn-4711", "1999-12", "kennedy")
"""Too long to be found by chance in the bytes of a video."""
FOLDER = "Jane_Roe 1999-12-31"

RECORDING = """
    import os
    from dataclasses import fields, is_dataclass

    import s3harness


    def told(thing):
        if is_dataclass(thing):
            return {field.name: told(getattr(thing, field.name)) for field in fields(thing)}
        return thing


    class RecordingBackend(s3harness.Backend):
        modalities = ("video", "audio")
        limits = s3harness.backends.base.Limits(attempts=1)

        async def __aenter__(self):
            with open(os.environ["RECEIVED"], "ab") as file:
                file.write(repr([vars(self), told(self.model), self.options]).encode())
            return self

        async def generate(self, request):
            frames = self.media.frames(request.clip)
            with open(os.environ["RECEIVED"], "ab") as file:
                file.write(repr([request, told(request), frames.timestamps]).encode())
                file.write(self.media.key(request.clip).encode() + self.media.mp4(request.clip))
            if request.subject == "video_and_report":
                raise OSError(2, "cannot read", os.environ["QUOTED"])
            return s3harness.Response(request.id, '{"description": "-", "answer": "ES"}')


    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.backend("recording", "recording:RecordingBackend")


    @s3harness.hookimpl
    def s3harness_run_started(run):
        with open(os.environ["RECEIVED"], "ab") as file:
            file.write(repr(told(run)).encode())


    @s3harness.hookimpl
    def s3harness_response(request, response):
        with open(os.environ["RECEIVED"], "ab") as file:
            file.write(repr([request, response]).encode())
"""


@pytest.fixture
def telling(dataset, tmp_path):
    """A data set whose every id, name, folder, tag and private file tells who the patients are."""
    data = shutil.copytree(dataset, tmp_path / FOLDER / "MRN-4711")
    names = {}
    with changed_table(data, "videos.csv") as rows:
        for number, row in enumerate(rows):
            names[row["video_id"]] = f"Jane_Roe_{number}-1999-12-31"
            old, new = data / row["file"], data / "videos" / FOLDER / f"MRN-4711 seizure {number}.mp4"
            new.parent.mkdir(exist_ok=True)
            tagged(old, new)
            row.update(video_id=names[row["video_id"]], file=str(new.relative_to(data)), archetype="Kennedy")
            row["patient_id"] = f"Roe, Jane {row['patient_id']}"
    for table in ("features.csv", "reports.csv"):
        with changed_table(data, table) as rows:
            for row in rows:
                row["video_id"] = names[row["video_id"]]
    (data / "private").mkdir()
    (data / "private" / "originals.csv").write_text("video_id,file\n0,Jane Roe 1999-12-31.avi\n")
    broken = sorted((data / "videos" / FOLDER).iterdir())
    broken[1].write_bytes(b"Jane Roe" * 500)
    broken[2].unlink()
    return data


def tagged(old, new):
    """The video again, with tags that tell."""
    with av.open(str(old)) as source, av.open(str(new), "w") as target:
        target.metadata.update(title="Jane Roe", comment="MRN-4711", creation_time="1999-12-31T00:00:00")
        copied = {stream: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = copied[packet.stream]
                target.mux(packet)
    old.unlink()


@pytest.mark.parametrize("is_relative", [False, True])
def test_nothing_that_tells_leaves_the_data_set(is_relative, s3, telling, tmp_path, monkeypatch):
    s3.plugin("recording", RECORDING)
    received = tmp_path / "received"
    received.touch()
    monkeypatch.chdir(tmp_path)
    data = telling.relative_to(tmp_path) if is_relative else telling
    quoted = sorted((data / "videos" / FOLDER).iterdir())[0]
    words = run_words(data, tmp_path / "out", tmp_path / "cache", "--tasks", "7", backend="recording")
    s3.set(RECEIVED=received, QUOTED=quoted)
    done = s3(*words)
    assert done.code == 1
    lines = journal(tmp_path / "out")
    assert {line["status"] for line in lines} == {"ok", "failed"}
    assert any("FileNotFoundError" in line.get("error", "") for line in lines), "the error that quoted a path is there"
    assert len(received.read_bytes()) > 10_000, "the backend was shown something"
    found = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    found |= {"received": received.read_bytes(), "printed": (done.out + done.err).encode()}
    assert {"responses.jsonl", "manifest.json", "items.jsonl", "scores.json", "task7_diagnosis.jsonl"} < set(found)
    assert [(name, word) for name, data in found.items() for word in TELLTALE if word.encode() in data.lower()] == []
    assert [name for name, data in found.items() if bytes(tmp_path) in data] == ["received", "printed"]


def test_a_table_of_answers_is_not_named_in_the_manifest(here, dataset, cache, tmp_path):
    (tmp_path / "Jane_Roe.csv").write_text("item,text\n")
    words = run_words(dataset, tmp_path / "out", cache, "--tasks", "7", "-o", f"path={tmp_path / 'Jane_Roe.csv'}")
    assert here(*words, "--backend", "recorded").code == 1
    manifest = (tmp_path / "out" / "manifest.json").read_text()
    assert "Jane" not in manifest
    assert str(tmp_path) not in manifest
    assert json.loads(manifest)["run"]["options"]["path"].startswith("<path ")


def test_a_key_is_not_in_the_manifest():
    from s3harness.rundir.manifest import redacted_option

    for name in ("api_key", "TOKEN", "password", "client_secret"):
        assert "hunter2" not in str(redacted_option(name, "hunter2"))
    assert redacted_option("temperature", 0.5) == 0.5


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("no such file: '/data/Jane Roe/x.mp4'", "no such file: '…'"),
        ("x.mp4 of p17 is broken", "… of … is broken"),
        ("cannot open ~/films/a.mp4: denied", "cannot open …: denied"),
        (r"cannot open C:\\films\\a.mp4, denied", "cannot open …, denied"),
        ("two\nlines\tof  text", "two lines of text"),
        ("videos/Jane/y.mp4 is broken", "videos… is broken"),
        ("nothing private", "nothing private"),
        ("", ""),
    ],
)
def test_the_words_of_a_data_set_and_paths_are_taken_out_of_errors(said, left):
    redact = Redactor({"p17", "x.mp4", "/data/Jane Roe/x.mp4", "/data/Jane Roe", "x"})
    assert redact(said) == left


def test_a_long_error_is_cut_after_it_was_redacted():
    assert redacted_length("a" * 1000) == MAX_LENGTH
    assert "Jane" not in Redactor({"Jane Roe"})("a" * (MAX_LENGTH - 4) + "Jane Roe")


def redacted_length(text: str) -> int:
    return len(Redactor(())(text))
