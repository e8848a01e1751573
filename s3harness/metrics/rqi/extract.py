"""From the text of a report to its structure: by rules, offline, the same every time.

The steps, one module each: the text is cut into tokens (:mod:`.text`), signs are looked up in the closed vocabulary of
``task_specs/lexicon.yaml`` (:mod:`.lexicon`, :mod:`.signs`), what is denied is set apart (:mod:`.negation`), sides
become the patient's own (:mod:`.laterality`, :mod:`.postures`), mentions become an order of events (:mod:`.order`), and
phases, talk beside the point and dangerous advice are marked (:mod:`.sections`). Time is linear in the text, of which a
bounded part is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from s3harness.metrics.rqi.lexicon import Hit, Lexicon, default_lexicon
from s3harness.metrics.rqi.negation import denied_signs, denied_tokens
from s3harness.metrics.rqi.order import in_order, moments, steps
from s3harness.metrics.rqi.postures import lateralising_signs
from s3harness.metrics.rqi.sections import find_hazards, find_off_topic, find_phases
from s3harness.metrics.rqi.signs import SignMention, find_signs
from s3harness.metrics.rqi.structure import LATERALITY_KEYS, NONE, Evidence, ReportStructure
from s3harness.metrics.rqi.text import MAX_CHARACTERS, Tokens, count_words, tokenise


def extract(report: str, lexicon: Lexicon | None = None) -> ReportStructure:
    """Read a report; any string gives a structure, an empty one an empty structure."""
    if lexicon or len(report) > MAX_CHARACTERS:
        return _extract(report, lexicon or default_lexicon())
    return _extract_cached(report)


@lru_cache(maxsize=2048)
def _extract_cached(report: str) -> ReportStructure:
    return _extract(report, default_lexicon())


def _extract(report: str, lexicon: Lexicon) -> ReportStructure:
    tokens = tokenise(report)
    denied = denied_tokens(tokens, lexicon)
    mentions = find_signs(tokens, lexicon)
    told = [mention for mention in mentions if mention.index not in denied]
    story = moments(tokens, lexicon)
    ordered = in_order(told, story)
    events, numbers = tuple(m.feature for m, _ in ordered), steps(ordered)
    before = [i for i, moment in enumerate(story) if ordered and moment < ordered[0][1]]
    phases = find_phases(tokens, lexicon, events, denied, frozenset(before))
    sides = lateralising_signs(told)
    off_topic, hazards = find_off_topic(tokens, lexicon), find_hazards(tokens, lexicon)
    return ReportStructure(
        components=frozenset(phases),
        events=events,
        steps=numbers,
        denied=frozenset(denied_signs(tokens, lexicon, mentions, denied)) - set(events),
        laterality={key: sides[key].value if key in sides else NONE for key in LATERALITY_KEYS},
        off_topic=bool(off_topic),
        hazardous=bool(hazards),
        words=count_words(report),
        evidence=(
            *_of_mentions(told, tokens),
            *(_evidence(key, sign.mention.first, sign.mention.last, tokens) for key, sign in sides.items()),
            *(_evidence(phase, hit.first, hit.last, tokens) for phase, hit in phases.items() if hit),
            *_of_hits("off_topic", off_topic, tokens),
            *_of_hits("hazard", hazards, tokens),
        ),
    )


def _of_mentions(mentions: Sequence[SignMention], tokens: Tokens) -> Iterable[Evidence]:
    return (_evidence(m.feature, m.first, m.last, tokens) for m in mentions)


def _of_hits(finding: str, hits: Sequence[Hit], tokens: Tokens) -> Iterable[Evidence]:
    return (_evidence(finding, hit.first, hit.last, tokens) for hit in hits)


def _evidence(finding: str, first: int, last: int, tokens: Tokens) -> Evidence:
    return Evidence(finding, *tokens.quote(first, last))
