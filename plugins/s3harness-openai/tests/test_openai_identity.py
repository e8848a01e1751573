"""Who answered is who was asked, and is in the manifest: at the start, at each reply, and at a resume."""

from __future__ import annotations

import json

import pytest
from misbehaving import Misbehaving, Reaction, ReceivedRequest, refuses, says
from s3harness_openai.served import is_answer_of, is_model_of

from s3harness import ModelCard

pytestmark = pytest.mark.usefixtures("short_pauses")

N = 36
QUICK = {"attempts": 2, "timeout_s": 5, "patience_s": 5, "in_flight": 1}
FRAMES = {"media": "frames", "media_ids": False}


def answering_as(*names: str, **more: object):
    """Replies that say that these models gave them, one after the other, the last from then on."""

    def behave(request: ReceivedRequest) -> Reaction | None:
        if not request.key:
            return None
        return says(id=f"chatcmpl-{request.number}", model=names[min(request.number, len(names) - 1)], **more)

    return behave


def listing(*models: dict[str, object], version: str = ""):
    """A list of models as servers tell it, and a version where one is asked for."""

    def behave(request: ReceivedRequest) -> Reaction | None:
        if request.path == "/version" and version:
            return Reaction({"version": version})
        return Reaction({"object": "list", "data": list(models)}) if request.path.endswith("/models") else None

    return behave


def identities(done):
    return [entry["identity"] for entry in done.manifest()["identities"]]


def test_a_server_of_another_model_than_the_cards_is_refused_with_both_names_and_the_remedy(run):
    with Misbehaving() as server:
        server.models = ["other/model-7b"]
        refused = run(server.url)
        assert (refused.code, server.requests) == (1, [])
        for word in ("some-model", "other/model-7b", "--model", "-o model=other/model-7b"):
            assert word in refused.err
        taken = run(server.url, out="taken", model="other/model-7b")
    assert (taken.code, taken.statuses()) == (0, {"ok": N})
    (identity,) = identities(taken)
    assert (identity["served"], identity["taken_for"]) == ("other/model-7b", "some-model")


def test_a_model_is_named_as_the_server_names_it_and_needs_no_card(run):
    with Misbehaving() as server:
        server.models = ["org/next-model"]
        done = run(server.url, "--model", "org/next-model")
        refused = run(server.url, "--model", "no-such-model", out="refused")
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err
    assert "org/next-model has no card: it is taken for a model of the server that sees video" in done.err
    assert done.manifest()["run"]["model"]["name"] == "org/next-model"
    assert "has no card" in done.manifest()["model_notes"][0]
    assert refused.code == 1
    assert "no server has the model no-such-model; they have org/next-model" in refused.err


@pytest.mark.parametrize("length", [120, 1500, 100_000, "many", -1])
def test_requests_are_compared_with_the_context_that_the_server_has(run, length):
    with Misbehaving(listing({"id": "some-model", "owned_by": "sglang", "max_model_len": length})) as server:
        done = run(server.url, "--sampling", "fps=0.5", "--sampling", "max_pixels=4096")
    warned = f"{N} of {N} requests are longer than the context of {length:,} tokens" if length == 120 else "longer than"
    assert (warned in done.err) is (length == 120), done.err
    assert done.manifest().get("context", {}).get("limit") == (length if length == 120 else None)


def test_the_manifest_says_what_the_server_told_and_every_answer_whose_it_is(run):
    served = {"id": "some-model", "root": "org/weights", "owned_by": "vllm", "max_model_len": 4096}
    with Misbehaving(listing(served, version="0.11.0")) as server:
        done = run(server.url, **FRAMES)
    assert done.code == 0, done.err
    (identity,) = identities(done)
    expected = {
        "served": "some-model",
        "root": "org/weights",
        "server": "vllm",
        "version": "0.11.0",
        "max_model_len": 4096,
    }
    assert identity | expected == identity
    assert identity["package"].startswith("s3harness-openai ")
    assert {line["by"] for line in done.lines} == {0}
    assert done.manifest()["identities"][0]["answers"] == N


def test_a_server_of_other_weights_under_the_name_of_the_card_is_refused(run):
    card = run.card.read_text().replace("weights: null", "weights: org/right")
    run.card.write_text(card)
    with Misbehaving(listing({"id": "some-model", "root": "org/wrong"})) as server:
        refused = run(server.url)
        assert (refused.code, server.requests) == (1, [])
        assert "org/wrong" in refused.err
        assert "org/right" in refused.err
        assert run(server.url, out="meant", model="some-model").code == 0


@pytest.mark.parametrize(
    "name", ["some-model-2026-01-01", "some-model-20260101", "some-model-0613", "provider/some-model"]
)
def test_a_snapshot_of_the_model_is_that_model_and_is_recorded(name, run):
    with Misbehaving(answering_as(name, system_fingerprint="fp_1")) as server:
        done = run(server.url)
    assert (done.code, done.statuses()) == (0, {"ok": N})
    (identity,) = identities(done)
    assert (identity["answered_as"], identity["system_fingerprint"]) == (name, "fp_1")


def test_a_reply_of_another_model_is_a_failure_that_names_both_and_a_router_is_soon_asked_nothing_more(run):
    with Misbehaving(answering_as("impostor")) as server:
        done = run(server.url, **QUICK)
    assert (done.code, done.statuses()) == (1, {"failed": N})
    assert len(server.requests) == 3
    assert not any(line["text"] for line in done.lines)
    assert "answered as impostor, but some-model was requested" in done.lines[0]["error"]
    with Misbehaving(answering_as("impostor")) as server:
        done = run(server.url, out="meant", answers_as="impostor")
    assert (done.code, done.statuses()) == (0, {"ok": N})


def test_a_model_that_changes_between_two_replies_is_not_mixed_in(run):
    first, then = ["some-model-2026-01-01"] * 4, "some-model-2026-02-02"
    with Misbehaving(answering_as(*first, then)) as server:
        done = run(server.url, **QUICK)
    assert (done.code, done.statuses()) == (1, {"ok": 4, "failed": N - 4})
    error = next(line["error"] for line in done.lines if line["status"] == "failed")
    assert "some-model-2026-01-01" in error
    assert "some-model-2026-02-02" in error
    assert len(identities(done)) == 1


def _begun(run, behave) -> None:
    """A run of which a server answers all but the fourth question."""

    def answers(request: ReceivedRequest) -> Reaction | None:
        return refuses(400, "no") if request.key and request.number == 3 else behave(request)

    with Misbehaving(answers) as server:
        assert run(server.url, **QUICK, **FRAMES).code == 1


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ({"owned_by": "vllm", "version": "0.11.0"}, {"owned_by": "vllm", "version": "0.12.0"}, "0.12.0"),
        ({"owned_by": "vllm", "version": "0.11.0"}, {"owned_by": "sglang"}, "sglang"),
        ({"root": "org/one"}, {"root": "org/two"}, "org/two"),
    ],
)
def test_a_run_is_gone_on_with_by_the_same_model_and_engine_or_is_called_a_mixture(before, after, named, run):
    def serving(entry):
        entry = dict(entry)
        version = entry.pop("version", "")
        return listing({"id": "some-model", **entry}, version=version)

    _begun(run, serving(before))
    with Misbehaving(serving(after)) as server:
        refused = run(server.url, "--resume", **QUICK, **FRAMES)
        assert (refused.code, server.requests) == (2, []), refused.err
        assert named in refused.err
        assert "--allow-mixed REASON" in refused.err
        mixed = run(server.url, "--resume", "--allow-mixed", "the box was updated", **QUICK, **FRAMES)
    assert (mixed.code, mixed.statuses()) == (0, {"ok": N}), mixed.err
    first, second = mixed.manifest()["identities"]
    assert (first["answers"], second["answers"], second["allowed"]) == (N - 1, 1, "the box was updated")
    assert first["since"] <= second["since"]
    assert [line["by"] for line in mixed.last.values()].count(1) == 1
    for text in (mixed.out, (mixed.folder / "scores.json").read_text()):
        assert "A mixture: 2 models or versions answered" in text
    assert "the box was updated" in mixed.out


def test_a_run_is_gone_on_with_by_the_same_model_elsewhere(run):
    _begun(run, answering_as("some-model"))
    with Misbehaving(answering_as("some-model")) as server:
        assert run(server.url, "--resume", **QUICK, **FRAMES).code == 0
        assert len(server.requests) == 1


def test_a_snapshot_that_changed_between_start_and_resume_fails_what_it_answers(run):
    _begun(run, answering_as("some-model-2026-01-01"))
    with Misbehaving(answering_as("some-model-2026-02-02")) as server:
        done = run(server.url, "--resume", **QUICK, **FRAMES)
        assert (done.code, done.statuses()) == (1, {"ok": N - 1, "failed": 1})
        mixed = run(server.url, "--resume", "--allow-mixed", "they retired it", **QUICK, **FRAMES)
    assert (mixed.code, mixed.statuses()) == (0, {"ok": N})
    assert [entry["answers"] for entry in mixed.manifest()["identities"]] == [N - 1, 1]


def test_fingerprints_that_change_are_recorded_and_are_no_mixture(run):
    def behave(request: ReceivedRequest) -> Reaction | None:
        return says(id=f"c{request.number}", system_fingerprint=f"fp_{request.number % 2}") if request.key else None

    with Misbehaving(behave) as server:
        done = run(server.url, **QUICK)
    assert (done.code, done.statuses()) == (0, {"ok": N})
    assert {identity["system_fingerprint"] for identity in identities(done)} == {"fp_0", "fp_1"}
    assert "mixture" not in done.out


def test_two_servers_of_different_versions_do_not_answer_one_run(run):
    served = {"id": "some-model", "owned_by": "vllm"}
    with (
        Misbehaving(listing(served, version="0.11.0"), latency_s=0.05) as one,
        Misbehaving(listing(served, version="0.12.0"), latency_s=0.05) as other,
    ):
        both = f"{one.url},{other.url}"
        refused = run(both, **FRAMES)
        assert refused.code == 2, refused.err
        assert "0.11.0" in refused.err
        assert "0.12.0" in refused.err
        mixed = run(both, "--allow-mixed", "two boxes", out="mixed", **FRAMES)
    assert (mixed.code, mixed.statuses()) == (0, {"ok": N}), mixed.err
    assert sum(entry["answers"] for entry in mixed.manifest()["identities"]) == N


def test_a_server_that_comes_back_with_another_model_is_asked_nothing(run):
    server = Misbehaving(latency_s=0.05)

    def behave(request: ReceivedRequest) -> Reaction | None:
        if request.key and request.number == 4:
            server.models = ["another"]
            server.die(0.3)
            return Reaction(reset=True)
        return None

    server.behave = behave
    with server:
        done = run(server.url, **{**QUICK, "patience_s": 2})
    assert done.code == 1
    assert done.statuses()["ok"] == 4
    assert any("serves another instead of some-model" in line.get("error", "") for line in done.lines)


def test_a_model_that_goes_by_a_path_leaves_no_path_behind(run):
    path = "/srv/patients-of-ward-7/weights/model-q4.gguf"

    def behave(request: ReceivedRequest) -> Reaction | None:
        if request.path == "/props":
            return Reaction({"build_info": "b4242-abcdef"})
        if request.path.endswith("/models"):
            return Reaction({"data": [{"id": path, "owned_by": "llamacpp", "meta": {"n_params": 7, "size": 4}}]})
        return says(id=f"c{request.number}", model=path)

    with Misbehaving(behave) as server:
        done = run(server.url, model=path)
    assert (done.code, done.statuses()) == (0, {"ok": N}), done.err
    (identity,) = identities(done)
    assert identity["served"] == identity["answered_as"] != path
    assert (identity["version"], identity["parameters"], identity["weights_bytes"]) == ("b4242-abcdef", 7, 4)
    written = done.everything()
    assert "ward-7" not in written
    assert "model-q4" not in written


def test_a_path_stays_out_of_what_a_mistaken_reply_says(run):
    with Misbehaving(answering_as("/srv/ward-7/other.gguf")) as server:
        done = run(server.url, **QUICK)
    assert (done.code, done.statuses()) == (1, {"failed": N})
    assert "ward-7" not in done.everything()


def test_an_identity_is_in_the_manifest_before_the_first_answer_is_in_the_journal(run):
    manifests = []

    def behave(request: ReceivedRequest) -> Reaction | None:
        if request.key and request.number == 2:
            manifests.append(json.loads((run._folder / "run" / "manifest.json").read_text()))
        return None

    with Misbehaving(behave) as server:
        assert run(server.url, **QUICK).code == 0
    assert manifests[0]["identities"][0]["identity"]["served"] == "some-model"


@pytest.mark.parametrize(
    ("name", "requested", "is_same"),
    [
        ("gpt-x", "gpt-x", True),
        ("gpt-x-2026-01-01", "gpt-x", True),
        ("GPT-X", "gpt-x", True),
        ("org/gpt-x", "gpt-x", True),
        ("/models/gpt-x", "gpt-x", True),
        ("", "gpt-x", True),
        ("gpt-x-mini", "gpt-x", False),
        ("gpt-x-72b", "gpt-x", False),
        ("gpt-xl", "gpt-x", False),
        ("gpt-x-2026-99", "gpt-x", False),
        ("gpt", "gpt-x", False),
    ],
)
def test_which_names_in_a_reply_are_those_of_the_model(name, requested, is_same):
    assert is_answer_of(name, [requested]) == is_same


@pytest.mark.parametrize(
    ("served", "is_same"),
    [
        ("Qwen/Qwen3-VL-8B-Instruct", True),
        ("qwen/qwen3-vl-8b-instruct", True),
        ("Qwen3-VL-8B-Instruct", True),
        ("/weights/Qwen3-VL-8B-Instruct", True),
        ("qwen3-vl-8b", True),
        ("fork/Qwen3-VL-8B-Instruct", False),
        ("Qwen/Qwen3-VL-8B-Thinking", False),
        ("Qwen3-VL-8B-Instruct-Q4_K_M.gguf", False),
    ],
)
def test_which_served_names_are_those_of_a_card(served, is_same):
    card = ModelCard("qwen3-vl-8b", weights="Qwen/Qwen3-VL-8B-Instruct")
    assert is_model_of(served, card) == is_same
