"""A run has one answerer: another model or version is refused, or the run says that it is a mixture."""

from __future__ import annotations

import json

import pytest
from running import journal, run_words

from s3harness.rundir.identities import public_name

NAMED = """
    import os

    import s3harness


    class NamedBackend(s3harness.Backend):
        modalities = ("video",)
        is_model = True
        uses_media = False

        def identity(self):
            return {"model": os.environ["WHO"], "weights": "/srv/ward-7/weights"}

        async def generate(self, request):
            if os.environ.get("FAILS") == request.subject:
                raise RuntimeError("not this one")
            return s3harness.Response(request.id, "no")


    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.backend("named", "named:NamedBackend")
"""
FEW = ("--tasks", "1", "--limit", "2")


@pytest.fixture
def begun(s3, dataset, cache, tmp_path):
    """The words of a run by "one" that is not finished: what it was asked of one sign has failed."""
    s3.plugin("named", NAMED)
    words = run_words(dataset, tmp_path / "out", cache, *FEW, backend="named")
    s3.set(WHO="one", FAILS="clonic")
    assert s3(*words).code == 1
    s3.set(FAILS="")
    return [*words, "--resume"]


def identities(out):
    return json.loads((out / "manifest.json").read_text())["identities"]


def _failed_first(out):
    """How many requests failed in the first session, and were asked again."""
    return len({line["id"] for line in journal(out) if line["status"] == "failed"})


def test_the_same_goes_on(begun, s3, tmp_path):
    assert s3(*begun).code == 0
    (entry,) = identities(tmp_path / "out")
    lines = [line for line in journal(tmp_path / "out") if line["status"] == "ok"]
    assert entry["answers"] == len(lines)
    assert {line["by"] for line in lines} == {0}
    assert "ward-7" not in json.dumps(entry)


def test_another_is_refused_before_it_is_asked_and_with_a_reason_the_run_is_a_mixture(begun, s3, tmp_path):
    before = (tmp_path / "out" / "responses.jsonl").read_bytes()
    s3.set(WHO="two")
    refused = s3(*begun)
    assert refused.code == 2
    assert "model was one and is now two" in refused.err
    assert (tmp_path / "out" / "responses.jsonl").read_bytes() == before
    mixed = s3(*begun, "--allow-mixed", "the first was withdrawn")
    assert mixed.code == 0, mixed.err
    first, second = identities(tmp_path / "out")
    assert (first["identity"]["model"], second["identity"]["model"]) == ("one", "two")
    assert second["allowed"] == "the first was withdrawn"
    assert second["answers"] == _failed_first(tmp_path / "out")
    told = "A mixture: 2 models or versions answered"
    scored = s3("score", tmp_path / "out")
    assert told in mixed.out
    assert told in scored.out
    assert s3("report", tmp_path / "out").code == 0
    assert told in (tmp_path / "out" / "report.html").read_text()
    assert told in (tmp_path / "out" / "scores.json").read_text()


def test_a_submission_says_that_it_is_a_mixture_and_cannot_hide_it(begun, s3, dataset, tmp_path):
    s3.set(WHO="two")
    assert s3(*begun, "--allow-mixed", "withdrawn").code == 0
    packed = s3("submit", "pack", tmp_path / "out", "--out", tmp_path / "packed", "--data", dataset)
    assert packed.code == 0, packed.err
    verified = s3("leaderboard", "verify", tmp_path / "packed", "--data", dataset)
    assert "A mixture: 2 models or versions answered" in verified.out
    manifest = json.loads((tmp_path / "packed" / "manifest.json").read_text())
    del manifest["identities"][1]
    (tmp_path / "packed" / "manifest.json").write_text(json.dumps(manifest))
    hidden = s3("leaderboard", "verify", tmp_path / "packed", "--data", dataset)
    assert hidden.code == 1
    assert "answers by model identity" in hidden.out + hidden.err


def test_another_version_of_the_backends_package_is_another_answerer(begun, s3, tmp_path):
    metadata = tmp_path / "plugins" / "named-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("Version: 1.0", "Version: 2.0"))
    refused = s3(*begun)
    assert refused.code == 2
    assert "plugins (named) differs" in refused.err
    assert "--allow-mixed REASON" in refused.err
    mixed = s3(*begun, "--allow-mixed", "a bug was mended")
    assert mixed.code == 0, mixed.err
    assert [entry["identity"]["package"] for entry in identities(tmp_path / "out")] == ["named 1.0", "named 2.0"]


def test_answers_of_before_identities_were_kept_are_of_one_not_recorded(begun, s3, tmp_path):
    out = tmp_path / "out"
    manifest = json.loads((out / "manifest.json").read_text())
    del manifest["identities"]
    (out / "manifest.json").write_text(json.dumps(manifest))
    old = [{k: v for k, v in line.items() if k != "by"} for line in journal(out)]
    (out / "responses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in old))
    done = s3(*begun)
    assert done.code == 0, done.err
    first, second = identities(out)
    assert (first["note"], second["answers"]) == ("not recorded", _failed_first(out))
    assert "A mixture" in done.out


@pytest.mark.parametrize(
    ("name", "is_kept"),
    [
        ("Qwen/Qwen3-VL-8B-Instruct", True),
        ("gpt-x-2026-01-01", True),
        ("model.gguf", True),
        ("/srv/weights/model.gguf", False),
        ("~/weights/model", False),
        ("./model", False),
        ("weights/of/model", False),
        ("weights/model.gguf", False),
        (r"C:\weights\model", False),
        ("file:///srv/model", False),
    ],
)
def test_the_name_of_a_model_that_is_a_path_is_not_written_down(name, is_kept):
    assert (public_name(name) == name) == is_kept
    assert public_name("/elsewhere/" + name.rpartition("/")[2]) == public_name("/srv/" + name.rpartition("/")[2])
