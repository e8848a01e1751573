"""A video that cannot be shown is its own failure, counted and named; the rest of the run does not notice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import av
import pytest
from running import answers, changed_table, journal, primary, run_words, scores

TASKS = ("--tasks", "1,6,7")


def corrupt(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 40)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


def missing(path: Path) -> None:
    path.unlink()


def zero_length(path: Path) -> None:
    """A container without a single frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()


def sound_alone(path: Path) -> None:
    remux(path, "audio")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def without_sound(path: Path) -> None:
    remux(path, "video")


def remux(path: Path, kind: str) -> None:
    whole = path.with_name("whole.mp4")
    path.rename(whole)
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = source.streams.get(**{kind: 0})[0]
        copied = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copied
                target.mux(packet)
    whole.unlink()


BREAK = [corrupt, empty, truncated, missing, zero_length, sound_alone, folder]


@pytest.fixture(scope="module")
def whole(dataset, cache, tmp_path_factory):
    """An undisturbed run of the tasks at hand, by the oracle."""
    from running import Here

    out = tmp_path_factory.mktemp("whole") / "out"
    assert Here(out.parent)(*run_words(dataset, out, cache, *TASKS, backend="oracle")).code == 0
    return out


@pytest.mark.parametrize("spoil", BREAK, ids=lambda spoil: spoil.__name__)
def test_one_bad_video_among_good_ones_and_its_mending(spoil, here, copy, dataset, cache, tmp_path, whole):
    bad = copy / "videos" / "v0002.mp4"
    spoil(bad)
    words = run_words(copy, out := tmp_path / "out", cache, *TASKS, backend="oracle")
    done = here(*words)
    assert done.code == 1
    wanted = answers(whole)
    lost = {key for key, line in wanted.items() if line["clip"]["video_id"] == "v0002"}
    found = answers(out)
    assert {key for key, line in found.items() if line["status"] == "failed"} == lost
    assert all(found[key]["error"].startswith("video v0002: ") for key in lost), "every failure says why"
    assert {k: v for k, v in found.items() if k not in lost} == {k: v for k, v in wanted.items() if k not in lost}
    assert f"{len(lost)} of {len(wanted)} requests failed" in done.err
    assert "--resume" in done.err
    for task, row in primary(out).items():
        n_lost = primary(whole)[task]["n_items"] - sum(_is_answered(line) for line in _predictions(out, task))
        assert row["n_items"] == primary(whole)[task]["n_items"], "failures stay among the items"
        assert row["coverage"] == pytest.approx(1 - n_lost / row["n_items"])
        assert row["lost"] == {"failed": n_lost}
        assert row["value"] < primary(whole)[task]["value"], "a failure counts as wrong"
    before = (out / "responses.jsonl").read_bytes()
    shutil.rmtree(bad) if bad.is_dir() else bad.unlink(missing_ok=True)
    shutil.copy(dataset / "videos" / "v0002.mp4", bad)
    mended = here(*words, "--resume")
    assert mended.code == 0, mended.err
    assert f"{len(lost)} of {len(lost)} requests, 0 failed" in mended.err, "only what failed is asked again"
    assert (out / "responses.jsonl").read_bytes().startswith(before)
    assert {line["id"]: _untimed(line) for line in journal(out)} == wanted
    assert (out / "scores.json").read_bytes() == (whole / "scores.json").read_bytes()
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["failed"] == 0


def test_a_bad_video_that_stays_bad_is_journalled_once(here, copy, cache, tmp_path):
    corrupt(copy / "videos" / "v0002.mp4")
    words = run_words(copy, out := tmp_path / "out", cache, "--tasks", "7")
    assert here(*words).code == 1
    before = (out / "responses.jsonl").read_bytes()
    assert here(*words, "--resume").code == 1
    assert (out / "responses.jsonl").read_bytes() == before


def test_what_failed_is_told_by_cause_and_video(here, copy, cache, tmp_path):
    for name in ("v0001", "v0002"):
        corrupt(copy / "videos" / f"{name}.mp4")
    empty(copy / "videos" / "v0003.mp4")
    told = here(*run_words(copy, tmp_path / "out", cache, "--tasks", "7")).err.splitlines()
    causes = [line for line in told if line.startswith("failed: ")]
    assert [line.split(": ")[1] for line in causes] == ["4 of v0001, v0002", "2 of v0003"], told
    assert "the file is empty" in causes[1]


def test_a_video_without_sound_is_seen_all_the_same(here, copy, cache, tmp_path, whole):
    without_sound(copy / "videos" / "v0002.mp4")
    done = here(*run_words(copy, out := tmp_path / "out", cache, *TASKS, backend="oracle"))
    assert done.code == 0, done.err
    assert (out / "scores.json").read_bytes() == (whole / "scores.json").read_bytes()


LISTENING = """
    import s3harness


    class ListeningBackend(s3harness.Backend):
        modalities = ("video", "audio")

        async def generate(self, request):
            frames = self.media.frames(request.clip)
            sound = self.media.audio(request.clip, 16000)
            return s3harness.Response(request.id, '{"description": "loud", "answer": "ES"}')


    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.backend("listening", "listening:ListeningBackend")
"""


def test_sound_that_is_not_there_fails_who_asks_for_it_and_is_not_tried_again(s3, copy, cache, tmp_path):
    s3.plugin("listening", LISTENING)
    without_sound(copy / "videos" / "v0002.mp4")
    words = run_words(copy, out := tmp_path / "out", cache, "--tasks", "7", backend="listening")
    assert s3(*words).code == 1
    failed = [line for line in journal(out) if line["status"] == "failed"]
    assert {line["clip"]["video_id"] for line in failed} == {"v0002"}
    assert {line["error"] for line in failed} == {"video v0002: the video has no audio track"}
    assert not any("attempts" in line for line in failed)


def test_who_looks_before_listening_answers_for_a_silent_video_by_what_is_seen(s3, copy, cache, tmp_path):
    without_sound(copy / "videos" / "v0002.mp4")
    assert s3(*run_words(copy, out := tmp_path / "out", cache, "--tasks", "7", backend="kinematics")).code == 0
    assert {line["status"] for line in journal(out)} == {"ok"}


def test_no_video_at_all_is_the_worst_score_of_each_task(here, copy, cache, tmp_path):
    for number, path in enumerate(sorted((copy / "videos").iterdir())):
        BREAK[number % len(BREAK)](path)
    done = here(*run_words(copy, out := tmp_path / "out", cache, backend="oracle"))
    assert done.code == 1
    assert {line["status"] for line in journal(out)} == {"failed"}
    rows = scores(out).values()
    assert {row["task"][:8] for row in rows} == {f"s3/task{n}" for n in range(1, 8)}
    for row in rows:
        if row["primary"]:
            assert row["value"] is not None, "a task that failed has the score of answers that are all wrong"
            assert row["skill"] < 0, row["task"]
        assert row["coverage"] == 0
        assert row["lost"] == {"failed": row["n_items"]}


def test_a_video_of_unknown_length_is_asked_in_full_once_it_can_be_read(here, copy, dataset, cache, tmp_path, whole):
    with changed_table(copy, "videos.csv") as rows:
        for row in rows:
            row["duration_s"] = ""
    bad = copy / "videos" / "v0002.mp4"
    corrupt(bad)
    words = run_words(copy, out := tmp_path / "out", cache, *TASKS, backend="oracle")
    assert here(*words).code == 1
    shutil.copy(dataset / "videos" / "v0002.mp4", bad)
    mended = here(*words, "--resume")
    assert mended.code == 0, mended.err
    assert (out / "scores.json").read_bytes() == (whole / "scores.json").read_bytes()


def _predictions(out: Path, task: str) -> list[dict[str, object]]:
    path = next((out / "predictions").glob(f"{task}_*.jsonl"))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    counted = [line for line in lines if line["truth"] != "untested"]
    return [line for line in counted if task != "task7" or line["subject"] == "video"]


def _is_answered(line: dict[str, object]) -> bool:
    return line["status"] == "answered"


def _untimed(line: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in line.items() if key != "latency_s"}
