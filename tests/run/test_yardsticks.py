"""The oracle is perfect and the floors are not, through the whole path: prompt, text, parser, aggregator, metric."""

from __future__ import annotations

import pytest
from running import journal, primary, run_words, scores

BEST = {f"task{n}": 1.0 for n in range(1, 8)} | {"task4": 0.0, "task6": 100.0}


@pytest.fixture(scope="module", params=["strict", "paper"])
def oracle(request, dataset, cache, tmp_path_factory):
    """The directory of a run of the oracle by one protocol."""
    from running import Here

    out = tmp_path_factory.mktemp("oracle") / request.param
    done = Here(out.parent)(*run_words(dataset, out, cache, "--protocol", request.param, backend="oracle"))
    assert done.code == 0, done.err
    return out


def test_the_oracle_is_perfect_on_each_task(oracle):
    found = primary(oracle)
    assert {task: row["value"] for task, row in found.items()} == BEST
    for task, row in found.items():
        assert (row["coverage"], row["lost"]) == (1.0, {}), task
        assert row["ceiling"] == row["value"] or (
            row["metric"] == "content informedness" and row["ceiling"] < row["value"]
        )
        assert row["skill"] == 1.0
        assert row["floor"] != row["ceiling"], f"{task}: a floor as good as the truth"
        assert row["n_patients"] == 3


def test_the_oracle_reaches_the_ceiling_of_every_metric(oracle):
    for (task, metric), row in scores(oracle).items():
        if metric == "AUROC":
            assert row["value"] is None, "an answer in words has no probability"
        elif metric == "content informedness":
            assert row["value"] >= row["ceiling"], "its ceiling is another patient's sentence, not the truth itself"
        else:
            assert row["value"] == pytest.approx(row["ceiling"]), (task, metric)


def test_the_oracle_answers_in_words(oracle):
    texts = {line["task"]: line["text"] for line in journal(oracle)}
    assert '"answer": ' in texts["s3/task1_features"]
    assert ":" in texts["s3/task4_temporal_boundaries"], "a time of the clock"
    assert " " in texts["s3/task6_report"]
    assert all(isinstance(text, str) and text for text in texts.values())


@pytest.mark.parametrize("model", ["internvl3.5-8b", "qwen2.5-omni-7b", "audio-flamingo-3"])
def test_the_oracle_is_read_in_the_answer_formats_of_each_family(model, here, dataset, cache, tmp_path):
    words = run_words(dataset, out := tmp_path / "out", cache, "--protocol", "paper", "--model", model)
    done = here(*words, "--tasks", "1,4", "--limit", "4", "--backend", "oracle")
    assert done.code == 0, done.err
    for task, row in primary(out).items():
        assert row["lost"] == {}, "every answer is read"
        is_frame_number = (model, task) == ("internvl3.5-8b", "task4")
        if row["ceiling"] is not None and not is_frame_number:
            assert row["value"] == row["ceiling"]
        assert not is_frame_number or row["value"] > 1, "the authors took a frame for a second, whatever its time"


@pytest.mark.parametrize("answer", ["constant", "prevalence"])
def test_floors_answer_everything_and_stay_below_the_ceiling(answer, here, dataset, cache, tmp_path):
    done = here(*run_words(dataset, out := tmp_path / "out", cache, "-o", f"answer={answer}"))
    assert done.code == 0, done.err
    for task, row in primary(out).items():
        assert row["coverage"] == 1.0, task
        assert row["value"] is not None
        assert row["skill"] < 1.0, task
        is_drawn = answer == "prevalence"
        assert is_drawn or row["skill"] <= 1e-9, f"{task}: no answerer without luck is above the best of them"


def test_an_empty_answer_covers_nothing_and_is_wrong(here, dataset, cache, tmp_path):
    here(*run_words(dataset, out := tmp_path / "out", cache, "-o", "answer=empty"))
    for task, row in primary(out).items():
        if task == "task5":
            assert row["skill"] <= 0, "no sign at all is an answer, and no better than the floor"
            continue
        assert row["coverage"] == 0.0, task
        assert row["value"] is not None
        assert row["skill"] <= 0, "no answer is as wrong as can be"
        assert sum(row["lost"].values()) == row["n_items"]


@pytest.mark.parametrize(
    ("answer", "task", "said"),
    [
        ("always_no", "1", {'"no"'}),
        ("always_yes", "2", {'"yes"'}),
        ("always_left", "3", {"left"}),
        ("window_centre", "4", {"00:18"}),
        ("all_signs", "5", {"tonic"}),
        ("constant_report", "6", {"patient"}),
        ("always_NES", "7", {'"NES"'}),
        ("oracle", "7", {'"ES"', '"NES"'}),
    ],
)
def test_each_trivial_answerer_can_be_had_by_name(answer, task, said, here, dataset, cache, tmp_path):
    words = run_words(dataset, out := tmp_path / "out", cache, "--tasks", task, "-o", f"answer={answer}")
    done = here(*words)
    assert done.code == 0, done.err
    texts = [line["text"] for line in journal(out) if line["subject"] != "onset_body_part"]
    assert texts
    assert all(any(word in text for word in said) for text in texts)


@pytest.mark.parametrize("answer", ["always_no_such", "", "window_center", "always_ES"])
def test_a_name_that_no_answerer_of_these_tasks_has_is_a_wrong_call(answer, here, dataset, cache, tmp_path):
    done = here(*run_words(dataset, tmp_path / "out", cache, "--tasks", "1,4", "-o", f"answer={answer}"))
    assert done.code == 2
    assert "there is no trivial answerer" in done.err
    if answer == "window_center":
        assert "did you mean window_centre" in done.err
