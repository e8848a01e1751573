"""From windows to a video: what each aggregator makes of the answers it is given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3harness.aggregators.order import first_mention, overlap_merge
from s3harness.aggregators.presence import any_yes, any_yes_rationale, first_window, first_window_rationale
from s3harness.aggregators.report import joined_text
from s3harness.aggregators.single import clip_time, single
from s3harness.errors import SpecError
from s3harness.types import Answer, Clip


def answers(*values, probabilities=(), start_s=0.0, first_index=0):
    clips = [
        Clip("v1", start_s + 25.0 * i, start_s + 25.0 * i + 30, (), 1, index=first_index + i)
        for i in range(len(values))
    ]
    known = [*probabilities, *[None] * (len(values) - len(probabilities))]
    return [
        Answer(f"r{i}", v, clip=c, probability=p) for i, (v, c, p) in enumerate(zip(values, clips, known, strict=True))
    ]


def said(answer, text):
    return {"answer": answer, "justification": text}


@pytest.mark.parametrize(
    ("windows", "video"),
    [
        (["yes"], "yes"),
        (["no"], "no"),
        (["na"], "na"),
        (["no", "no", "yes"], "yes"),
        (["na", "yes"], "yes"),
        (["na", "no"], "no"),
        (["na", "na"], "na"),
        ([" Yes "], "yes"),
        ([said("no", "x"), said("yes", "y")], "yes"),
        ([said("na", "x"), said("na", "y")], "na"),
    ],
)
def test_a_sign_is_there_if_any_window_shows_it(windows, video):
    assert any_yes(answers(*windows)).value == video


def test_the_release_has_no_na_for_a_video():
    assert any_yes(answers("na", "na"), all_na="no").value == "no"
    assert any_yes_rationale(answers(said("na", "x")), all_na="no").value["present"] == "no"


def test_the_probability_of_any_yes_is_the_highest_of_its_windows():
    assert any_yes(answers("no", "yes", probabilities=(0.2, 0.7))).probability == 0.7
    assert any_yes(answers("no", "yes", probabilities=(None, 0.6))).probability == 0.6
    assert any_yes(answers("no", "yes")).probability is None


@given(st.lists(st.sampled_from(["yes", "no", "na"]), min_size=1))
def test_the_order_of_windows_does_not_matter_to_any_yes(windows):
    assert any_yes(answers(*windows)).value == any_yes(answers(*reversed(windows))).value


@pytest.mark.parametrize(
    ("windows", "present", "text"),
    [
        ([said("no", "still"), said("yes", "jerks"), said("yes", "jerks again")], "yes", "jerks jerks again"),
        ([said("no", "still"), said("no", "asleep")], "no", "still asleep"),
        ([said("no", "Still."), said("no", "still. ")], "no", "Still."),
        ([said("na", "nobody speaks"), said("no", "no answer")], "no", "nobody speaks no answer"),
        ([said("yes", "")], "yes", ""),
        (["yes", "no"], "yes", ""),
    ],
)
def test_the_reasons_are_those_of_the_windows_that_say_yes(windows, present, text):
    assert any_yes_rationale(answers(*windows)).value == {"present": present, "text": text}


def test_the_release_joins_reasons_with_bars_and_asks_the_first_window_of_sleep():
    windows = answers(said("no", "awake"), said("yes", "asleep"), said("yes", "snores"))
    assert any_yes_rationale(windows, joiner=" || ").value["text"] == "asleep || snores"
    assert any_yes_rationale(windows, first_text=True).value == {"present": "yes", "text": "awake"}


def test_the_first_window_alone_knows_the_beginning():
    windows = answers(said("no", "awake"), said("yes", "asleep"), probabilities=(0.1, 0.9))
    assert first_window(windows).value == "no"
    assert first_window(windows).probability == 0.1
    assert first_window(answers("yes")).value == "yes"
    assert first_window_rationale(windows).value == {"present": "no", "text": "awake"}


def test_a_later_window_does_not_stand_in_for_the_first():
    later = answers(said("yes", "asleep"), first_index=1)
    assert first_window(later).value is None
    assert first_window_rationale(later).value is None
    assert "first window" in first_window(later).note


@pytest.mark.parametrize(
    ("windows", "video"),
    [
        ([["a", "b"]], ["a", "b"]),
        ([["a", "b", "c"], ["b", "c", "d"]], ["a", "b", "c", "d"]),
        ([["a", "b"], ["a", "b"]], ["a", "b"]),
        ([["a", "b"], ["c"]], ["a", "b", "c"]),
        ([["a", "b"], ["b", "a"], ["b"]], ["a", "b", "a", "b"]),
        ([["a"], [], ["a"]], ["a"]),
        ([["a", "a"], ["a", "a", "b"]], ["a", "a", "b"]),
        ([["a", "b"], ["x"], ["a", "b"]], ["a", "b", "x", "a", "b"]),
        ([[]], []),
    ],
)
def test_windows_are_joined_where_the_end_of_one_begins_the_next(windows, video):
    assert overlap_merge(answers(*windows)).value == video


def test_the_strict_order_is_that_of_first_mention():
    assert first_mention(answers(["a", "b"], ["x"], ["b", "a", "c"])).value == ["a", "b", "x", "c"]


@given(st.lists(st.lists(st.sampled_from("abcd")), min_size=1, max_size=6))
def test_no_word_is_lost_or_made_up_in_either_way_of_joining(windows):
    every = {token for window in windows for token in window}
    assert set(overlap_merge(answers(*windows)).value) == every
    strict = first_mention(answers(*windows)).value
    assert sorted(strict) == sorted(every)


def test_a_sentence_is_written_once():
    text = joined_text(
        answers("He stares. The head turns left.", "the head  turns left. Jerks of both arms!", "He stares.")
    )
    assert text.value == "He stares. The head turns left. Jerks of both arms!"


def test_one_report_is_taken_as_it_is():
    assert joined_text(answers("No sign. No sound.")).value == "No sign. No sound."


def test_a_single_answer_is_passed_on():
    result = single(answers("left", probabilities=(0.8,)))
    assert (result.value, result.probability) == ("left", 0.8)


def test_a_time_in_a_clip_becomes_a_time_in_the_video():
    assert clip_time(answers(37.5, start_s=100.0)).value == 137.5
    assert clip_time(answers(600.0, start_s=10.0)).value == 610.0


@pytest.mark.parametrize(
    ("aggregate", "given"),
    [
        (single, answers("left", "right")),
        (clip_time, answers(1.0, 2.0)),
        (clip_time, answers("00:37")),
        (clip_time, [Answer("r0", 37.0)]),
    ],
)
def test_a_spec_that_joins_what_cannot_be_joined_is_told(aggregate, given):
    with pytest.raises(SpecError, match="aggregate"):
        aggregate(given)
