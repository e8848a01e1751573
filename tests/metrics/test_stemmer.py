"""The stems of ROUGE are those of nltk, and come without the rest of nltk."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

from s3harness.metrics.text import porter_stemmer, rouge_1_f, rouge_l_f
from s3harness.specs.features import vocabulary

WORDS = sorted(
    {word for f in vocabulary().features for text in (f.question, f.definition, f.statement) for word in text.split()}
    | {"dying", "skies", "flies", "news", "generously", "caresses", "ponies", "agreed", "hopping", "relational"}
)


def test_stems_are_those_of_nltk():
    from nltk.stem.porter import PorterStemmer

    theirs = PorterStemmer()
    assert len(WORDS) > 300
    assert [word for word in WORDS if porter_stemmer().stem(word.lower()) != theirs.stem(word.lower())] == []


def test_rouge_is_that_of_the_rouge_score_package():
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    texts = [feature.definition for feature in vocabulary().features]
    for answer, truth in pairwise(texts):
        theirs = scorer.score(truth, answer)
        assert abs(rouge_1_f(answer, truth) - theirs["rouge1"].fmeasure) < 1e-12
        assert abs(rouge_l_f(answer, truth) - theirs["rougeL"].fmeasure) < 1e-12


def test_scoring_a_text_imports_neither_scikit_learn_nor_pandas_and_nltk_is_whole_afterwards():
    program = """
import sys
from s3harness.metrics.text import rouge_l_f
assert rouge_l_f("the arms jerked", "arms jerking") > 0.7
print(sorted({name.split(".")[0] for name in sys.modules} & {"sklearn", "pandas", "nltk"}))
import nltk
print(nltk.stem.PorterStemmer().stem("jerking"), nltk.edit_distance("a", "b"))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=True)
    assert done.stdout.split() == ["[]", "jerk", "1"]
