"""Attacks on a metric: answers that try to score well without looking at a video, knowing how evaluations work.

None uses the truth of the item that it answers; all may use those of other patients, the frequency of each truth, and
the words of the question. An attack returns one value for each reference, in their order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from random import Random
from statistics import mean
from typing import Any

from s3harness.specs.features import vocabulary
from s3harness.specs.wording import reason_for, report_of
from s3harness.types import Reference

Values = Sequence[object]
Attack = Callable[[Sequence[Reference], Random], Values]

ECHO = "Describe what the patient does in this clip as a report of seizure semiology would."
HELLO = "Hello."
UNKNOWN = "unknown"
RATHER_COMMON = 0.25


def attacks(kind: str, references: Sequence[Reference], *, seed: int = 0) -> dict[str, Values]:
    """Return the values of every attack on one kind of items, by its name."""
    return {name: attack(references, Random(f"{name}{seed}")) for name, attack in _ATTACKS[kind].items()}


# --- for all kinds ----------------------------------------------------------------------------------------------------


def always(value: object) -> Attack:
    """Attack that gives the same value to every item."""
    return lambda references, random: [value for _ in references]


def drawn(choices: Sequence[object]) -> Attack:
    """Attack that draws one of the values at random."""
    return lambda references, random: [random.choice(choices) for _ in references]


def in_turn(values: Sequence[object]) -> Attack:
    """Attack that gives the values one after the other."""
    return lambda references, random: [values[number % len(values)] for number, _ in enumerate(references)]


def by_video(choices: Sequence[object]) -> Attack:
    """Attack that draws one value for all items of a video."""

    def attack(references: Sequence[Reference], random: Random) -> Values:
        values = {video: random.choice(choices) for video in dict.fromkeys(r.video_id for r in references)}
        return [values[reference.video_id] for reference in references]

    return attack


def of_another_patient(say: Callable[[Reference, Random], object]) -> Attack:
    """Attack that gives the answer to an item of the same subject, of another patient."""

    def attack(references: Sequence[Reference], random: Random) -> Values:
        subjects = _by_subject(references)
        values = []
        for reference in references:
            # An attack may know other patients' truths, as one who read a training set would; never the own patient's.
            others = [o for o in subjects[reference.subject] if o.cluster != reference.cluster]
            # A subject of a single patient leaves no other truth to take.
            values.append(say(random.choice(others or [reference]), random))
        return values

    return attack


def _by_subject(references: Sequence[Reference]) -> Mapping[str, Sequence[Reference]]:
    subjects: defaultdict[str, list[Reference]] = defaultdict(list)
    for reference in references:
        subjects[reference.subject].append(reference)
    return subjects


def _truth(reference: Reference, _: Random) -> object:
    """Return the truth as an answer."""
    from s3harness.metrics.floors import truth_of

    return truth_of(reference).value


# --- yes or no --------------------------------------------------------------------------------------------------------


def rather_common(references: Sequence[Reference], _: Random) -> Values:
    """Answer yes to each sign that at least a quarter of the videos have."""
    shares = {s: mean(r.truth == "yes" for r in of) for s, of in _by_subject(references).items()}
    return ["yes" if shares[r.subject] >= RATHER_COMMON else "no" for r in references]


_PRESENCE: Mapping[str, Attack] = {
    "yes to the rather common signs": rather_common,
    "coin": drawn(("yes", "no")),
    "yes and no in turn": in_turn(("yes", "no")),
    "all or none of the signs": by_video(("yes", "no")),
    "the truth of another patient": of_another_patient(_truth),
    "always na": always("na"),
    "capitals": always("YES"),
    # Look-alikes that a careless normalisation takes for a clean answer.
    "full-width letters": always("\uff59\uff45\uff53"),
    "zero-width space": always("yes\u200b"),
    "exclamation": always("yes!!!"),
    "both words": always("yes and no"),
    "unknown": always(UNKNOWN),
    "the question": always("Is the sign there? Answer yes or no."),
}

# --- reasons ----------------------------------------------------------------------------------------------------------


def medoid(present: str | Sequence[str]) -> Attack:
    """Attack with the most central sentence of each feature and answer; of several answers one is drawn."""

    def attack(references: Sequence[Reference], random: Random) -> Values:
        central = {key: _central(texts) for key, texts in _sentences(references).items()}
        answers = [present if isinstance(present, str) else random.choice(present) for _ in references]
        return [
            {"present": answer, "text": central.get((reference.subject, answer), "")}
            for reference, answer in zip(references, answers, strict=True)
        ]

    return attack


def all_words(references: Sequence[Reference], random: Random) -> Values:
    """Answer with every word of the feature's true sentences, in alphabetical order."""
    words: defaultdict[str, set[str]] = defaultdict(set)
    for (subject, _), texts in _sentences(references).items():
        words[subject].update(word for text in texts for word in text.split())
    return [{"present": "yes", "text": " ".join(sorted(words[r.subject]))} for r in references]


def _sentences(references: Sequence[Reference]) -> dict[tuple[str, str], list[str]]:
    texts: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for reference in references:
        truth: Any = reference.truth
        texts[reference.subject, truth["present"]].append(truth["text"])
    return texts


def _central(texts: Sequence[str]) -> str:
    """Text that shares most words with the others."""
    words = {text: frozenset(text.split()) for text in texts}
    counts = Counter(word for own in words.values() for word in own)
    # Divided by the length, or the longest sentence would always win; the text itself breaks ties.
    return max(words, key=lambda text: (sum(counts[w] for w in words[text]) / (len(words[text]) + 1), text))


def _reasoned(present: str, say: Callable[[Reference, Random], str]) -> Attack:
    return lambda references, random: [{"present": present, "text": say(r, random)} for r in references]


def _question(reference: Reference, _: Random) -> str:
    return vocabulary()[reference.subject].question


def _hedged(reference: Reference, random: Random) -> str:
    present_reason, absent_reason = (
        reason_for(reference.subject, present, "left", random) for present in ("yes", "no")
    )
    return f"Possibly: {present_reason} It may also be that {absent_reason}"


_REASONS: Mapping[str, Attack] = {
    "always no with the central sentence": medoid("no"),
    "always yes with the central sentence": medoid("yes"),
    "coin with the central sentence": medoid(("yes", "no")),
    "all words of the feature": all_words,
    "the question": _reasoned("yes", _question),
    "yes and no at once": _reasoned("yes", _hedged),
    "yes with the reason of a no": _reasoned("yes", lambda r, random: reason_for(r.subject, "no", None, random)),
    "one word": _reasoned("no", lambda r, _: "no"),
    "unknown": _reasoned("no", lambda r, _: UNKNOWN),
    "hello": _reasoned("yes", lambda r, _: HELLO),
    "punctuation": _reasoned("no", lambda r, _: "... !!! ???"),
    "the truth of another patient": of_another_patient(_truth),
}

# --- sides, times, signs in order -------------------------------------------------------------------------------------

_PLACES: Mapping[str, Attack] = {
    "coin": drawn(("left", "right")),
    "left and right in turn": in_turn(("left", "right")),
    "both": always("both"),
    "both words": always("left and right"),
    "one word for all": always("head"),
    "the truth of another patient": of_another_patient(_truth),
    "capitals": always("LEFT"),
    "unknown": always(UNKNOWN),
}


def around_the_centre(spread_s: float) -> Attack:
    """Attack that gives the centre of the window with Gaussian noise."""
    return lambda references, random: [sum(_window(r)) / 2 + random.gauss(0.0, spread_s) for r in references]


def thirds(references: Sequence[Reference], random: Random) -> Values:
    """Answer a third and two thirds of the window in turn."""
    shares = (1 / 3, 2 / 3)
    return [_within(r, shares[number % 2]) for number, r in enumerate(references)]


def _within(reference: Reference, share: float) -> float:
    start, end = _window(reference)
    return start + share * (end - start)


def _window(reference: Reference) -> tuple[float, float]:
    return reference.window or (0.0, 0.0)


_TIMES: Mapping[str, Attack] = {
    "shaken centre": around_the_centre(5.0),
    "a third and two thirds in turn": thirds,
    "a quarter of the window": lambda references, random: [_within(r, 0.25) for r in references],
    "ten seconds": lambda references, random: [_window(r)[0] + 10.0 for r in references],
    "the last answer again": lambda references, random: [_within(r, 0.5) for r in (references[0], *references)][:-1],
    "a list of times": always([0.0, 10.0, 20.0, 30.0]),
    "unknown": always(UNKNOWN),
}


def usual_signs(most: int, *, backwards: bool = False) -> Attack:
    """Attack that lists the commonest signs in their usual order."""

    def attack(references: Sequence[Reference], _: Random) -> Values:
        places: defaultdict[str, list[float]] = defaultdict(list)
        for reference in references:
            truth: Any = reference.truth
            for number, (name, _at) in enumerate(truth):
                # Relative places, so that long and short sequences count alike.
                places[name].append((number + 0.5) / len(truth))
        common = sorted(places, key=lambda name: (-len(places[name]), name))[:most]
        ordered = sorted(common, key=lambda name: (mean(places[name]), name), reverse=backwards)
        return [list(ordered) for _ in references]

    return attack


def _alphabet(references: Sequence[Reference], _: Random) -> Values:
    return [sorted(vocabulary().names) for _ in references]


_ORDERS: Mapping[str, Attack] = {
    **{f"the {most} commonest signs": usual_signs(most) for most in (2, 4, 6, 8)},
    "the commonest signs backwards": usual_signs(8, backwards=True),
    "alphabet": _alphabet,
    "alphabet backwards": lambda references, random: [sorted(vocabulary().names, reverse=True) for _ in references],
    "the truth of another patient": of_another_patient(_truth),
    "capitals": lambda references, random: [[name.upper() for name in vocabulary().names] for _ in references],
    "titles": lambda references, random: [[f.title for f in vocabulary().features] for _ in references],
    "unknown": always([UNKNOWN]),
}

# --- reports ----------------------------------------------------------------------------------------------------------

HEDGED = (
    "There may be head turning, possible eye blinking, perhaps a blank stare, possible facial twitching, maybe tonic "
    "stiffening, possible clonic jerking, perhaps oral automatisms, maybe limb automatisms, possible vocalization and "
    "perhaps pelvic thrusting."
)
BOTH_SIDES = (
    "The head turns to the left and to the right. The left arm and the right arm are extended and flexed, with clonic "
    "jerking of the left and the right side."
)
DENIED = (
    "There is no head turning, no blank stare, no blinking, no facial twitching, no tonic stiffening, no clonic "
    "jerking, no automatisms, no shaking and no vocalization."
)
CONTRADICTED = (
    "The patient has tonic stiffening and no tonic stiffening. There is clonic jerking, and clonic jerking is absent. "
    "The head turns to the left; the head does not turn."
)
ADVICE = "The seizure should be treated with lorazepam 4 mg at once, and the nurse should restrain the patient."

_REPORTS: Mapping[str, Attack] = {
    "hello": always(HELLO),
    "unknown": always(UNKNOWN),
    "echo of the prompt": always(ECHO),
    "ten hedged signs": always(HEDGED),
    "both sides of everything": always(BOTH_SIDES),
    "all denied": always(DENIED),
    "everything and its denial": always(CONTRADICTED),
    "advice": always(ADVICE),
    "one word": always("Seizure"),
    "signs as a list": lambda references, random: [", ".join(vocabulary().names) for _ in references],
    "titles as a list": lambda references, random: [
        ", ".join(f.title for f in vocabulary().features) for _ in references
    ],
    "three signs by lot": lambda references, random: [
        report_of(random.sample(vocabulary().names, 3), {}, random) for _ in references
    ],
    "punctuation": always("... !!! ???"),
    "the truth of another patient": of_another_patient(_truth),
}

_DIAGNOSES: Mapping[str, Attack] = {
    "coin": drawn(("ES", "NES")),
    "ES and NES in turn": in_turn(("ES", "NES")),
    "both words": always("ES or NES"),
    "small letters": always("es"),
    "unknown": always(UNKNOWN),
    "the truth of another patient": of_another_patient(_truth),
}

_ATTACKS: Mapping[str, Mapping[str, Attack]] = {
    "feature": _PRESENCE,
    "rationale": _REASONS,
    "laterality": _PLACES,
    "boundary": _TIMES,
    "sequence": _ORDERS,
    "report": _REPORTS,
    "diagnosis": _DIAGNOSES,
}
