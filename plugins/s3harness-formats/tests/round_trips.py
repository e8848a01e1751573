"""Random annotations, and the form in which two sets of them compare."""

from __future__ import annotations

from collections import Counter
from random import Random

import s3harness

SOURCES = ("truth", "lingshu-32b")
NOTES = ("", "", "the arm, stiff; then limp", "100 % sicher (Müller-Zeichen)", "voilà = “ça”", "a|b\tc")


def annotations(n: int, seed: int = 0) -> s3harness.AnnotationSet:
    """``n`` statements in recordings of two sources, times in milliseconds, signs that overlap in every way."""
    random, signs = Random(seed), s3harness.sign_titles()
    recordings = []
    left = n
    while left > 0:
        number = len(recordings) + 1
        statements = {}
        for source in SOURCES:
            size = min(left, random.randint(4, 14))
            statements[source] = tuple(_statement(random, random.choice(list(signs))) for _ in range(size))
            left -= size
        recordings.append(
            s3harness.Recording(
                id=f"v{number:04}",
                patient=f"{1 + number // 3:04}",
                file=f"videos/v{number:04}.mp4",
                duration_s=600.0,
                statements={source: of_source for source, of_source in statements.items() if of_source},
            )
        )
    return s3harness.AnnotationSet(name="round trip", recordings=tuple(recordings), signs=signs)


def _statement(random: Random, sign: str) -> s3harness.SignStatement:
    start = random.choice((0, random.randrange(600_000), random.randrange(600_000))) / 1000
    end = round(start + random.choice((0, 1, random.randrange(60_000), random.randrange(60_000))) / 1000, 3)
    times = random.choice(((start, end), (start, end), (start, end), (start, None), (None, end), (None, None)))
    untimed = times == (None, None)
    return s3harness.SignStatement(
        sign=sign,
        present=random.choice(("yes", "no", "untested")) if untimed else "yes",
        start_s=times[0],
        end_s=times[1],
        side=random.choice((None, "left", "right", "both")),
        certainty=random.choice(("", "probable", "0.873")),
        note=random.choice(NOTES),
    )


def contents(recordings) -> dict[str, dict[str, Counter]]:
    """Recording → source → its statements, whatever their order."""
    return {
        recording.id: {source: Counter(of_source) for source, of_source in recording.statements.items()}
        for recording in recordings
    }
