"""The exam: a person's answers become a run like any other, and none is lost or taken twice."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import signal
import socket
import threading
import time
from itertools import combinations, pairwise

import pytest
from room_server import s3harness
from s3harness_view.exam_questions import Question, in_exam_order

from s3harness import Clip, Request, Video


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def journal(run):
    return lines(run / "responses.jsonl")


def sign_of(made):
    """Prompt → item and truth of the first task's questions, from the oracle's run: a client knows only prompts."""
    truth = {item["requests"][0]: item["truth"] for item in lines(made / "runs" / "oracle" / "items.jsonl")}
    return {entry["id"]: (entry["item"], truth.get(entry["id"])) for entry in journal(made / "runs" / "oracle")}


def value_for(form, rng, truth=None, error=0.0):
    if form["kind"] == "choice":
        right = truth if truth in form["choices"] else form["choices"][-1]
        wrong = next(choice for choice in form["choices"] if choice != right)
        return wrong if rng.random() < error else right
    return {"time": 3.5, "names": form.get("choices", [])[:2], "text": "The head turns to the left."}[form["kind"]]


def take(server, rng, truths=None, error=0.0, confirmed=None):
    """Answer all questions; return id → value of those that the server confirmed."""
    confirmed = {} if confirmed is None else confirmed
    while question := server.next_question():
        _, truth = (truths or {}).get(question["id"], ("", None))
        value = value_for(question["form"], rng, truth, error)
        status, data = server.post("/api/answer", {"id": question["id"], "value": value, "words": "", "seconds": 0.01})
        assert status == 200, data
        confirmed[question["id"]] = value
    return confirmed


def test_an_exam_over_all_tasks_is_a_run_that_is_scored_compared_packed_and_audited(made, tmp_path, serve):
    out = tmp_path / "reader"
    server = serve("read", made / "data", "--reader", "anna", "--out", out, "--sample", 40, "--seed", 3)
    kinds, ids = set(), []
    while question := server.next_question():
        kinds.add(question["form"]["kind"])
        ids.append(question["id"])
        assert "v000" not in json.dumps(question), "the reader is told no more than a model"
        if question["has_clip"] and len(ids) < 3:
            assert server.get("/media/question", id=question["id"])[1][4:8] == b"ftyp"
            assert server.get("/media/question", id="another")[0] == 404
        data = {"id": question["id"], "value": value_for(question["form"], random.Random(1)), "seconds": 0.2}
        assert server.post("/api/answer", data)[0] == 200
        if not server.is_finished:
            assert server.post("/api/answer", data)[0] in (409, 404), "an answer is locked once it is given"
    assert server.finish() == 0
    assert kinds >= {"choice", "time"}
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["run"]["model"]["name"] == "reader-anna"
    assert manifest["run"]["options"] == {"reader": "anna", "seed": 3}
    assert manifest["identities"][0]["identity"]["reader"] == "anna"
    assert sorted(ids) == sorted(entry["id"] for entry in journal(out))
    assert all(entry["latency_s"] <= 0.2 for entry in journal(out))
    scores = json.loads((out / "scores.json").read_text())["scores"]
    assert any(score["floor"] is not None for score in scores)
    assert any(score["interval"] or score["interval_note"] for score in scores)
    compared = s3harness("compare", made / "runs" / "floors", out)
    assert "reader" in compared.stdout
    assert manifest["run"]["sample"] == {"items": 40, "seed": 3}
    s3harness("submit", "pack", out, "--out", tmp_path / "packed")
    verdict = s3harness("leaderboard", "verify", tmp_path / "packed", "--data", made / "data")
    assert "Accepted as re-scored" in verdict.stdout
    audit = [json.loads(line) for line in (out / "audit.jsonl").read_text().splitlines()]
    assert any(event.get("id") == "/media/question" and event["bytes"] > 1000 for event in audit)
    s3harness("audit", out, "--data", made / "data")


def balanced_accuracy(rows):
    """Mean over signs of the mean recall of yes and no, where both occur; rows are sign, truth and answer.

    "na" does not claim the sign, and so is a no.
    """
    by_sign = {}
    for sign, truth, answer in rows:
        if truth != "untested":
            by_sign.setdefault(sign, []).append((truth, "no" if answer == "na" else answer))
    balanced = []
    for pairs in by_sign.values():
        recalls = [
            sum(answer == truth for truth, answer in pairs if truth == label) / n
            for label in ("yes", "no")
            if (n := sum(truth == label for truth, _ in pairs))
        ]
        if len(recalls) == 2:
            balanced.append(sum(recalls) / 2)
    return sum(balanced) / len(balanced)


def exact_p(rows):
    """Share of the ways to exchange two answerers by patient whose difference is as large as the observed one."""
    patients = sorted({row["cluster"] for row in rows})

    def difference(swapped):
        pairs = [row["answers"][::-1] if row["cluster"] in swapped else row["answers"] for row in rows]
        one, two = (
            balanced_accuracy([(row["subject"], row["truth"], pair[n]) for row, pair in zip(rows, pairs, strict=True)])
            for n in (0, 1)
        )
        return two - one

    ways = [set(chosen) for n in range(len(patients) + 1) for chosen in combinations(patients, n)]
    observed = abs(difference(set()))
    return sum(abs(difference(way)) >= observed - 1e-9 for way in ways) / len(ways)


def answers_by_hand(run, given):
    """Item → the answer that the answers of its windows make: any yes is a yes, and sleep is that of the first."""
    answers = {}
    for item in lines(run / "items.jsonl"):
        of_windows = [given[request_id] for request_id in item["requests"]]
        is_first = item["subject"] == "occur_during_sleep"
        answers[item["item"]] = of_windows[0] if is_first else "yes" if "yes" in of_windows else "no"
    return answers


def test_three_readers_beside_an_algorithm_come_out_as_a_hand_computes(made, tmp_path, serve):
    kinematics, truths = tmp_path / "kinematics", sign_of(made)
    s3harness("run", "--backend", "kinematics", "--data", made / "data", "--tasks", "1", "--out", kinematics)
    answers = {
        "kinematics": {p["item"]: p["value"] for p in lines(kinematics / "predictions" / "task1_features.jsonl")}
    }
    for reader, error in (("anna", 0.10), ("ben", 0.25), ("cem", 0.40)):
        out = tmp_path / reader
        server = serve("read", made / "data", "--reader", reader, "--tasks", "1", "--out", out)
        given = take(server, random.Random(reader), truths, error)
        assert server.finish() == 0
        answers[reader] = answers_by_hand(out, given)
    items = lines(kinematics / "items.jsonl")
    by_hand = {
        name: balanced_accuracy([(item["subject"], item["truth"], of[item["item"]]) for item in items])
        for name, of in answers.items()
    }
    readers = [name for name in answers if name != "kinematics"]
    assert len(set(by_hand.values())) == 4
    for reader in readers:
        scores = json.loads((tmp_path / reader / "scores.json").read_text())["scores"]
        assert next(score for score in scores if score["primary"])["value"] == pytest.approx(by_hand[reader])
        (row,) = json.loads(s3harness("compare", kinematics, tmp_path / reader, "--json").stdout)["tasks"]
        assert row["difference"] == pytest.approx(by_hand[reader] - by_hand["kinematics"])
        pairs = [
            item | {"answers": (answers["kinematics"][item["item"]], answers[reader][item["item"]])} for item in items
        ]
        assert row["p"] == pytest.approx(exact_p(pairs))
    exams = [argument for reader in readers for argument in ("--readers", tmp_path / reader)]
    mean = sum(by_hand[reader] for reader in readers) / 3
    assert f"readers, n = 3: mean {mean:.3g}" in " ".join(s3harness("score", kinematics, *exams).stdout.split())
    page = tmp_path / "report.html"
    s3harness("report", kinematics, *exams, "--out", page)
    assert f"readers, n = 3: mean {mean:.3g}" in page.read_text()
    for reader in readers:
        s3harness("submit", "pack", tmp_path / reader, "--out", tmp_path / "submissions" / reader)
    s3harness("submit", "pack", kinematics, "--out", tmp_path / "submissions" / "kinematics")
    site = ("--submissions", tmp_path / "submissions", "--data", made / "data", "--out", tmp_path / "site")
    reviewed = [argument for reader in readers for argument in ("--reviewed", reader)]
    s3harness("leaderboard", "build", *site, *reviewed)
    board = (tmp_path / "site" / "task1-features.html").read_text()
    low, high = min(by_hand[reader] for reader in readers), max(by_hand[reader] for reader in readers)
    assert "readers, n = 3" in board
    assert f"{mean:.3f} ({low:.3f}–{high:.3f})" in board
    assert "10 epileptologists" not in board, "their figures are of another task"


def test_a_run_of_a_model_is_no_reader(made):
    runs = made / "runs"
    refused = s3harness("score", runs / "floors", "--readers", runs / "oracle", check=False)
    assert refused.returncode == 2
    assert "s3harness read" in refused.stderr


def test_killed_at_random_instants_no_answer_is_lost_or_taken_again(made, tmp_path, serve):
    out, rng = tmp_path / "killed", random.Random(11)
    arguments = ("read", made / "data", "--reader", "cem", "--tasks", "1,3", "--out", out)
    confirmed, seen_again = {}, []

    def answer_until_killed(server):
        while True:
            try:
                question = server.json("/api/question")
                if question.get("finished"):
                    return
                if question["id"] in confirmed:
                    seen_again.append(question["id"])
                value = value_for(question["form"], rng)
                # Slow enough that questions are left after twenty kills.
                time.sleep(0.25)
                status, _ = server.post("/api/answer", {"id": question["id"], "value": value, "seconds": 0.1})
                if status == 200:
                    confirmed[question["id"]] = value
            except (OSError, http.client.HTTPException, json.JSONDecodeError):
                return

    # At least twenty, and on a slow machine until one answer came in between.
    for kill in range(100):
        if kill >= 20 and confirmed:
            break
        server = serve(*arguments)
        thread = threading.Thread(target=answer_until_killed, args=(server,))
        thread.start()
        time.sleep(rng.uniform(0.05, 0.7))
        server.stop(signal.SIGKILL)
        thread.join()
    before = dict(confirmed)
    server = serve(*arguments)
    take(server, rng, confirmed=confirmed)
    assert server.finish() == 0
    entries = journal(out)
    assert before
    assert len(before) < len(entries), "it was killed before the end"
    assert seen_again == []
    ids = [entry["id"] for entry in entries]
    assert len(ids) == len(set(ids)), "each question is answered once"
    texts = {entry["id"]: entry["text"] for entry in entries}
    for request_id, value in before.items():
        assert str(value) in texts[request_id]


def test_ctrl_c_pauses_and_the_same_command_goes_on(made, tmp_path, serve):
    out = tmp_path / "paused"
    arguments = ("read", made / "data", "--reader", "dora", "--tasks", "3", "--out", out)
    server = serve(*arguments)
    first = server.json("/api/question")
    server.post("/api/answer", {"id": first["id"], "value": first["form"]["choices"][0]})
    assert "the same command goes on" in server.stop(signal.SIGINT)
    server = serve(*arguments)
    second = server.json("/api/question")
    assert second["id"] != first["id"]
    assert second["number"] == first["number"] + 1
    # A reader of another name would mix two people in one run.
    server.stop(signal.SIGINT)
    refused = s3harness("read", made / "data", "--reader", "emil", "--tasks", "3", "--out", out, check=False)
    assert refused.returncode == 2


@pytest.mark.parametrize(
    "bad",
    [{"value": "maybe"}, {"value": None}, {"value": ["yes"]}, {"value": 3}, {}, {"value": "left", "words": 5}],
)
def test_a_wrong_answer_is_refused_in_words_and_the_question_stays(made, tmp_path, serve, bad):
    server = serve("read", made / "data", "--reader", "fee", "--tasks", "3", "--out", tmp_path / "bad")
    question = server.json("/api/question")
    status, data = server.post("/api/answer", {"id": question["id"], **bad})
    assert status == 400
    assert "expected" in data["error"]
    assert server.json("/api/question")["id"] == question["id"]
    assert journal(tmp_path / "bad") == []


def test_a_reader_who_cannot_tell_has_refused(made, tmp_path, serve):
    out = tmp_path / "declined"
    server = serve("read", made / "data", "--reader", "gil", "--tasks", "3", "--sample", 1, "--out", out)
    question = server.json("/api/question")
    server.post("/api/answer", {"id": question["id"], "declined": True})
    assert server.finish() == 0
    assert [entry["status"] for entry in journal(out)] == ["refused"]


def test_a_clip_that_cannot_be_shown_is_a_failure_and_the_exam_goes_on(made, tmp_path, serve):
    import shutil

    shutil.copytree(made / "data", tmp_path / "data")
    (tmp_path / "data" / "videos" / "v0001.mp4").write_bytes(b"no video")
    out = tmp_path / "broken"
    server = serve("read", tmp_path / "data", "--reader", "hal", "--tasks", "3", "--out", out)
    take(server, random.Random(1))
    assert server.finish() == 1
    statuses = {(entry["clip"]["video_id"], entry["status"]) for entry in journal(out)}
    assert ("v0001", "failed") in statuses
    assert {status for video, status in statuses if video != "v0001"} == {"ok"}


def question(name, kind, start=0.0, public=""):
    clip = Clip("v1", start, start + 10, (start,), 100)
    request = Request(
        id=name, task="t", item=name, subject="s", clip=clip, prompt="p", item_kind=kind, public_prompt=public
    )
    return Question(Video("v1", "p1"), request)


def test_questions_that_tell_something_come_after_those_that_they_would_spoil():
    kinds = ["laterality", "feature", "boundary", "sequence", "report"]
    questions = [question(f"{kind}{n}", kind, 10.0 * n) for kind in kinds for n in range(5)]
    questions.append(question("with report", "diagnosis", public="withheld"))
    order = [q.request for q in in_exam_order(questions, seed=1)]
    assert order[-1].id == "with report"
    late = [n for n, request in enumerate(order) if request.item_kind in ("laterality", "boundary")]
    assert min(late) == 15
    assert order != [q.request for q in in_exam_order(questions, seed=2)]
    assert order == [q.request for q in in_exam_order(questions[::-1], seed=1)]
    # The questions about a clip stand together, as a person sees it once.
    for part in (order[:15], order[15:25]):
        starts = [request.clip.start_s for request in part]
        assert sum(a != b for a, b in pairwise(starts)) == 4


def texts(run):
    return {entry["id"]: entry["text"] for entry in journal(run)}


def test_each_answer_is_locked_before_the_models_is_shown_and_a_second_one_taken(made, tmp_path, serve):
    out, model = tmp_path / "ida", made / "runs" / "floors"
    arguments = ("read", made / "data", "--reader", "ida", "--tasks", "3", "--sample", 4, "--out", out)
    server = serve(*arguments, "--assisted", model)
    advice = {(entry["item"], entry["clip"]["index"]): entry["text"] for entry in journal(model)}
    own, second, order = {}, {}, []
    while question := server.next_question():
        order.append((question["id"], question["second"]))
        first, other = question["form"]["choices"][:2]
        data = {"id": question["id"], "value": other if question["second"] else first, "second": question["second"]}
        assert question["number"] == len(own) + (not question["second"])
        if question["second"]:
            (entry,) = (entry for entry in journal(out) if entry["id"] == question["id"])
            assert question["own"] == entry["text"], "the own answer is journalled before the model's is shown"
            assert question["advice"] == advice[entry["item"], entry["clip"]["index"]]
            # A first answer that was sent twice must not become the second one.
            assert server.post("/api/answer", data | {"second": False})[0] == 409
        else:
            assert "advice" not in question
        (second if question["second"] else own)[question["id"]] = data["value"]
        assert server.post("/api/answer", data)[0] == 200
        if len(order) == 3:
            # Killed between an own answer and the second one: the second one is what is left.
            assert question["second"] is False
            server.stop(signal.SIGKILL)
            server = serve(*arguments, "--assisted", model)
            again = server.json("/api/question")
            assert (again["id"], again["second"]) == (question["id"], True)
    assert server.finish() == 0
    assert order == [(request, is_second) for request in own for is_second in (False, True)]
    aided = tmp_path / "ida-aided"
    for run, given in ((out, own), (aided, second)):
        assert texts(run).keys() == given.keys()
        assert all(str(value) in texts(run)[request] for request, value in given.items())
    manifest = json.loads((aided / "manifest.json").read_text())
    assert manifest["identities"][0]["identity"]["assisted"] == "floors"
    assert manifest["run"]["model"]["family"] == "aided reader"
    assert str(tmp_path) not in json.dumps(manifest)
    compared = json.loads(s3harness("compare", out, aided, "--json").stdout)
    assert [(row["first"], row["second"]) for row in compared["tasks"]] == [("ida", "ida-aided")]


def test_whoever_took_the_exam_alone_gives_all_second_answers_later(made, tmp_path, serve):
    out, model = tmp_path / "jo", made / "runs" / "floors"
    arguments = ("read", made / "data", "--reader", "jo", "--tasks", "3", "--sample", 3, "--out", out)
    server = serve(*arguments)
    own = take(server, random.Random(2))
    assert server.finish() == 0
    before = texts(out)
    server = serve(*arguments, "--assisted", model)
    while question := server.next_question():
        assert question["second"]
        assert question["own"] == before[question["id"]]
        changed = next(choice for choice in question["form"]["choices"] if choice != own[question["id"]])
        assert server.post("/api/answer", {"id": question["id"], "value": changed, "second": True})[0] == 200
    assert server.finish() == 0
    assert texts(out) == before, "the first answers stay"
    assert texts(tmp_path / "jo-aided").keys() == before.keys()
    assert not set(texts(tmp_path / "jo-aided").items()) & set(before.items())


def test_a_browser_that_closes_in_the_middle_of_an_answer_gives_none(made, tmp_path, serve):
    out = tmp_path / "closed"
    server = serve("read", made / "data", "--reader", "kim", "--tasks", "3", "--sample", 1, "--out", out)
    question = server.json("/api/question")
    body = json.dumps({"id": question["id"], "value": question["form"]["choices"][0]}).encode()
    head = f"POST /api/answer HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nCookie: {server.cookie}\r\n"
    head += f"Origin: http://127.0.0.1:{server.port}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + body[:20])
    assert server.json("/api/question")["id"] == question["id"]
    assert journal(out) == []
    assert server.post("/api/answer", json.loads(body))[0] == 200
    assert server.finish() == 0


def test_two_browsers_that_answer_at_once_give_one_answer(made, tmp_path, serve):
    out = tmp_path / "two"
    server = serve("read", made / "data", "--reader", "lea", "--tasks", "3", "--sample", 3, "--out", out)
    statuses = []

    def post(data):
        # The exam may have ended with the other browser's answer.
        with contextlib.suppress(OSError, http.client.HTTPException):
            statuses.append(server.post("/api/answer", data)[0])

    for _ in range(3):
        question = server.json("/api/question")
        answers = [{"id": question["id"], "value": choice} for choice in question["form"]["choices"][:2]]
        threads = [threading.Thread(target=post, args=(data,)) for data in answers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert server.finish() == 0
    assert statuses.count(200) == len(journal(out)) == 3
