"""Probes tell what is looked at, without a label: who sees the truth does what theory says, a constant nothing."""

from __future__ import annotations

import json
from itertools import product

import pytest
from running import Harness, Here, journal, run_words, scores

from s3harness.analysis.evidence import ComparableAnswer, comparable, evidence, share_interval
from s3harness.probes import builtin
from s3harness.probes.probe import Probe, ProbeSubject, load_probe
from s3harness.probes.wordings import wordings
from s3harness.specs.loading import load_task, task_names

KINDS = {
    "1 features": "s3/task1_features",
    "3 laterality": "s3/task3_laterality",
    "4 boundaries": "s3/task4_temporal_boundaries",
    "5 order": "s3/task5_event_order",
    "6 report": "s3/task6_report",
    "7 diagnosis": "s3/task7_diagnosis",
}


def probed(folder, dataset, cache, names, backend, *more, code=0):
    """The profile of a backend: (probe, task, direction) → its row."""
    out = folder / backend
    done = Here(folder)(*["probe", names, *run_words(dataset, out, cache, *more, "--json", backend=backend)[1:]])
    assert done.code == code, done.err
    found = json.loads(done.out)
    assert found == json.loads((out / "evidence.json").read_text())
    return {(row["probe"], row["task"], row["direction"]): row for row in found["evidence"]}


@pytest.fixture(scope="module")
def oracle(dataset, cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("oracle")
    return folder, probed(folder, dataset, cache, "mirror,reverse,mute,polarity,paraphrase_1,repeat", "oracle")


@pytest.fixture(scope="module")
def kinematics(dataset, cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinematics")
    return folder, probed(folder, dataset, cache, "mirror,blank,mute,shuffle,reverse", "kinematics", "--tasks", "1,3,5")


@pytest.mark.parametrize("task", ["3 laterality", "6 report"])
def test_the_oracle_names_the_other_side_of_every_mirrored_clip(oracle, task):
    row = oracle[1]["mirror", KINDS[task], "flip"]
    assert (row["changed"], row["as_expected"], row["lost"]) == (1.0, 1.0, 0)
    assert row["answers"] >= 5
    assert row["expected_interval"] is None, "three patients prove nothing, and no interval says otherwise"


def test_the_oracle_changes_nothing_else_of_a_mirrored_clip(oracle):
    kept = [row for (probe, _, to), row in oracle[1].items() if (probe, to) == ("mirror", "same")]
    assert {row["task"] for row in kept} == set(KINDS.values())
    assert {row["changed"] for row in kept} == {0.0}


def test_the_oracle_turns_every_answer_round_with_its_question_and_keeps_it_in_other_words(oracle):
    for task in ("1 features", "3 laterality"):
        assert oracle[1]["polarity", KINDS[task], "flip"]["as_expected"] == 1.0
    for name, task in product(("paraphrase_1", "repeat"), KINDS.values()):
        row = oracle[1][name, task, "same"]
        assert (row["changed"], row["as_expected"], row["lost"]) == (0.0, 1.0, 0)


def test_the_oracle_hears_nothing_in_silence_and_sees_what_it_saw(oracle):
    features = KINDS["1 features"]
    assert oracle[1]["mute", features, "absent"]["as_expected"] == 1.0
    assert oracle[1]["mute", features, "same"]["changed"] == 0.0
    assert oracle[1]["mute", KINDS["6 report"], "same"]["lost"] > 0, "a report that nobody has written is a failure"


def test_the_oracle_tells_a_clip_run_backwards_in_another_order(oracle):
    assert oracle[1]["reverse", KINDS["5 order"], "change"]["changed"] > 0.7
    assert oracle[1]["reverse", KINDS["4 boundaries"], "change"]["changed"] > 0.7
    assert oracle[1]["reverse", KINDS["1 features"], "same"]["changed"] == 0.0


def test_the_oracle_fails_where_nobody_knows_the_truth(dataset, cache, tmp_path):
    words = ("--tasks", "1", "--limit", "2")
    rows = probed(tmp_path, dataset, cache, "freeze", "oracle", *words, code=1)
    assert all(row["answers"] == 0 and row["lost"] > 0 for row in rows.values())
    assert all(row["as_expected"] in (0.0, None) for row in rows.values())
    errors = {line["error"] for line in journal(tmp_path / "oracle" / "probe-freeze")}
    assert errors == {"S3HarnessError: the truth of a clip after 'freeze' is unknown"}


def test_floors_are_changed_by_nothing(dataset, cache, tmp_path):
    rows = probed(tmp_path, dataset, cache, "all", "floors", "--limit", "3")
    assert {probe for probe, _, _ in rows} == set(load_all())
    assert {row["changed"] for row in rows.values()} == {0.0}
    assert rows["mirror", KINDS["3 laterality"], "flip"]["as_expected"] == 0.0, "a constant"
    assert rows["polarity", KINDS["1 features"], "flip"]["as_expected"] == 0.0
    assert rows["blank", KINDS["1 features"], "absent"]["as_expected"] == 0.0
    assert sum(row["lost"] for row in rows.values()) == 0


def load_all():
    from s3harness.plugins.manager import manager

    return manager().registry.names("probe")


def test_kinematics_looks(kinematics):
    rows = kinematics[1]
    features, sides, order = (KINDS[task] for task in ("1 features", "3 laterality", "5 order"))
    assert rows["mirror", sides, "flip"]["as_expected"] >= 0.75
    assert rows["mirror", features, "same"]["as_expected"] >= 0.95
    assert rows["mute", features, "absent"]["as_expected"] == 1.0
    assert rows["mute", features, "same"]["as_expected"] >= 0.9
    assert rows["blank", features, "absent"]["as_expected"] >= 0.5
    assert rows["shuffle", order, "change"]["changed"] >= 0.7
    assert rows["reverse", order, "change"]["changed"] >= 0.4


def test_a_probed_run_says_so_in_its_manifest_and_in_its_scores(kinematics):
    folder = kinematics[0] / "kinematics"
    for name, transform in (("mirror", "mirror"), ("mute", "silence")):
        run = json.loads((folder / f"probe-{name}" / "manifest.json").read_text())["run"]
        assert run["probe"] == name
        assert run["transforms"] == [{"name": transform, "package": "s3harness", "version": "1"}]
        told = json.loads((folder / f"probe-{name}" / "scores.json").read_text())
        assert (told["probe"], told["transforms"]) == (name, [transform])
    plain = json.loads((folder / "baseline" / "manifest.json").read_text())["run"]
    assert not {"probe", "transforms"} & plain.keys()


def test_no_answer_of_one_run_is_taken_for_that_of_another(kinematics):
    folder = kinematics[0] / "kinematics"
    shown = {path.name: {line["media"] for line in journal(path)} for path in folder.iterdir() if path.is_dir()}
    assert len(shown) == 6
    for (name, media), (other, others) in product(shown.items(), shown.items()):
        assert name == other or not media & others


def test_the_same_command_again_asks_nothing_twice(kinematics, dataset, cache):
    folder, rows = kinematics
    before = {path: path.read_bytes() for path in folder.rglob("responses.jsonl")}
    words = ("kinematics", "--tasks", "1,3,5")
    assert probed(folder, dataset, cache, "mirror,blank,mute,shuffle,reverse", *words) == rows
    assert {path: path.read_bytes() for path in folder.rglob("responses.jsonl")} == before
    assert len(before) == 6


def test_a_run_through_a_transform_is_another_run(here, dataset, cache, tmp_path):
    words = run_words(dataset, out := tmp_path / "out", cache, "--tasks", "3", "--limit", "2")
    done = here(*words, "--transform", "mirror", "--transform", "silence")
    assert done.code == 0, done.err
    assert "The clips were shown through mirror, silence." in done.out
    assert "shown through mirror, silence" in here("score", out).out
    assert json.loads((out / "scores.json").read_text())["transforms"] == ["mirror", "silence"]
    for other in ((), ("--transform", "mirror"), ("--transform", "silence", "--transform", "mirror")):
        refused = here(*words, *other, "--resume")
        assert refused.code == 2
        assert "transforms" in refused.err
    packed = here("submit", "pack", out, "--data", dataset, "--out", tmp_path / "packed")
    assert packed.code == 2
    assert "shown through mirror, silence" in packed.err


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("mirrror",), "did you mean mirror"),
        (("mirror,mirror",), "twice"),
        ((",",), "no probe is named"),
        (("polarity", "--tasks", "6"), "does not apply"),
        (("audio_swap", "--limit", "1"), "two"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_written(here, dataset, cache, tmp_path, wrong, said):
    name, *more = wrong
    done = here("probe", name, *run_words(dataset, tmp_path / "out", cache, *more)[1:])
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "out").exists()


PLUGIN = """
    import numpy as np

    import s3harness


    def upside_down(frames):
        return frames._replace(pixels=np.ascontiguousarray(frames.pixels[:, ::-1]))


    class Gravity(s3harness.Probe):
        title = "the world upside down"
        transforms = ("upside_down",)

        def expect(self, asked, before):
            return s3harness.Expected("same", lambda after: after == before)


    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.transform("upside_down", "falling:upside_down")
        registry.probe("gravity", "falling:Gravity")
"""


def test_the_transform_of_a_plugin_is_a_probe_too_and_installing_it_changes_nothing(dataset, cache, tmp_path):
    s3 = Harness(tmp_path)
    words = run_words(dataset, tmp_path / "plain", cache, "--tasks", "1", "--limit", "2", backend="kinematics")
    assert s3(*words).code == 0
    s3.plugin("falling", PLUGIN)
    words[words.index(tmp_path / "plain")] = tmp_path / "installed"
    assert s3(*words).code == 0
    assert (tmp_path / "installed" / "scores.json").read_bytes() == (tmp_path / "plain" / "scores.json").read_bytes()
    words[words.index(tmp_path / "installed")] = tmp_path / "probed"
    done = s3("probe", "upside_down,gravity", *words[1:], "--json")
    assert done.code == 0, done.err
    found = done.json()
    of_probe = {row["probe"]: row for row in found["evidence"] if row["direction"] in ("open", "same")}
    assert of_probe["upside_down"]["as_expected"] is None
    assert of_probe["gravity"]["as_expected"] == pytest.approx(1 - of_probe["upside_down"]["changed"])
    assert 0 < of_probe["gravity"]["as_expected"] < 1
    assert found["probes"][0]["plugins"]["falling"] == "1.0"


@pytest.mark.parametrize("wording", wordings())
def test_every_wording_is_of_a_task_of_the_benchmark_and_differs_from_its_own(wording):
    for name, other in wordings()[wording].items():
        assert name in task_names()
        own = load_task(name).data
        assert other["prompt"] != own["prompt"]
        assert set(other.get("subjects", {})) == {n for n, s in own.get("subjects", {}).items() if "prompt" in s}


@pytest.mark.parametrize(
    ("name", "asked", "before", "direction", "good", "bad"),
    [
        ("mirror", ProbeSubject("laterality", "arm_movement"), "left", "flip", "right", "left"),
        ("mirror", ProbeSubject("laterality", "onset_body_part"), "left arm", "flip", "right arm", "left leg"),
        ("mirror", ProbeSubject("laterality", "onset_body_part"), "head", "same", "head", "face"),
        ("mirror", ProbeSubject("feature", "tonic"), "yes", "same", "yes", "no"),
        ("blank", ProbeSubject("feature", "tonic"), "yes", "absent", "no", "yes"),
        ("blank", ProbeSubject("feature", "ictal_vocalization"), "yes", "same", "yes", "no"),
        ("blank", ProbeSubject("sequence", "sequence"), ("tonic",), "absent", ("ictal_vocalization",), ("clonic",)),
        ("freeze", ProbeSubject("feature", "clonic"), "yes", "absent", "no", "yes"),
        ("mute", ProbeSubject("feature", "verbal_responsiveness"), "yes", "absent", "na", "yes"),
        ("mute", ProbeSubject("boundary", "tonic"), 4.0, "same", 4.5, 9.0),
        (
            "shuffle",
            ProbeSubject("sequence", "sequence"),
            ("tonic", "clonic"),
            "change",
            ("clonic", "tonic"),
            ("tonic", "clonic"),
        ),
        ("reverse", ProbeSubject("boundary", "seizure_onset"), 4.0, "change", 9.0, 4.5),
        ("polarity", ProbeSubject("feature", "tonic"), "yes", "flip", "no", "yes"),
        ("polarity", ProbeSubject("feature", "verbal_responsiveness"), "na", "same", "na", "no"),
        ("audio_swap", ProbeSubject("feature", "tonic"), "no", "same", "no", "yes"),
    ],
)
def test_what_is_expected_follows_from_the_answer_before(name, asked, before, direction, good, bad):
    expected = load_probe(name).expect(asked, before)
    assert expected.direction == direction
    assert expected.holds(good)
    assert not expected.holds(bad)


def test_a_lost_answer_counts_against_what_is_expected_and_an_unread_one_stands_alone():
    asked = ProbeSubject("laterality", "arm_movement")
    before = {("t", f"i{n}", 0): ComparableAnswer(asked, n, "left") for n in range(4)} | {
        ("t", "i9", 0): ComparableAnswer(asked, 9, None)
    }
    after = {("t", f"i{n}", 0): ComparableAnswer(asked, n, "right" if n else None) for n in range(3)}
    rows = {row.direction: row for row in evidence("mirror", builtin.mirror, before, after)}
    flipped, unread = rows["flip"], rows["unread"]
    assert (flipped.answers, flipped.lost, flipped.items, flipped.patients) == (2, 2, 4, 4)
    assert (flipped.changed, flipped.as_expected) == (1.0, 0.5)
    assert (unread.answers, unread.lost, unread.changed, unread.as_expected) == (0, 1, None, None)


def test_reports_are_compared_by_what_they_say():
    one = comparable(
        "report", "The event begins with head turning to the left. Then clonic jerking of the limbs follows."
    )
    same = comparable("report", "First the head turns to the left, then the limbs jerk rhythmically: clonic jerking.")
    assert one == same
    assert comparable("report", "The event begins with head turning to the right.") != one
    assert Probe().expect(ProbeSubject("report", "report"), one).direction == "open"


@pytest.mark.parametrize(("hits", "low", "high"), [(10 * [True], 0.6615, 1.0), (10 * [False], 0.0, 0.3385)])
def test_patients_who_all_agree_leave_the_doubt_of_so_many_trials(hits, low, high):
    interval = share_interval(hits, list(range(10)))
    assert (interval.low, interval.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    many = share_interval(hits * 50, list(range(10)) * 50)
    assert (many.low, many.high) == (interval.low, interval.high), "more answers of the same patients prove nothing"


def test_scores_of_a_mirrored_oracle_are_wrong_on_sides_alone(oracle):
    base, mirrored = (scores(oracle[0] / "oracle" / name) for name in ("baseline", "probe-mirror"))
    sides = ("task3", "balanced accuracy")
    assert base[sides]["value"] == 1.0
    assert mirrored[sides]["value"] < 0.5
    assert mirrored["task1", "macro F1"]["value"] == base["task1", "macro F1"]["value"]
