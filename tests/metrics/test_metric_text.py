"""Tasks 2 and 6: texts."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_cases import WORDS, answered, pair, parts, references_of, said, score
from rouge_score.rouge_scorer import RougeScorer

from s3harness.metrics.floors import floors_for
from s3harness.metrics.text import bleu, rationale_score, rouge_1_f, rouge_l, rouge_l_f

TEXTS = st.lists(st.sampled_from([*WORDS, "the", ".", ",", "Patient's", "5%", "é"]), max_size=25).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS)
def test_rouge_is_that_of_the_rouge_score_package(said_text, true_text):
    theirs = RougeScorer(["rouge1", "rougeL"], use_stemmer=True).score(true_text, said_text)
    assert rouge_1_f(said_text, true_text) == pytest.approx(theirs["rouge1"].fmeasure)
    assert rouge_l_f(said_text, true_text) == pytest.approx(theirs["rougeL"].fmeasure)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(TEXTS, st.lists(st.sampled_from(WORDS), min_size=1, max_size=15).map(" ".join)),
        min_size=1,
        max_size=6,
    )
)
def test_bleu_is_that_of_sacrebleu_on_the_same_corpus(texts):
    pairs = [pair(truth, text, video=f"v{n}") for n, (text, truth) in enumerate(texts)]
    theirs = sacrebleu.corpus_bleu(
        [" ".join(text.lower().split()) for text, _ in texts], [[truth for _, truth in texts]], force=True
    )
    assert score(bleu(), pairs) == pytest.approx(theirs.score, abs=1e-9)


def test_no_answer_is_an_empty_text_and_a_pair_without_truth_is_not_scored():
    good, lost = pair("the head turns left", "the head turns left"), pair("the head turns left", None, video="v1")
    empty = pair("  ", "the head turns", video="v2")
    assert score(rouge_l(), [good, lost, empty]) == 0.5
    assert score(bleu(), [good]) == pytest.approx(100.0)
    assert score(bleu(), [good, empty]) == pytest.approx(100.0)
    assert 0 < score(bleu(), [good, lost]) < 50
    assert np.isnan(score(rouge_l(), [empty]))
    assert np.isnan(score(bleu(), [empty]))
    assert score(bleu(), [lost]) == 0.0


def rationale(truth, answer, text="the arm jerks", true_text="the arm jerks", **kwargs):
    return pair({"present": truth, "text": true_text}, {"present": answer, "text": text}, **kwargs)


def test_a_reason_counts_only_under_the_right_answer():
    pairs = [rationale("yes", "yes"), rationale("no", "yes", video="v1")]
    assert score(rationale_score(), pairs) == 0.5
    assert score(rationale_score(), [*pairs, rationale("untested", "yes", video="v2")]) == 0.5
    assert score(rationale_score(), [rationale("yes", "yes"), rationale("no", "na", video="v1")]) == 1.0
    assert score(rationale_score(), [rationale("yes", "yes"), rationale("no", None, video="v1")]) == 0.5


@pytest.mark.parametrize("share_of_yes", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_bias_towards_either_answer_is_worth_the_same_however_common_it_is(share_of_yes, answer):
    n_yes = round(40 * share_of_yes)
    pairs = [rationale("yes" if n < n_yes else "no", answer, video=f"v{n}") for n in range(40)]
    assert score(rationale_score(), pairs) == 0.5


def test_knowing_which_signs_are_common_is_worth_nothing():
    pairs = [
        rationale(
            "yes" if (n < 18) == (sign == "common") else "no",
            "yes" if sign == "common" else "no",
            subject=sign,
            video=f"v{n}",
        )
        for sign in ("common", "rare")
        for n in range(20)
    ]
    assert score(rationale_score(), pairs) == 0.5
    assert parts(rationale_score(), pairs) == {"common": 0.5, "rare": 0.5}


def test_every_constant_answer_gets_at_most_half_of_its_text():
    references = references_of("rationale")
    texts = {(r.subject, r.truth["present"]): r.truth["text"] for r in references}
    for answer in ("yes", "no"):
        pairs = said(references, lambda r, a=answer: {"present": a, "text": r.truth["text"]})
        assert score(rationale_score(), pairs) == pytest.approx(0.5)
    assert texts
    for made in floors_for("rationale", references).values():
        assert score(rationale_score(), answered(references, made)) < 0.3
