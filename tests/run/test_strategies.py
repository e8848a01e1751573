"""Items answered by conversations: right, within the budget, decoded once, interleaved, and resumed in the middle."""

from __future__ import annotations

import json
import random
import signal
from functools import partial
from pathlib import Path

import pytest
from running import answers, assert_same_run, journal, primary, run_words, whole_lines
from test_media_once import openings

from s3harness.run.conversation import look_at
from s3harness.types import Clip

KILLS = 15
STRATEGIES = ("zoom", "vote", "random_look", "again")
WITNESS = """
    import asyncio
    import json
    import os

    import s3harness
    from s3harness.backends.noisy_oracle import NoisyOracleBackend


    class WitnessBackend(NoisyOracleBackend):
        limits = s3harness.Limits(in_flight=3)

        async def generate(self, request):
            with open(os.environ["WITNESS"], "a") as log:
                log.write(json.dumps([request.parent, request.turn, len(request.history)]) + "\\n")
            await asyncio.sleep(0.002)
            return await super().generate(request)


    class SlowNoisyBackend(NoisyOracleBackend):
        limits = s3harness.Limits(in_flight=3)

        async def generate(self, request):
            await asyncio.sleep(0.01)
            return await super().generate(request)


    class FlakyBackend(NoisyOracleBackend):
        limits = s3harness.Limits(attempts=1)

        async def generate(self, request):
            if request.turn == 2 and "FLAKY" in os.environ:
                raise ConnectionError("the server is away")
            return await super().generate(request)


    class SilentBackend(NoisyOracleBackend):
        takes_history = False


    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.backend("witness", "witness:WitnessBackend")
        registry.backend("slow_noisy", "witness:SlowNoisyBackend")
        registry.backend("flaky", "witness:FlakyBackend")
        registry.backend("silent", "witness:SilentBackend")
"""


def strategy(name: str, **options: object) -> list[str]:
    return ["--strategy", name, *(w for o, v in options.items() for w in ("--strategy-option", f"{o}={v}"))]


def planned(lines: list[dict]) -> list[dict]:
    return [line for line in lines if "parent" not in line]


def test_single_writes_what_a_run_without_a_strategy_writes(here, dataset, cache, tmp_path):
    plain, named = tmp_path / "plain", tmp_path / "named"
    assert here(*run_words(dataset, plain, cache)).code == 0
    assert here(*run_words(dataset, named, cache, *strategy("single"))).code == 0
    assert_same_run(named, plain)
    assert "strategy" not in json.loads((plain / "manifest.json").read_text())["run"]
    assert not {"parent", "turn", "conversation", "tool_calls"} & {key for line in journal(plain) for key in line}


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_oracle_stays_perfect_through_every_strategy(name, here, dataset, cache, tmp_path):
    out = tmp_path / "out"
    done = here(*run_words(dataset, out, cache, *strategy(name), "--limit", "3", backend="oracle"))
    assert done.code == 0, done.err
    for task, row in primary(out).items():
        assert row["skill"] is None or row["skill"] == pytest.approx(1, abs=1e-3), task
    lines = journal(out)
    ids = {line["id"] for line in planned(lines)}
    assert {line["parent"] for line in lines if "parent" in line} == ids
    for line in planned(lines):
        turns = [other for other in lines if other.get("parent") == line["id"]]
        assert sorted(turn["turn"] for turn in turns) == [*range(1, line["conversation"]["turns"] + 1)]
    manifest = json.loads((out / "manifest.json").read_text())["run"]
    assert manifest["strategy"]["name"] == name
    assert manifest["strategy"]["settings"]["turns"] >= 1


def test_a_narrower_look_lowers_an_error_that_grows_with_the_clip_and_votes_average_it(here, dataset, cache, tmp_path):
    error = {}
    for name in ("single", *STRATEGIES):
        # Events of these short videos may be near their ends, which long cuts would cut off.
        options = {"jitter_s": 0.5, "k": 9} if name == "vote" else {}
        words = run_words(dataset, tmp_path / name, cache, "--tasks", "4", *strategy(name, **options))
        assert here(*words[:2], "noisy_oracle", *words[3:]).code == 0
        error[name] = primary(tmp_path / name)["task4"]["value"]
    assert error["zoom"] < 0.6 * error["single"]
    assert error["vote"] < 0.9 * error["single"]
    assert error["random_look"] > error["single"]
    assert error["again"] == error["single"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"turns": 2}, "turns"), ({"frames": 50}, "frames"), ({"seconds": 1e-9}, "seconds")],
)
def test_a_budget_ends_a_conversation_and_the_answer_so_far_counts(options, reason, here, dataset, cache, tmp_path):
    words = run_words(
        dataset, out := tmp_path / "out", cache, "--tasks", "4", *strategy("zoom", **options), backend="oracle"
    )
    assert here(*words, "--limit", "1").code == 0
    for line in planned(journal(out)):
        turns = [other for other in journal(out) if other.get("parent") == line["id"]]
        assert line["status"] == "ok"
        assert line["conversation"]["ended"] == f"the budget of {reason} is spent"
        assert len(turns) <= options.get("turns", 99)
        assert line["conversation"]["frames"] <= options.get("frames", 10_000)
        first = next(turn for turn in turns if turn["turn"] == 1)
        assert line["clip"] == first["clip"], "times of the answer count from the planned clip"


def test_frames_of_narrower_looks_are_decoded_once_and_never_in_a_second_run(here, dataset, tmp_path):
    videos, cache = dataset / "videos", tmp_path / "cache"
    names = {path.name for path in videos.iterdir()}
    words = ["--tasks", "4", "--backend", "kinematics"]
    votes = strategy("vote", by="samples", k=4)
    with openings(videos) as voting:
        assert here("run", "--data", dataset, "--out", tmp_path / "v", "--cache", cache, *words, *votes).code == 0
    assert voting == dict.fromkeys(names, 1), "four turns about a clip cost one decode"
    zoom = ["run", "--data", dataset, "--cache", cache, *words, *strategy("zoom")]
    with openings(videos) as first:
        assert here(*zoom, "--out", tmp_path / "first").code == 0
    looks = {(line["clip"]["video_id"], line["clip"]["start_s"]) for line in journal(tmp_path / "first")}
    assert sum(first.values()) <= len(looks)
    with openings(videos) as second:
        assert here(*zoom, "--out", tmp_path / "second").code == 0
    assert second == {}
    assert answers(tmp_path / "second") == answers(tmp_path / "first")


def test_turns_of_many_items_interleave(s3, dataset, cache, tmp_path):
    s3.plugin("witness", WITNESS)
    s3.set(WITNESS=tmp_path / "witness")
    words = run_words(dataset, tmp_path / "out", cache, "--tasks", "4", *strategy("zoom"), backend="witness")
    assert s3(*words).code == 0
    asked = [json.loads(line) for line in (tmp_path / "witness").read_text().splitlines()]
    last = {parent: at for at, (parent, *_) in enumerate(asked)}
    first = {parent: at for at, (parent, *_) in reversed([*enumerate(asked)])}
    crossing = sum(first[a] < first[b] < last[a] for a in first for b in first)
    assert crossing > len(first), "the turns of one item wait for those of another"


def test_a_conversation_holds_the_turns_before_unchanged(s3, dataset, cache, tmp_path):
    s3.plugin("witness", WITNESS)
    s3.set(WITNESS=tmp_path / "witness")
    words = run_words(dataset, tmp_path / "out", cache, "--tasks", "4", "--limit", "1", backend="witness")
    assert s3(*words, *strategy("zoom", conversation="true")).code == 0
    asked = [json.loads(line) for line in (tmp_path / "witness").read_text().splitlines()]
    assert all(history == turn - 1 for _, turn, history in asked)
    assert max(turn for _, turn, *_ in asked) > 2


def test_a_run_killed_many_times_loses_no_turn_and_repeats_none(s3, dataset, cache, tmp_path):
    s3.plugin("witness", WITNESS)
    few = ("--tasks", "4", "--limit", "3", *strategy("zoom"))
    words = run_words(dataset, out := tmp_path / "out", cache, *few, backend="slow_noisy")
    whole = run_words(dataset, undisturbed := tmp_path / "whole", cache, *few, backend="slow_noisy")
    assert s3(*whole).code == 0
    draw, known = random.Random(3), set[str]()
    per_kill = max(1, len(journal(undisturbed)) // KILLS)
    for _ in range(KILLS):
        wanted = len(known) + draw.randrange(1, per_kill + 2)
        killed = s3.start(*words, "--resume").kill_when(partial(_has_lines, out, wanted))
        found = {line["id"] for line in whole_lines(out)}
        assert len(found) == len(whole_lines(out)), "a turn was asked twice"
        assert known <= found, "a turn was lost"
        known = found
        if killed.code != -signal.SIGKILL:
            break
    assert s3(*words, "--resume").code == 0
    assert answers(out) == answers(undisturbed)
    assert (out / "scores.json").read_bytes() == (undisturbed / "scores.json").read_bytes()


def test_a_failed_turn_is_the_failure_of_its_item_and_is_asked_again(s3, dataset, cache, tmp_path):
    s3.plugin("witness", WITNESS)
    words = run_words(
        dataset, out := tmp_path / "out", cache, "--tasks", "4", "--limit", "1", *strategy("zoom"), backend="flaky"
    )
    s3.set(FLAKY=1)
    assert s3(*words).code == 1
    failed = planned(journal(out))
    assert {line["error"] for line in failed} == {"turn 2: ConnectionError: the server is away"}
    before = len(journal(out))
    s3.variables.pop("FLAKY")
    assert s3(*words, "--resume").code == 0
    lines = journal(out)
    assert {line["status"] for line in lines[before:]} == {"ok"}
    assert 1 not in {line.get("turn") for line in lines[before:]}, "the first turns were answered already"


def test_a_strategy_is_refused_where_the_backend_or_the_protocol_cannot_carry_it(s3, dataset, cache, tmp_path):
    s3.plugin("witness", WITNESS)
    words = partial(run_words, dataset, tmp_path / "out", cache, "--tasks", "4")
    for refused, why in (
        (words(*strategy("again"), backend="silent"), "continues no conversation"),
        (words(*strategy("zoom", conversation="true"), backend="silent"), "continues no conversation"),
        (words(*strategy("zoom"), "--protocol", "paper", backend="oracle"), "--protocol strict"),
        (words(*strategy("zoom", shrink=2), backend="oracle"), "shrink"),
        (words(*strategy("zooom"), backend="oracle"), "did you mean"),
    ):
        done = s3(*refused)
        assert done.code == 2
        assert why in done.err
    assert not (tmp_path / "out").exists()


def test_a_run_by_a_strategy_can_be_submitted_reported_and_replayed(here, dataset, cache, tmp_path):
    out, words = tmp_path / "out", strategy("zoom", turns=2)
    done = here(*run_words(dataset, out, cache, "--tasks", "4", "--limit", "4", *words, backend="kinematics"))
    assert "the strategy zoom" in done.out
    assert here("report", out).code == 0
    packed = here("submit", "pack", out, "--data", dataset, "--out", tmp_path / "packed")
    assert packed.code == 0, packed.out + packed.err
    verified = here("leaderboard", "verify", tmp_path / "packed", "--data", dataset)
    assert "Rejected" not in verified.out, verified.out
    assert "the strategy zoom" in verified.out
    replay = tmp_path / "replay"
    again = ["--tasks", "4", "--limit", "4", "-o", f"path={out / 'responses.jsonl'}"]
    assert here(*run_words(dataset, replay, cache, *again, backend="recorded")).code == 0
    assert primary(replay)["task4"]["value"] == primary(out)["task4"]["value"]


def test_a_look_is_a_part_of_the_planned_clip_on_a_grid_of_its_frame_rate():
    clip = Clip("v", 10.0, 70.0, tuple(float(t) for t in range(10, 70)), 1000)
    assert look_at(clip, 20.2, 22.2).timestamps == (21.0, 22.0)
    narrow = look_at(clip, 20.2, 21.0, fps=4)
    assert narrow.timestamps == (20.25, 20.5, 20.75)
    assert (narrow.start_s, narrow.end_s) == (20.2, 21.0)
    assert look_at(clip, 0.0, 12.0).start_s == 10.0
    assert look_at(clip, 20.1, 20.2).timestamps == (20.15,)
    for wrong in ({"start_s": 80.0, "end_s": 90.0}, {"start_s": 20.0, "end_s": 20.0}):
        with pytest.raises(ValueError, match="no part of the clip"):
            look_at(clip, **wrong)
    with pytest.raises(ValueError, match="no part of a frame"):
        look_at(clip, 20.0, 30.0, crop=(0.5, 0.0, 0.4, 1.0))


def _has_lines(out: Path, n: int) -> bool:
    return len(whole_lines(out)) >= n
