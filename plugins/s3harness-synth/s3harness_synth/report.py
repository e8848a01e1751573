"""The clinical report of a video: signs in the order of their onset with the patient's sides, and what followed."""

from __future__ import annotations

from numpy.random import Generator

from s3harness import SIGN_WORDINGS, FeatureLabel, fill_phrase
from s3harness_synth.event import Event, Script
from s3harness_synth.truth import feature_labels

_OPENINGS = ("The event began with {}.", "The event started with {}.", "At the onset came {}.")
_STEPS = ("This was followed by {}.", "Then came {}.", "Next came {}.", "After that came {}.")
_TOGETHER = ("At almost the same time came {}.", "Together with this came {}.")
_TOGETHER_S = 1.5

_POSTICTAL = {
    "convulsion": "Postictally the patient was limp and unresponsive with stertorous breathing.",
    "ES": "Postictally the patient was confused and recovered slowly.",
    "NES": "Afterwards the patient recovered promptly and looked around, without postictal confusion.",
}


def write_report(script: Script, rng: Generator) -> str:
    """Return a report of a few sentences; signs are named in the order of their onset, each exactly once."""
    awake = (
        "The patient was asleep before the event." if script.from_sleep else "The patient was awake before the event."
    )
    sentences = [awake, *_course(script, rng), *_examination(script), _postictal(script)]
    return " ".join(sentences)


def _course(script: Script, rng: Generator) -> list[str]:
    sentences: list[str] = []
    previous: Event | None = None
    for event in script.signs:
        phrases = SIGN_WORDINGS[event.feature].phrases
        phrase = fill_phrase(phrases[int(rng.integers(len(phrases)))], event.side, event.style)
        frames = _frames(event, previous)
        sentences.append(frames[int(rng.integers(len(frames)))].format(phrase))
        previous = event
    return sentences


def _frames(event: Event, previous: Event | None) -> tuple[str, ...]:
    if previous is None:
        return _OPENINGS
    if event.interval[0] - previous.interval[0] < _TOGETHER_S:
        return _TOGETHER
    return _STEPS


def _examination(script: Script) -> list[str]:
    label: FeatureLabel = feature_labels(script)["verbal_responsiveness"]
    if label.present == "untested":
        return ["Responsiveness was not tested."]
    answered = "answered in words" if label.present == "yes" else "gave no verbal response"
    return [f"When the examiner asked a question, the patient {answered}."]


def _postictal(script: Script) -> str:
    length = round(script.interval[1] - script.interval[0])
    kind = "convulsion" if script.archetype == "tonic_clonic" else script.diagnosis
    return f"The event lasted about {length} seconds. {_POSTICTAL[kind]}"
