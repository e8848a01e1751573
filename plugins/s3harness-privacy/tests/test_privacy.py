"""Transforms hide what they should, on rendered videos; undetected faces are hidden with the whole picture."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from s3harness_privacy import leakage
from s3harness_privacy.face_blur import MEMORY_S, face_blur
from s3harness_privacy.face_detection import find_faces, has_face
from s3harness_privacy.leakage import measure_leakage
from s3harness_privacy.mute import mute
from s3harness_privacy.silhouette import silhouette

import s3harness
from s3harness.cli import main
from s3harness.plugins.manager import manager

NAMES = ("face_blur", "silhouette", "mute")
PIXELS = 480 * 270


def command(*words: object, **variables: str) -> tuple[int, str, str]:
    """The command line in this process, with variables of the environment; plugins are looked for anew."""
    out, err = io.StringIO(), io.StringIO()
    with patch.dict(os.environ, variables), redirect_stdout(out), redirect_stderr(err):
        manager.cache_clear()
        try:
            main([str(word) for word in words])
        except SystemExit as ended:
            return int(ended.code or 0), out.getvalue(), err.getvalue()
        finally:
            manager.cache_clear()
    raise AssertionError("the command line always exits")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("privacy")


@pytest.fixture(scope="module")
def data(folder: Path) -> Path:
    """Four videos of 6 s, large enough for a face to be detected."""
    words = ["--videos", 4, "--seconds", 6, "--resolution", "480x270", "--fps", 2, "--seed", 11]
    code, _, err = command("data", "synth", "--out", folder / "data", *words)
    assert code == 0, err
    return folder / "data"


@pytest.fixture(scope="module")
def originals(data: Path, folder: Path) -> list[s3harness.Frames]:
    """The pictures of every video."""
    store = s3harness.media_store(folder / "cache")
    frames = []
    for video in s3harness.load_dataset(data).videos:
        clip = s3harness.Clip(video.id, 0.0, 6.0, tuple(n / 2 for n in range(12)), PIXELS)
        store.prepare(video, [clip])
        frames.append(store.frames(clip))
    return frames


@pytest.fixture(scope="module")
def faced(originals: list[s3harness.Frames]) -> s3harness.Frames:
    """The pictures of a video, in each of which both detectors detect a face."""
    with_face = [[p for p in frames.pixels if find_faces(p) and has_face(p)] for frames in originals]
    pictures = max(with_face, key=len)
    assert len(pictures) >= 3, "the detectors find faces in rendered videos, or nothing here proves anything"
    return s3harness.Frames(np.stack(pictures), tuple(float(n) for n in range(len(pictures))))


def test_no_face_is_left_for_another_detector_and_the_rest_of_the_picture_stays(faced):
    shown = face_blur(faced)
    assert not any(has_face(picture) for picture in shown.pixels)
    assert shown.timestamps == faced.timestamps
    untouched = (shown.pixels == faced.pixels).all(axis=3).mean()
    assert 0.3 < untouched < 0.999


def test_a_picture_without_any_detected_face_near_it_is_hidden_as_a_whole(faced):
    scene = np.random.default_rng(0).integers(0, 256, (270, 480, 3), np.uint8)
    assert not find_faces(scene)
    shown = face_blur(s3harness.Frames(scene[None], (0.0,))).pixels[0]
    assert np.abs(np.diff(shown.astype(int), axis=0)).max() < 16, "nothing finer than a cell is left"
    late = s3harness.Frames(np.stack([faced.pixels[0], scene]), (0.0, MEMORY_S + 1))
    np.testing.assert_array_equal(face_blur(late).pixels[1], shown)


def test_a_face_that_is_missed_is_hidden_where_it_was_before(faced):
    first = faced.pixels[0]
    box = find_faces(first)[0]
    y, x, h, w = (round(v) for v in (box.y, box.x, box.height, box.width))
    missed = first.copy()
    missed[y : y + h, x : x + w] = np.random.default_rng(0).integers(0, 256, (h, w, 3), np.uint8)
    assert not [b for b in find_faces(missed) if abs(b.x - box.x) < w / 2 and abs(b.y - box.y) < h / 2]
    shown = face_blur(s3harness.Frames(np.stack([first, missed]), (0.0, 1.0))).pixels[1]
    before, after = (p[y : y + h, x : x + w].astype(float) for p in (missed, shown))
    assert np.abs(np.diff(after, axis=1)).mean() < 0.35 * np.abs(np.diff(before, axis=1)).mean()


def test_a_face_hidden_in_colour_depends_on_nothing_but_the_pictures(faced):
    np.testing.assert_array_equal(face_blur(faced).pixels, face_blur(faced).pixels)


def test_a_silhouette_has_two_levels_and_shows_what_moves(originals):
    for frames in originals:
        assert set(np.unique(silhouette(frames).pixels)) <= {0, 255}
    still = np.full((9, 60, 80, 3), 90, np.uint8)
    moving = still.copy()
    for n, picture in enumerate(moving):
        picture[20:40, 8 * n : 8 * n + 12] = 200
    times = tuple(float(n) for n in range(9))
    assert not silhouette(s3harness.Frames(still, times)).pixels.any()
    white = silhouette(s3harness.Frames(moving, times)).pixels[:, :, :, 0] == 255
    wanted = moving[:, :, :, 0] == 200
    assert (white & wanted).sum() / (white | wanted).sum() > 0.6
    assert not silhouette(s3harness.Frames(moving[:1], times[:1])).pixels.any(), "one picture has no background"


def words(data: Path, folder: Path, out: str, *more: object, backend: str = "kinematics") -> list[object]:
    return ["run", "--backend", backend, "--data", data, "--out", folder / out, "--cache", folder / "cache", *more]


def read(path: Path) -> dict[str, object]:
    return json.loads(path.read_text(encoding="utf-8"))


def journal(run: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (run / "responses.jsonl").read_text(encoding="utf-8").splitlines()]


def test_installing_changes_nothing_and_naming_is_recorded(data, folder):
    tasks = ("--tasks", "1", "--limit", 2)
    for out, switch in (("without", "off"), ("with", "on")):
        # A built-in backend: without plugins there is no other.
        code, _, err = command(*words(data, folder, out, *tasks, backend="floors"), S3HARNESS_PLUGINS=switch)
        assert code == 0, err
    assert (folder / "with" / "scores.json").read_bytes() == (folder / "without" / "scores.json").read_bytes()
    assert read(folder / "with" / "manifest.json")["run"] == read(folder / "without" / "manifest.json")["run"]
    code, out, err = command(*words(data, folder, "named", *tasks, "--transform", "face_blur", "--transform", "mute"))
    assert code == 0, err
    assert "shown through face_blur, mute" in out
    run, scores = (read(folder / "named" / name) for name in ("manifest.json", "scores.json"))
    assert [t["name"] for t in run["run"]["transforms"]] == scores["transforms"] == ["face_blur", "mute"]
    assert {t["package"] for t in run["run"]["transforms"]} == {"s3harness-privacy"}
    assert scores["plugins"]["s3harness-privacy"] == "0.1.0"
    media = [{line["media"] for line in journal(folder / n)} for n in ("with", "named")]
    assert not media[0] & media[1]


def test_a_muted_clip_has_no_sound_by_any_way(data, folder):
    video = s3harness.load_dataset(data).videos[0]
    store = s3harness.media_store(folder / "cache", transforms=["mute"])
    clip = s3harness.Clip(video.id, 0.0, 4.0, (0.0, 1.0), PIXELS, audio=True)
    store.prepare(video, [clip])
    with pytest.raises(s3harness.MediaError, match="mute"):
        store.audio(clip)
    with pytest.raises(s3harness.MediaError, match="mute"):
        store.mp4(clip)
    assert not mute.audio(np.ones(9, np.float32), 8000).any()


def test_a_muted_run_hears_nothing(data, folder):
    code, _, err = command(*words(data, folder, "muted", "--tasks", "1", "--transform", "mute"))
    assert code == 0, err
    heard = {
        line["text"]
        for line in journal(folder / "muted")
        if line["subject"] in ("ictal_vocalization", "verbal_responsiveness")
    }
    assert heard
    assert not any('"yes"' in text for text in heard)


def test_leakage_of_faces_and_voices_is_measured(data, folder):
    plain, blurred, silent = (
        measure_leakage(data, names, cache=folder / "cache", n_frames=6) for names in ((), ("face_blur",), ("mute",))
    )
    assert plain.face.value > 0.4
    assert blurred.face.value < 0.1
    assert silent.face.value == plain.face.value
    assert plain.voice.of > 0
    assert (silent.voice.of, silent.voice.value) == (0, None)
    assert (plain.videos, plain.lost) == (4, 0)


def test_patients_are_reidentified_by_distinct_looks_and_otherwise_as_often_as_by_chance():
    patients = [n // 4 for n in range(40)]
    random = np.random.default_rng(0)
    alike = [random.normal(100.0 * patient, 1.0, 5) for patient in patients]
    recognised = leakage._reidentified(alike, patients)
    assert (recognised.value, recognised.of) == (1.0, 40)
    assert recognised.chance == pytest.approx(3 / 39)
    nobody = [leakage._reidentified([random.normal(0, 1, 5) for _ in patients], patients).value for _ in range(40)]
    assert np.mean(nobody) == pytest.approx(3 / 39, abs=0.03)
    assert leakage._reidentified([alike[0], alike[4]], [0, 1]).of == 0, "nobody is there twice"


def test_the_table_has_leakage_beside_scores(data, folder):
    sweep = ["sweep", *words(data, folder, "sweep", "--tasks", "1", "--transforms", "none,mute")[1:]]
    code, _, err = command(*sweep)
    assert code == 0, err
    measured = ("privacy", "--data", data, "--sweep", folder / "sweep", "--cache", folder / "cache", "--frames", 3)
    code, out, err = command(*measured)
    assert code == 0, err
    lines = [line for line in out.splitlines() if line.startswith("|")]
    assert "1 features: balanced accuracy" in lines[0]
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| none", "| mute"]
    scores = read(folder / "sweep" / "transform-mute" / "scores.json")["scores"]
    assert f"{scores[0]['value']:.2f}" in lines[3]
    code, _, err = command("privacy", "--data", data, "--sweep", folder / "nowhere")
    assert (code, "sweep --transforms" in err) == (2, True)
