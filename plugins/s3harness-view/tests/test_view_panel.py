"""Three readers together: mean, agreement and consensus as computed by hand."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from itertools import combinations
from statistics import mean

import pytest
from room_server import s3harness


def with_answers(source, target, answer_of):
    """Copy a run with other answers to its first task."""
    shutil.copytree(source, target)
    lines = [json.loads(line) for line in (source / "responses.jsonl").read_text().splitlines()]
    for line in lines:
        if line["task"] == "s3/task1_features":
            line["text"] = json.dumps({"answer": answer_of(line), "justification": ""})
    (target / "responses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return target


def balanced_accuracy(items, answers):
    """Mean over signs of the mean recall of yes and no, where both occur."""
    by_sign = {}
    for item in items:
        if item["truth"] != "untested":
            by_sign.setdefault(item["subject"], []).append((item["truth"], answers[item["item"]]))
    values = []
    for pairs in by_sign.values():
        totals = Counter(truth for truth, _ in pairs)
        if len(totals) == 2:
            values.append(mean(sum(t == a == label for t, a in pairs) / totals[label] for label in totals))
    return mean(values)


def test_three_readers_give_the_mean_the_consensus_and_the_agreement_that_a_hand_computes(made, tmp_path):
    source = made / "runs" / "oracle"
    lines = [json.loads(line) for line in (source / "items.jsonl").read_text().splitlines()]
    items = [line for line in lines if line["task"] == "s3/task1_features"]
    place = {item["item"]: n for n, item in enumerate(items)}
    truth = {item["item"]: item["truth"] for item in items}
    flip = {"yes": "no", "no": "yes", "untested": "yes"}
    # The same answer in each window, so that no aggregation is needed: wrong on every 10th, 4th and 3rd item.
    answers = {
        f"r{every}": {i: flip[truth[i]] if place[i] % every == 0 else truth[i].replace("untested", "no") for i in place}
        for every in (10, 4, 3)
    }
    runs = [with_answers(source, tmp_path / name, lambda line, of=of: of[line["item"]]) for name, of in answers.items()]
    summary = json.loads(s3harness("readers", *runs, "--json").stdout)
    task = next(task for task in summary["tasks"] if task["task"] == "s3/task1_features")
    by_hand = {name: balanced_accuracy(items, of) for name, of in answers.items()}
    assert task["scores"] == pytest.approx(by_hand)
    assert task["mean"] == pytest.approx(mean(by_hand.values()))
    majority = {i: Counter(of[i] for of in answers.values()).most_common(1)[0][0] for i in place}
    assert task["consensus"] == pytest.approx(balanced_accuracy(items, majority))
    pairs = [[(one[i], two[i]) for i in place] for one, two in combinations(answers.values(), 2)]
    assert task["agreement"] == pytest.approx(mean(mean(a == b for a, b in pair) for pair in pairs))
    kappas = []
    for pair in pairs:
        n, first, second = len(pair), Counter(a for a, _ in pair), Counter(b for _, b in pair)
        chance = sum(first[x] * second[x] for x in ("yes", "no")) / n**2
        kappas.append((mean(a == b for a, b in pair) - chance) / (1 - chance))
    assert task["kappa"] == pytest.approx(mean(kappas))
    assert "readers, n = 3" in s3harness("readers", *runs).stdout


def test_one_reader_is_no_panel(made):
    assert s3harness("readers", made / "runs" / "oracle", check=False).returncode == 2
