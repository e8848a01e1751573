"""Content informedness: what is particular to a true sentence counts, what stands under every video does not."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_cases import answered, pair, parts, score

from s3harness.errors import SpecError
from s3harness.metrics.base import Pair
from s3harness.metrics.floors import floors_for, oracle
from s3harness.metrics.rationale import CANDIDATES, rationale_informedness
from s3harness.metrics.statements import FILE, load_rationale_lexicon, statements
from s3harness.metrics.text import normalised
from s3harness.scoring.score_task import score_task
from s3harness.specs.document import specs_directory
from s3harness.specs.loading import load_task
from s3harness.specs.models import ModelCard
from s3harness.specs.tasks import resolve
from s3harness.testing.cases import made_up_videos, references_of
from s3harness.types import Prediction, Reference

TEMPLATE = "The patient does not exhibit any rhythmic jerking of the arms throughout the video."
SENTENCES = {
    "left arm, brief": "A brief jerk of the left arm.",
    "right arm, brief": "A brief jerk of the right arm.",
    "left arm, sustained": "A sustained jerking of the left arm.",
    "right leg, asleep": "The right leg jerks while the patient is asleep.",
}


@pytest.fixture(scope="module")
def references() -> list[Reference]:
    return references_of("rationale", made_up_videos(30))


def given_by(references, say: Callable[[Reference], object]):
    return answered(references, [Prediction(r.item, say(r)) for r in references])


def value_of(references, say) -> float:
    return score(rationale_informedness(), given_by(references, say))


def right_label(text: Callable[[Reference], str]):
    return lambda r: {"present": r.truth["present"], "text": text(r)}


def cases(answers: dict[str, str], truth: str = "yes"):
    """One item for each of the sentences, and as many of the other truth, which are answered by themselves."""
    other = "no" if truth == "yes" else "yes"
    return [
        pair({"present": p, "text": text}, {"present": p, "text": say}, video=f"{p}{n}", cluster=n)
        for p in (truth, other)
        for n, (text, say) in enumerate((t, answers[k] if p == truth else t) for k, t in SENTENCES.items())
    ]


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("A brief jerk of the LEFT arm.", {"quality:brief", "quality:jerking", "part:arm", "side:left arm"}),
        ("The movement is not rhythmic.", {"quality:not rhythmic"}),
        ("No movement of the right leg.", {"part:leg", "side:right", "side:right leg"}),
        ("At onset he is asleep; the body is covered.", {"time:onset", "state:asleep", "circumstance:covered"}),
        ("Der Patient ist ruhig.", set()),
        ("", set()),
        ("... !!!", set()),
    ],
)  # fmt: skip
def test_a_sentence_states_elements_of_meaning(text, stated):
    assert stated <= statements(text)
    assert stated or not statements(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The left arm becomes stiff.", "the left ARM is rigid"),
        ("A brief twitch of the face.", "The face twitched, momentarily."),
        ("She moans throughout the event.", "Groaning through the entire event."),
    ],
)
def test_other_words_state_the_same(one, other):
    shared = statements(one) & statements(other)
    assert 2 * len(shared) / (len(statements(one)) + len(statements(other))) > 0.7


def test_the_truth_scores_one_and_nothing_said_scores_nothing():
    assert score(rationale_informedness(), cases(SENTENCES)) == pytest.approx(1.0)
    assert score(rationale_informedness(), cases(dict.fromkeys(SENTENCES, ""))) == pytest.approx(0.5)


@pytest.mark.parametrize("text", [TEMPLATE, *SENTENCES.values(), " ".join(SENTENCES.values())])
def test_a_sentence_that_stands_under_every_video_scores_nothing(text):
    """Of the other truth, answered right, comes the half."""
    assert score(rationale_informedness(), cases(dict.fromkeys(SENTENCES, text))) == pytest.approx(0.5)


def test_more_of_what_is_particular_scores_more_and_the_contrary_less_than_nothing():
    sides = {k: "the left arm" if "left" in k else "the right side" for k in SENTENCES}
    flipped = {k: "the right side" if "left" in k else "the left side" for k in SENTENCES}
    worse, half, all_of_it = (score(rationale_informedness(), cases(said)) for said in (flipped, sides, SENTENCES))
    assert worse < 0.5 < half < all_of_it


def test_both_sides_tell_no_side():
    both = dict.fromkeys(SENTENCES, "the left and the right side")
    assert score(rationale_informedness(facet="side"), cases(both)) == pytest.approx(0.5)


def test_words_under_the_wrong_answer_count_for_nothing():
    pairs = [
        pair({"present": "yes", "text": t}, {"present": "no", "text": t}, video=k) for k, t in SENTENCES.items()
    ] + [pair({"present": "no", "text": t}, {"present": "no", "text": t}, video=f"{k}n") for k, t in SENTENCES.items()]
    assert score(rationale_informedness(), pairs) == pytest.approx(0.5)


def test_no_answer_scores_less_than_any_template_and_than_a_wrong_answer(references):
    nothing = value_of(references, lambda r: None)
    assert nothing < -0.2
    assert value_of(references, lambda r: "nonsense") == pytest.approx(nothing)
    assert value_of(references, lambda r: {"present": "yes" if r.truth["present"] == "no" else "no", "text": ""}) == 0.0


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_failing_never_pays_whichever_answer_fails(references, seed):
    """The answer that fails is compared with any true sentence in its place."""
    random = Random(seed)
    lost = random.choice([r for r in references if r.truth["present"] != "untested"])
    texts = [
        r.truth["text"] for r in references if (r.subject, r.truth["present"]) == (lost.subject, lost.truth["present"])
    ]
    kept = {r.item: random.choice(texts if r.item == lost.item else [r.truth["text"], TEMPLATE]) for r in references}
    say = right_label(lambda r: kept[r.item])
    assert value_of(references, lambda r: None if r.item == lost.item else say(r)) <= value_of(references, say) + 1e-9


@pytest.mark.parametrize("text", [TEMPLATE, "", "Hello.", " ".join(SENTENCES.values()) * 20])
@pytest.mark.parametrize("present", ["yes", "no", "the truth", "coin"])
def test_no_template_earns_anything_with_any_label(references, text, present):
    random = Random(0)

    def say(reference):
        labels = {"the truth": reference.truth["present"], "coin": random.choice(("yes", "no"))}
        return {"present": labels.get(present, present), "text": text}

    assert value_of(references, say) == pytest.approx(0.0, abs=1e-9 if present != "coin" else 0.06)


def test_the_sentences_of_other_patients_under_the_right_answer_earn_nothing(references):
    random = Random(0)
    say = right_label(lambda r: _of_another_patient(r, references, random))
    values = [value_of(references, say) for _ in range(20)]
    assert np.mean(values) < 0.01
    assert max(values) < 0.1


def _sides(text: str) -> str:
    return " ".join(word for word in text.split() if word in ("left", "right"))


def _of_another_patient(reference, references, random) -> str:
    alike = [
        r.truth["text"]
        for r in references
        if r.cluster != reference.cluster
        and (r.subject, r.truth["present"]) == (reference.subject, reference.truth["present"])
    ]
    return random.choice(alike or [""])


def test_a_reason_of_no_words_is_worth_nothing_and_is_a_floor(references):
    floor = answered(references, floors_for("rationale", references)["no_reason"])
    assert score(rationale_informedness(), floor) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("kind", ["always_yes", "always_no", "commonest"])
def test_no_floor_is_above_nothing(references, kind):
    """Sentences fitted without a patient fit that patient a little worse than a constant would."""
    floor = answered(references, floors_for("rationale", references)[kind])
    assert score(rationale_informedness(), floor) < 0.02


def test_saying_more_than_twice_what_anybody_says_costs(references):
    def repeated(times):
        return value_of(references, right_label(lambda r: " ".join([r.truth["text"]] * times)))

    assert repeated(1) == pytest.approx(1.0)
    assert 1.0 > repeated(4) > repeated(10) > repeated(40) > 0


def test_the_ceiling_says_what_another_patient_has_and_is_above_any_other_dealing(references):
    metric = rationale_informedness()
    best = metric.ceiling(references)
    pairs = answered(references, [best(r) for r in references])
    ceiling = score(rationale_informedness(), pairs)
    own = {r.item: r.cluster for r in references}
    for one in pairs:
        text = one.prediction.value["text"]
        assert text == "" or any(
            normalised(r.truth["text"]) == text and r.cluster != own[one.reference.item] for r in references
        )
    random = Random(0)
    dealt = value_of(references, right_label(lambda r: _of_another_patient(r, references, random)))
    assert dealt + 0.2 < ceiling < 1.0
    assert CANDIDATES >= 100


def test_the_ceiling_of_a_task_is_what_other_words_reach_and_not_the_truth_repeated(references):
    spec = resolve(load_task("s3/task2_rationales").data, protocol="strict", profile="strict", model=ModelCard("any"))
    primary, *others = score_task(spec, references, oracle(references), resamples=20)
    assert primary.primary
    assert primary.value == pytest.approx(1.0)
    assert 0.1 < primary.ceiling < 1.0
    assert {score.metric: score.ceiling for score in others}["ROUGE-L"] == pytest.approx(1.0)


def test_a_ceiling_below_a_noisy_reader_gives_way_to_the_truth():
    """Among few patients hardly anybody else's sentence fits: that is no limit of what can be reached."""
    spec = resolve(load_task("s3/task2_rationales").data, protocol="strict", profile="strict", model=ModelCard("any"))
    references = [
        Reference(
            item=f"i{n}",
            task=spec.name,
            video_id=f"v{n}",
            subject="tonic",
            cluster=n,
            truth={"present": "yes", "text": text},
        )
        for n, text in enumerate(
            ("The left arm stiffens.", "The right leg is rigid at 12 s.", "The trunk stiffens slowly.", "Face tense.")
        )
    ]
    primary = score_task(spec, references, oracle(references), resamples=20)[0]
    own = rationale_informedness().ceiling(references)
    assert score(rationale_informedness(), [Pair(r, own(r)) for r in references]) < primary.informed
    assert (primary.ceiling, primary.skill) == (pytest.approx(1.0), pytest.approx(1.0))


def test_where_true_sentences_do_not_differ_there_is_nothing_to_tell():
    alone = [pair({"present": "yes", "text": t}, {"present": "yes", "text": t}, video=k) for k, t in SENTENCES.items()]
    assert score(rationale_informedness(), alone) == pytest.approx(1.0)
    same = [
        pair({"present": p, "text": TEMPLATE}, {"present": p, "text": TEMPLATE}, video=f"{p}{n}")
        for p in ("yes", "no")
        for n in range(3)
    ]
    assert np.isnan(score(rationale_informedness(), same))
    assert score(rationale_informedness(), [*alone, *same]) == pytest.approx(1.0)
    foreign = [
        pair({"present": "no", "text": t}, {"present": "no", "text": t}, video=t)
        for t in ("Das Gesicht zuckt.", "Die Augen blinzeln.")
    ]
    assert np.isnan(score(rationale_informedness(), foreign))


def test_parts_are_features_and_a_facet_looks_at_nothing_else(references):
    pairs = given_by(references, right_label(lambda r: r.truth["text"]))
    assert set(parts(rationale_informedness(), pairs)) == {r.subject for r in references}
    sides_only = given_by(references, right_label(lambda r: _sides(r.truth["text"])))
    assert score(rationale_informedness(facet="side"), sides_only) > score(
        rationale_informedness(facet="time"), sides_only
    )
    assert score(rationale_informedness(facet="time"), sides_only) == pytest.approx(0.0)
    with pytest.raises(ValueError, match="no facet 'colour': expected one of sign, part, side"):
        rationale_informedness(facet="colour")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("schema: s3harness/rationale_lexicon/v1", "schema: other"), "expected s3harness/rationale_lexicon/v1"),
        (("\ntime:\n", "\ntimes:\n"), "time"),
        (("denied: [quality, state]", "denied: [quality, mood]"), "a list of facets is expected"),
        (("  covered: [", "  covered: x #["), "covered: a list of phrases is expected"),
    ],
)
def test_a_lexicon_with_a_mistake_is_named(tmp_path, change, message):
    text = (specs_directory() / FILE).read_text(encoding="utf-8")
    assert change[0] in text
    (tmp_path / "mine.yaml").write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(SpecError, match=message):
        load_rationale_lexicon(tmp_path / "mine.yaml")
