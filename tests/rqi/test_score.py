"""The score is what its preset says, shows its reasons, and cannot be gamed by saying more."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.errors import UsageError
from s3harness.metrics.rqi import (
    BUILT_IN,
    Penalty,
    ReportStructure,
    ReportTruth,
    extract,
    parse_preset,
    report_truth,
    score_report,
    score_structures,
)
from s3harness.metrics.rqi.score import WEIGHTS
from s3harness.specs.features import vocabulary

STRICT, PAPER = parse_preset("strict-1"), parse_preset("paper")
EXPERT = "Out of sleep the head turns to the left, then the left arm extends. Clonic jerks follow. Afterwards confused."
NAMES = list(vocabulary().names)

texts = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=200).filter(
    lambda text: any(map(str.isalnum, text))
)
sign_lists = st.lists(st.sampled_from(NAMES), unique=True, max_size=10)


def structure(events=(), **changes):
    return replace(ReportStructure(components=frozenset({"onset"}), events=tuple(events), words=20), **changes)


def truth(events, labelled=(), **changes):
    return ReportTruth(structure(events), tuple(labelled), **changes)


def test_the_experts_report_scores_100_against_itself():
    score = score_report(EXPERT, {"text": EXPERT})
    assert score.value == 100
    assert {name: component.value for name, component in score.components.items()} == dict.fromkeys("SCLT", 1.0)
    assert score.weights == WEIGHTS


@given(texts)
def test_any_text_scores_100_against_itself_and_every_score_is_in_bounds(text):
    assert score_report(text, {"text": text}, STRICT).value == 100
    assert score_report(text, {"text": text}).value in {100, None}
    for preset in (STRICT, PAPER, "strict-2"):
        assert 0 <= score_report(text, {"text": EXPERT}, preset).value <= 100


def test_the_score_is_the_product_it_claims_to_be():
    score = score_report("The head turns to the right, then blinking. The nurse enters.", {"text": EXPERT})
    base = sum(score.weights[name] * (part.value or 0) for name, part in score.components.items())
    product = base
    for penalty in score.penalties.values():
        product *= penalty.multiplier
    assert score.base == pytest.approx(base)
    assert score.value == pytest.approx(product)
    assert 0 < score.value < score.base


def test_reasons_are_named():
    score = score_report("The head turns to the right, then blinking. The nurse enters.", {"text": EXPERT})
    assert "head_turning: right, expert left" in score.components["L"].evidence
    assert "− clonic" in score.components["C"].evidence
    assert score.penalties["invention"].evidence == ("eye_blinking",)
    assert score.penalties["off_topic"].evidence == ("nurse",)


def test_without_a_lateralising_sign_the_weight_of_l_moves_on():
    score = score_report("Staring, then chewing.", {"text": "Staring, then chewing, then blinking."})
    assert score.components["L"].value is None
    assert score.weights["L"] == 0
    assert sum(score.weights.values()) == pytest.approx(100)
    assert score.weights["C"] / score.weights["T"] == pytest.approx(35 / 25)


def test_the_paper_preset_pays_for_silence_about_sides_and_strict_does_not():
    silent, expert = structure(laterality={"head_turning": "none"}), truth([])
    expert = replace(expert, structure=structure(laterality={"head_turning": "none"}))
    assert score_structures(silent, expert, PAPER).components["L"].value == 1
    assert score_structures(silent, expert, STRICT).components["L"].value is None


def test_the_paper_preset_pays_for_padding_and_strict_does_not():
    expert = truth(["tonic"], labelled=NAMES)
    short, padded = structure(["clonic"]), structure(["clonic", *(["eye_blinking"] * 40)])
    paper = [score_structures(s, expert, PAPER).components["T"].value for s in (short, padded)]
    strict = [score_structures(s, expert, STRICT).components["T"].value for s in (short, padded)]
    assert paper[0] == 0 and paper[1] > 0.9
    assert strict == [0, 0]


@given(sign_lists, sign_lists)
def test_repeating_signs_changes_nothing_in_strict(said, expert):
    once, twice = structure(said), structure([*said, *said])
    assert score_structures(once, truth(expert), STRICT).value == score_structures(twice, truth(expert), STRICT).value


@given(sign_lists, sign_lists.filter(bool), st.sampled_from([n for n in NAMES if n != "occur_during_sleep"]))
def test_an_invented_sign_never_helps_in_strict(said, expert, invented):
    if invented in expert or invented in said:
        return
    before = score_structures(structure(said), truth(expert), STRICT)
    after = score_structures(structure([*said, invented]), truth(expert), STRICT)
    assert after.value < before.value or before.value == 0


@given(sign_lists.filter(lambda events: len(events) > 1))
def test_reversing_the_order_never_helps_in_strict(events):
    expert = truth(events)
    assert score_structures(structure(events), expert, STRICT).components["T"].value in {1.0, None}
    reversed_order = score_structures(structure(events[::-1]), expert, STRICT).components["T"].value
    moving = [event for event in events if event != "occur_during_sleep"]
    assert reversed_order == (pytest.approx(1 / len(moving)) if moving else None)


def test_simultaneous_events_may_come_in_either_order():
    expert = ReportTruth(structure(["arm_flexion", "arm_straightening", "clonic"], steps=(0, 0, 1)))
    swapped = structure(["arm_straightening", "arm_flexion", "clonic"])
    assert score_structures(swapped, expert, STRICT).components["T"].value == 1


def test_the_whole_vocabulary_is_worth_less_than_an_honest_half():
    expert = truth(["blank_stare", "oral_automatisms", "limb_automatisms", "head_turning"])
    everything = score_structures(structure(NAMES), expert, STRICT).value
    assert everything < score_structures(structure(["blank_stare", "limb_automatisms"]), expert, STRICT).value / 2


@pytest.mark.parametrize(
    ("said", "changes", "invented"),
    [
        (["tonic"], {}, ("tonic",)),
        (["tonic"], {"labelled": ("tonic",)}, ()),
        (["tonic"], {"untested": frozenset({"tonic"})}, ()),
        (["occur_during_sleep"], {}, ()),
    ],
)
def test_what_counts_as_invented(said, changes, invented):
    expert = replace(truth(["clonic"]), **changes)
    score = score_structures(structure(said), expert, STRICT)
    assert score.penalties["hallucination"].evidence == invented


def test_sleep_is_invented_where_the_expert_denies_it():
    for preset, penalty in (("strict-1", "hallucination"), ("strict-2", "invention")):
        score = score_report("Sleeping, then staring.", {"text": "Awake, then staring."}, preset)
        assert score.penalties[penalty].evidence == ("occur_during_sleep",)


def test_a_side_the_annotators_contradict_is_invented():
    held_against = {"text": "The head turns.", "events": ["head_turning"], "sides": {"head_turning": "left"}}
    left, right = (score_report(f"The head turns to the {side}.", held_against) for side in ("left", "right"))
    assert left.value == 100
    assert right.penalties["invention"].evidence == ("head_turning: right, annotated left",)


@pytest.mark.parametrize(("words", "multiplier"), [(20, 1), (150, 1), (600, 0.5)])
def test_length_is_held_against_a_budget(words, multiplier):
    score = score_structures(structure(["tonic"], words=words), truth(["tonic"]), STRICT)
    assert score.penalties["length"].multiplier == pytest.approx(multiplier)


def test_the_length_budget_follows_the_expert():
    expert = ReportTruth(structure(["tonic"], words=400))
    assert score_structures(structure(["tonic"], words=600), expert, STRICT).value == 100


@pytest.mark.parametrize(
    ("words", "multiplier"), [(100, 1), (149, 1), (150, 0.8), (200, 0.6), (349, 0.2), (350, 0), (441, 0)]
)
def test_the_published_length_multiplier(words, multiplier):
    score = score_structures(structure(["tonic"], words=words), truth(["tonic"], ["tonic"]), PAPER)
    assert score.penalties["paper_length"].multiplier == pytest.approx(multiplier)


def test_the_published_cap_on_unsafe_reports():
    laterality = {"head_turning": "left"}
    expert = ReportTruth(structure(["tonic"], laterality=laterality), ("tonic",))
    unsafe = structure(["tonic"], laterality=laterality, hazardous=True)
    assert score_structures(unsafe, expert, PAPER).value == 50
    assert score_structures(unsafe, expert, STRICT).value == 50


@pytest.mark.parametrize(("preset", "value"), [("paper", 50), ("strict-1", 0), ("strict-2", None)])
def test_an_empty_report_on_an_empty_event(preset, value):
    assert score_report("", {"text": "The patient pushes the button."}, preset).value == value


def test_without_an_expert_text_the_labels_are_the_truth():
    held_against = report_truth({"text": "", "events": ["head_turning", "clonic"], "sides": {"head_turning": "left"}})
    assert held_against.structure.events == ("head_turning", "clonic")
    score = score_report("The head turns to the left, then clonic jerks.", held_against)
    assert score.value == 100


def test_presets_are_built_from_their_names():
    def redundancy(context):
        return Penalty(0.5, (f"{context.prediction.words} words", context.text[:4]))

    known = {**BUILT_IN, "redundancy": redundancy}
    preset = parse_preset("rqi+redundancy", known.__getitem__)
    assert preset.name == "strict-2+redundancy"
    score = score_report(EXPERT, {"text": EXPERT}, preset)
    assert score.preset == "strict-2+redundancy"
    assert score.value == 50
    assert score.penalties["redundancy"].evidence == ("19 words", "Out ")


@pytest.mark.parametrize(
    ("name", "message"), [("loose", "paper, strict-1, strict-2, strict"), ("strict+nothing", "hallucination")]
)
def test_unknown_names_are_answered_with_the_known_ones(name, message):
    with pytest.raises(UsageError, match=message):
        parse_preset(name)


def test_a_penalty_out_of_bounds_is_refused():
    with pytest.raises(UsageError, match="reward"):
        score_report(
            "Staring.",
            {"text": EXPERT},
            parse_preset("strict+reward", lambda name: BUILT_IN.get(name, lambda _: Penalty(1.1))),
        )


def test_scoring_reads_the_text_like_extract_does():
    assert score_report(EXPERT, {"text": EXPERT}).prediction == extract(EXPERT)
