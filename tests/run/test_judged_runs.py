"""A judge reads the reports of a run: asked once, journalled raw, scored again without anybody, failures counted."""

from __future__ import annotations

import json
import shutil

import pytest

READER = """
    import json
    import os

    import s3harness
    from s3harness.metrics.rqi import extract


    class Reader(s3harness.Backend):
        modalities = ()
        limits = s3harness.Limits(in_flight=3, attempts=1)

        def __init__(self, model, options, media):
            super().__init__(model, options, media)
            self.hosts = (str(options["away"]),) if "away" in options else ()
            self.remote = bool(self.hosts)
            if set(options) - {"away", "spoil", "base_url", "temperature"}:
                raise s3harness.UsageError(f"unknown options {sorted(options)}")

        async def generate(self, request):
            with open(os.environ["ASKED"], "a") as file:
                file.write(f"{request.id} {request.clip.is_text_only} {sorted(request.answer_schema['required'])}\\n")
            report = request.prompt.partition("==========\\n")[2].removesuffix("\\n==========")
            spoil = self.options.get("spoil")
            if spoil and os.environ["SPOILT"] == report:
                if spoil == "fail":
                    raise ConnectionError("no way to /secret/place")
                return s3harness.Response(request.id, {"refuse": "I cannot help with that.", "babble": "{}"}[spoil])
            found = extract(report)
            return s3harness.Response(request.id, json.dumps({
                "structural_completeness": sorted(found.components),
                "event_sequence": list(found.events),
                "denied_signs": sorted(found.denied),
                "key_localizing_features": dict(found.laterality),
                "content_analysis": {"has_safety_issues": found.hazardous, "includes_non_seizure": found.off_topic},
            }))


    @s3harness.hookimpl
    def s3harness_register(registry):
        registry.backend("reader", "reader:Reader")
"""
"""A backend that answers a judge's question as the rules read the report."""

JUDGE = ("--judge", "structure", "--judge-backend", "reader")
FILE = "scores-judge-structure-reader.json"


@pytest.fixture
def run(undisturbed, tmp_path):
    return shutil.copytree(undisturbed["oracle"], tmp_path / "run")


@pytest.fixture
def judge(s3, run, tmp_path):
    """``s3harness score RUN`` with more words."""
    s3.plugin("reader", READER)
    s3.set(ASKED=tmp_path / "asked", SPOILT=expert(run))
    return lambda *words: s3("score", run, *words)


def expert(run):
    """The longest of the experts' reports."""
    lines = (run / "items.jsonl").read_text(encoding="utf-8").splitlines()
    truths = [row["truth"]["text"] for row in map(json.loads, lines) if row["subject"] == "report"]
    return max(truths, key=len)


def asked(tmp_path):
    return (tmp_path / "asked").read_text().splitlines()


def rqi(run, file=FILE):
    data = json.loads((run / file).read_text(encoding="utf-8"))
    return data, next(row for row in data["scores"] if row["metric"].startswith("Seizure-RQI"))


def test_a_judge_that_reads_like_the_rules_gives_their_score_and_its_name_stays(judge, run, tmp_path):
    before = (run / "scores.json").read_bytes()
    done = judge(*JUDGE, "--json")
    assert done.code == 0, done.err
    assert f"written to {run / FILE}" in done.err
    assert (run / "scores.json").read_bytes() == before
    data, row = rqi(run)
    assert row["value"] == rqi(run, "scores.json")[1]["value"] == 100.0
    assert row["metric"] == "Seizure-RQI, read by structure-reader"
    assert (data["judge"]["judge"], data["judge"]["backend"]) == ("structure", "reader")
    assert data["judge"]["packages"]["reader"] == "1.0"
    assert data["judge"]["reports"] == {"read": len(asked(tmp_path))}
    assert json.loads(done.out) == data


def test_requests_are_text_alone_and_each_is_asked_once(judge, run, tmp_path):
    assert judge(*JUDGE).code == judge(*JUDGE).code == 0
    lines = asked(tmp_path)
    assert len(lines) == len(set(lines)) > 6
    assert all(" True " in line for line in lines)
    journalled = (run / "judges" / "structure-reader" / "responses.jsonl").read_text(encoding="utf-8").splitlines()
    assert sorted(json.loads(line)["id"] for line in journalled) == sorted(line.split()[0] for line in lines)
    assert all("event_sequence" in json.loads(line)["text"] for line in journalled)


def test_what_is_journalled_is_scored_again_without_anybody(judge, run, here, tmp_path):
    assert judge(*JUDGE).code == 0
    wanted, lines = (run / FILE).read_bytes(), asked(tmp_path)
    (run / FILE).unlink()
    done = here("score", run, "--judge", "structure")  # where no plugin is installed
    assert done.code == 0, done.err
    assert (run / FILE).read_bytes() == wanted
    assert asked(tmp_path) == lines


@pytest.mark.parametrize(("spoil", "why"), [("fail", "failed"), ("refuse", "refused"), ("babble", "unparsable")])
def test_a_report_without_a_readable_reply_is_counted_and_scores_nothing(judge, run, spoil, why):
    done = judge(*JUDGE, "-o", f"spoil={spoil}")
    assert done.code == 1
    assert f"not read: 1 {why}" in done.err
    data, row = rqi(run)
    assert row["lost"] == {why: 1}
    assert (row["value"], row["coverage"], row["ceiling"]) == (pytest.approx(500 / 6), 5 / 6, pytest.approx(500 / 6))
    assert data["judge"]["reports"][why] == 1
    others = {r["metric"]: r for r in data["scores"] if r["task"] == "s3/task6_report" and r is not row}
    assert all(other["coverage"] == 1 for other in others.values())
    assert "/secret" not in (run / "judges" / "structure-reader" / "responses.jsonl").read_text()


def test_a_failure_is_asked_again_and_nothing_else(judge, run, tmp_path, s3):
    assert judge(*JUDGE, "-o", "spoil=fail").code == 1
    first = asked(tmp_path)
    s3.set(SPOILT="")
    assert judge(*JUDGE, "-o", "spoil=fail").code == 0
    assert len(asked(tmp_path)) == len(first) + 1
    assert rqi(run)[1]["value"] == 100.0


def test_replies_to_different_calls_are_not_mixed_and_a_server_may_move(judge, run):
    assert judge(*JUDGE, "-o", "temperature=0", "-o", "base_url=http://localhost:1").code == 0
    assert judge(*JUDGE, "-o", "temperature=0", "-o", "base_url=http://localhost:2").code == 0
    done = judge(*JUDGE, "-o", "temperature=1")
    assert done.code == 2
    assert "holds replies of another judge call" in done.err and "temperature" in done.err


def test_several_models_have_folders_of_their_own_and_one_has_to_be_chosen(judge, run):
    for model in ("alpha", "org/beta"):
        assert judge(*JUDGE, "--judge-model", model).code == 0
    assert {path.name for path in (run / "judges").iterdir()} == {"structure-reader-alpha", "structure-reader-org_beta"}
    assert {"scores-judge-structure-reader-alpha.json", "scores-judge-structure-reader-org_beta.json"} <= {
        path.name for path in run.iterdir()
    }
    done = judge("--judge", "structure")
    assert done.code == 2
    assert "alpha, org/beta: choose one with --judge-model" in done.err
    assert judge("--judge", "structure", "--judge-model", "org/beta").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--judge", "structure"), "holds no replies of judge 'structure'"),
        (("--judge", "stucture", "--judge-backend", "reader"), "did you mean structure"),
        (("--judge", "structure", "--judge-backend", "raeder"), "did you mean reader"),
        (("--judge-backend", "reader"), "needs a judge: add --judge NAME"),
        ((*JUDGE, "-o", "tempreature=1"), "unknown options"),
        ((*JUDGE, "-o", "away=elsewhere.org"), "would send reports to elsewhere.org; nothing leaves"),
    ],
)
def test_a_wrong_call_is_named_and_leaves_nothing_behind(judge, run, tmp_path, words, message):
    done = judge(*words)
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "asked").exists()
    assert not list(run.glob("judges/*")) and not (run / FILE).exists()


def test_a_host_that_is_named_may_be_asked(judge):
    assert judge(*JUDGE, "-o", "away=elsewhere.org", "--allow-remote", "elsewhere.org").code == 0


def test_a_run_without_reports_has_nothing_to_judge(s3, run):
    lines = (run / "items.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (run / "items.jsonl").write_text("".join(line for line in lines if '"report"' not in line), encoding="utf-8")
    done = s3("score", run, "--judge", "structure")
    assert done.code == 2
    assert "no reports for a judge to read" in done.err


def test_one_report_is_scored_and_explained_by_a_judge(judge, s3, tmp_path):
    for name, text in (("a", "The head turns to the left."), ("b", "The head turns to the right.")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    words = ("--report", tmp_path / "a", "--expert", tmp_path / "b", *JUDGE, "--judge-dir", tmp_path / "judges")
    by_rules, by_judge = s3("rqi", "score", *words[:4]), s3("rqi", "score", *words)
    assert (by_judge.code, by_judge.out) == (0, by_rules.out)
    explained = s3("rqi", "explain", *words, "--json").json()
    assert explained["judge"]["reports"] == {"read": 2}
    assert explained["components"]["L"]["value"] == -1.0
    assert len(asked(tmp_path)) == 2
