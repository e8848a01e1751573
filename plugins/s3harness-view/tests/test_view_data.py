"""Runs, items, media and verdicts as the server gives them."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import numpy as np
import pytest
from s3harness_view.journal_tail import JournalTail
from s3harness_view.verdict_file import ReaderVerdict, last_verdicts, read_verdicts, write_verdict

ITEM = "s3/task1_features/v0001/head_turning"


def test_all_runs_of_a_folder_are_listed_with_their_scores(room):
    runs = {run["name"]: run for run in room.json("/api/runs")["runs"]}
    assert set(runs) == {"floors", "oracle"}
    assert runs["oracle"]["sees_truth"]
    assert runs["oracle"]["answered"] == runs["oracle"]["requests"] > 50
    features = next(score for score in runs["oracle"]["scores"] if score["task"] == "s3/task1_features")
    assert (features["value"], features["is_final"]) == (1.0, True)


def test_each_item_stands_once_with_the_answer_of_each_run(room, made):
    table = room.json("/api/items", run=["oracle", "floors"])
    lines = (made / "runs" / "oracle" / "items.jsonl").read_text().splitlines()
    assert sorted(row[0] for row in table["rows"]) == sorted(json.loads(line)["item"] for line in lines)
    kinds = {kind for row in table["rows"] for kind in row[6][0][1]}
    assert kinds <= {"hit", "correctly absent", "untested in truth"}, "the truth makes no error"
    floors = {kind for row in table["rows"] for kind in row[6][1][1]}
    assert floors & {"missed", "hallucinated"}


def test_an_answer_is_found_by_a_part_of_its_text(room, made):
    entry = json.loads((made / "runs" / "oracle" / "responses.jsonl").read_text().splitlines()[-1])
    items = room.json("/api/search", run="oracle", q=entry["text"][1:].upper())
    assert entry["item"] in items
    assert len(items) < len(room.json("/api/items", run="oracle")["rows"])
    assert room.json("/api/search", run="oracle", q="no answer has this") == []


def test_an_item_shows_the_prompt_that_was_sent_and_how_the_answer_was_read(room, made):
    item = room.json("/api/item", run="oracle", item=ITEM)
    (run,) = item["runs"]
    request = run["requests"][0]
    journal = [json.loads(line) for line in (made / "runs" / "oracle" / "responses.jsonl").read_text().splitlines()]
    entry = next(line for line in journal if line["id"] == request["id"])
    sent = [json.loads(line) for line in (made / "runs" / "oracle" / "sent.jsonl").read_text().splitlines()]
    assert request["text"] == entry["text"]
    assert request["prompt"] == next(line["prompt"] for line in sent if line["id"] == entry["sent"]["prompt"])
    assert request["read"]["status"] == "clean"
    assert item["annotations"]["duration_s"] == pytest.approx(36, abs=1)


def test_a_video_comes_whole_and_in_ranges(room, made):
    whole = (made / "data" / "videos" / "v0001.mp4").read_bytes()
    assert room.ask("GET", "/media/video?video=v0001")[2] == whole
    status, headers, part = room.ask("GET", "/media/video?video=v0001", Range="bytes=100-199")
    assert (status, part) == (206, whole[100:200])
    assert headers["content-range"] == f"bytes 100-199/{len(whole)}"


def test_the_frames_are_those_that_the_record_names(room):
    item = room.json("/api/item", run="oracle", item=ITEM)
    media = item["runs"][0]["requests"][0]["media"]
    status, jpeg = room.get("/media/frame", run="oracle", record=media["id"], n=3)
    assert (status, jpeg[:3]) == (200, b"\xff\xd8\xff")
    assert room.get("/media/frame", run="oracle", record=media["id"], n=len(media["times_s"]))[0] == 404
    status, clip = room.get("/media/clip", run="oracle", record=media["id"])
    assert status == 200
    assert room.ask("GET", f"/media/clip?run=oracle&record={media['id']}", Range="bytes=-10")[2] == clip[-10:]
    assert 0 < max(room.json("/api/sound", video="v0001")) <= 1


def encode(path, codec, container, audio, size=(96, 64)):
    """Three seconds of a moving square, with a tone."""
    with av.open(str(path), "w", format=container) as out:
        video = out.add_stream(codec, rate=25)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        sound = out.add_stream(audio, rate=44100, layout="mono", bit_rate=64000)
        for n in range(75):
            pixels = np.zeros((size[1], size[0], 3), np.uint8)
            pixels[10:40, n % 60 : n % 60 + 20] = 255
            out.mux(video.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        out.mux(video.encode(None))
        tone = (8000 * np.sin(np.arange(3 * 44100) / 20)).astype(np.int16)
        fifo = av.AudioFifo()
        frame = av.AudioFrame.from_ndarray(tone.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 44100
        resampled = av.AudioResampler(format=sound.codec_context.format, layout="mono", rate=44100).resample(frame)
        for part in resampled:
            part.pts = None
            fifo.write(part)
        while part := fifo.read(sound.codec_context.frame_size or 1024, partial=True):
            out.mux(sound.encode(part))
        out.mux(sound.encode(None))


UNPLAYED = {
    "avi": ("mpeg4", "avi", "mp2"),
    "wmv": ("wmv2", "asf", "wmav2"),
    "mpg": ("mpeg2video", "mpeg", "mp2"),
    "mov": ("libx265", "mov", "aac"),
}


@pytest.fixture(scope="session")
def old_formats(made, tmp_path_factory):
    """A data set with recordings in formats that no browser plays."""
    data = tmp_path_factory.mktemp("formats") / "data"
    shutil.copytree(made / "data", data)
    for name, how in UNPLAYED.items():
        encode(data / "videos" / f"old.{name}", *how)
    table = (data / "videos.csv").read_text().splitlines()
    head, first = table[0].split(","), table[1].split(",")
    rows = []
    for number, name in enumerate(UNPLAYED, start=1):
        row = dict(zip(head, first, strict=True)) | {"video_id": f"v010{number}", "file": f"videos/old.{name}"}
        row |= {"duration_s": "3", "onset_s": "", "offset_s": ""}
        rows.append(",".join(row[key] for key in head))
    (data / "videos.csv").write_text("\n".join([*table, *rows]) + "\n")
    return data


def test_videos_that_no_browser_plays_come_as_copies_that_all_play(made, old_formats, serve):
    server = serve("view", made / "runs", "--data", old_formats)
    for number in range(1, len(UNPLAYED) + 1):
        status, data = server.get("/media/video", video=f"v010{number}")
        assert status == 200, data
        path = made / f"copy{number}.mp4"
        path.write_bytes(data)
        with av.open(str(path)) as container:
            assert container.streams.video[0].codec_context.name == "h264"
            assert container.streams.audio[0].codec_context.name == "aac"
            assert len(list(container.decode(video=0))) == pytest.approx(75, abs=2)
    copies = list((made / "cache" / "media" / "browser").iterdir())
    assert len(copies) == len(UNPLAYED)
    assert all(path.suffix == ".mp4" for path in copies)
    assert (made / "cache" / "media" / "browser").stat().st_mode & 0o077 == 0


def test_a_missing_video_is_named_and_its_answers_are_shown(made, tmp_path, serve):
    shutil.copytree(made / "data", tmp_path / "data")
    (tmp_path / "data" / "videos" / "v0001.mp4").unlink()
    server = serve("view", made / "runs", "--data", tmp_path / "data")
    status, data = server.get("/media/video", video="v0001")
    assert (status, json.loads(data)) == (404, {"error": "video v0001: its file is missing"})
    assert server.json("/api/item", run="oracle", item=ITEM)["runs"][0]["requests"][0]["text"]


def test_another_data_set_shows_no_video_beside_the_answers(made, tmp_path, serve):
    shutil.copytree(made / "data", tmp_path / "data")
    with (tmp_path / "data" / "features.csv").open("a") as file:
        file.write("\n")
    server = serve("view", made / "runs", "--data", tmp_path / "data")
    item = server.json("/api/item", run="oracle", item=ITEM)
    assert "not that of this run" in item["media_note"]
    assert item["annotations"] is None


def test_a_run_seen_through_a_transform_is_shown_through_it(made, serve):
    out = made / "mirrored"
    command = ["run", "--backend", "oracle", "--data", made / "data", "--out", out, "--transform", "mirror"]
    subprocess.run([sys.executable, "-m", "s3harness", *map(str, [*command, "--tasks", "1"])], check=True)
    server = serve("view", out, made / "runs" / "oracle", "--data", made / "data")
    images = []
    for name in ("mirrored", "oracle"):
        (run,) = server.json("/api/item", run=name, item=ITEM)["runs"]
        _, jpeg = server.get("/media/frame", run=name, record=run["requests"][0]["media"]["id"], n=0)
        (made / "frame.jpg").write_bytes(jpeg)
        with av.open(str(made / "frame.jpg")) as container:
            images.append(next(container.decode(video=0)).to_ndarray(format="gray").astype(int))
    server.stop()
    mirrored, plain = images
    assert np.abs(mirrored[:, ::-1] - plain).mean() < 4 < np.abs(mirrored - plain).mean()


def test_a_hostile_answer_of_ten_million_characters_comes_in_parts(made, tmp_path, serve):
    run = tmp_path / "hostile"
    shutil.copytree(made / "runs" / "floors", run)
    text = "</script><script>document.title='owned'</script>\u202e" + "x" * 10_000_000
    lines = [json.loads(line) for line in (run / "responses.jsonl").read_text().splitlines()]
    lines = [line | {"text": text} if line["item"] == ITEM else line for line in lines]
    (run / "responses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    server = serve("view", run, "--data", made / "data")
    started = time.monotonic()
    item = server.json("/api/item", run="hostile", item=ITEM)
    request = item["runs"][0]["requests"][0]
    assert (len(request["text"]), request["chars"]) == (20_000, len(text))
    assert (
        server.json("/api/text", **{"run": "hostile", "request": request["id"], "from": 20_000, "chars": 10})
        == "x" * 10
    )
    assert time.monotonic() - started < 60


def test_a_run_that_goes_on_shows_its_progress_and_running_scores(made, tmp_path, serve):
    run = tmp_path / "live"
    shutil.copytree(made / "runs" / "oracle", run)
    # Reports first: in which order the oracle answered is not known, and their score is looked at below.
    journal = (run / "responses.jsonl").read_bytes().splitlines(keepends=True)
    journal.sort(key=lambda line: b"s3/task6_report" not in line)
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"status": "running"}))
    (run / "scores.json").unlink()
    (run / "responses.jsonl").write_bytes(b"".join(journal[:40]))
    server = serve("view", run)
    (first,) = server.json("/api/runs")["runs"]
    assert (first["answered"], first["requests"], first["status"]) == (40, len(journal), "running")
    assert not any(score["is_final"] for score in first["scores"])
    time.sleep(2.5)
    with (run / "responses.jsonl").open("ab") as file:
        file.write(b"".join(journal[40:60]) + journal[60][:50])
    (second,) = server.json("/api/runs")["runs"]
    assert second["answered"] == 60, "a torn line is not counted"
    assert second["per_minute"] > 0
    before = sum(score["answered"] for score in first["scores"])
    # Scores follow after a pause that grows with the time that scoring takes.
    while sum(score["answered"] for score in second["scores"]) <= before:
        time.sleep(0.5)
        (second,) = server.json("/api/runs")["runs"]
    assert {score["task"]: score["value"] for score in second["scores"]}["s3/task6_report"] == 100.0


def test_a_journal_is_read_only_where_it_has_grown(tmp_path):
    path = tmp_path / "responses.jsonl"
    line = b'{"id": "%d", "status": "%s"}\n'
    path.write_bytes(line % (1, b"failed") + line % (2, b"ok"))
    tail = JournalTail(path)
    tail.look()
    assert (tail.answered, tail.failed) == (1, 1)
    with path.open("ab") as file:
        file.write(line % (1, b"ok") + line % (3, b"refused") + b'{"id": "4", "st')
    tail.look()
    assert (tail.answered, tail.failed) == (3, 0)
    path.write_bytes(line % (9, b"ok"))
    tail.look()
    assert (tail.answered, tail.failed) == (1, 0)


def test_a_verdict_is_written_with_its_reader_its_time_and_what_was_visible(made, tmp_path, serve):
    run = tmp_path / "judged"
    shutil.copytree(made / "runs" / "floors", run)
    server = serve("view", run, "--data", made / "data", "--reader", "anna", "--blind")
    assert [entry["name"] for entry in server.json("/api/runs")["runs"]] == ["A"]
    assert "floors" not in json.dumps(server.json("/api/runs"))
    assert "floors" not in json.dumps(server.json("/api/item", run="A", item=ITEM))
    verdict = {"run": "A", "item": ITEM, "target": "answer", "verdict": "wrong", "visible": {"truth": False, "x": 1}}
    assert server.post("/api/verdict", verdict) == (200, {"written": True})
    assert server.post("/api/verdict", verdict | {"verdict": "brilliant"})[0] == 400
    assert server.post("/api/verdict", verdict | {"item": "no such item"})[0] == 400
    assert server.post("/api/verdict", [])[0] == 400
    assert server.post("/api/verdict", verdict | {"run": "../floors"})[0] == 404
    server.stop()
    (line,) = (run / "verdicts.jsonl").read_text().splitlines()
    written = json.loads(line)
    assert (written["reader"], written["verdict"]) == ("anna", "wrong")
    assert written["visible"] == {"truth": False, "model": False}
    assert (run / "verdicts.jsonl").stat().st_mode & 0o077 == 0


def verdict(n, word="right", **more):
    fields = {"reader": "anna", "at": "2026-01-01T00:00:00+00:00", "item": f"i{n}", "target": "answer"}
    return ReaderVerdict(**fields | {"verdict": word} | more)


def test_two_who_judge_at_once_lose_nothing(tmp_path):
    def judge(reader):
        for n in range(100):
            write_verdict(tmp_path, verdict(n, reader=reader, comment="x" * 3000))

    threads = [threading.Thread(target=judge, args=(f"r{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(read_verdicts(tmp_path))) == 400


def test_a_torn_verdict_is_passed_over_and_the_next_one_stands_whole(tmp_path):
    write_verdict(tmp_path, verdict(1))
    with (tmp_path / "verdicts.jsonl").open("ab") as file:
        file.write(b'{"reader": "an')
    write_verdict(tmp_path, verdict(2, "wrong"))
    write_verdict(tmp_path, verdict(1, "withdrawn"))
    assert [v.item for v in read_verdicts(tmp_path)] == ["i1", "i2", "i1"]
    assert [v.item for v in last_verdicts(tmp_path)] == ["i2"]


def test_a_server_killed_while_it_writes_loses_no_confirmed_verdict(made, tmp_path, serve):
    run = tmp_path / "killed"
    shutil.copytree(made / "runs" / "floors", run)
    server = serve("view", run)
    items = [row[0] for row in server.json("/api/items", run="killed")["rows"]]
    confirmed = []

    def judge():
        for item in items:
            data = {"run": "killed", "item": item, "target": "answer", "verdict": "right"}
            try:
                status, _ = server.post("/api/verdict", data)
            except OSError:
                return
            if status == 200:
                confirmed.append(item)

    thread = threading.Thread(target=judge)
    thread.start()
    time.sleep(1.0)
    server.stop(signal.SIGKILL)
    thread.join()
    written = [v.item for v in read_verdicts(run)]
    assert confirmed
    assert set(confirmed) <= set(written)


def test_the_application_has_no_address_of_another_host():
    static = Path(__file__).parents[1] / "s3harness_view" / "static"
    texts = {path.name: path.read_text() for path in static.iterdir()}
    for name, text in texts.items():
        assert "innerHTML" not in text, name
        assert not re.search(r"https?:|url\(", text.replace("http://www.w3.org/2000/svg", "")), name
