"""Extraction of the structure of a report from its text: by rules, offline, deterministic.

The steps, one module each: the text is cut into tokens (:mod:`.text`), signs are looked up in the closed vocabulary of
``task_specs/lexicon.yaml`` (:mod:`.lexicon`, :mod:`.signs`), denied ones are set apart (:mod:`.negation`), sides become
the patient's own (:mod:`.laterality`, :mod:`.postures`), mentions become an order of events (:mod:`.order`), hedged,
alternative and contradicted statements get their weights (:mod:`.certainty`), and phases, off-topic passages and
dangerous advice are marked (:mod:`.sections`). Time is linear in the text, of which a bounded part is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from s3harness.language import ENGLISH, language_of
from s3harness.metrics.rqi.certainty import StatementWeights, weigh
from s3harness.metrics.rqi.glossary import glossary
from s3harness.metrics.rqi.lexicon import Lexicon, PhraseMatch, default_lexicon, first_lexicon
from s3harness.metrics.rqi.negation import denied_signs, denied_tokens
from s3harness.metrics.rqi.order import in_order, moments, steps
from s3harness.metrics.rqi.postures import lateralising_signs
from s3harness.metrics.rqi.sections import find_hazards, find_off_topic, find_phases
from s3harness.metrics.rqi.signs import SignMention, find_signs
from s3harness.metrics.rqi.structure import LATERALITY_KEYS, NONE, Evidence, ReportStructure
from s3harness.metrics.rqi.text import MAX_CHARACTERS, Tokens, count_words, tokenise
from s3harness.specs.features import cached_per_vocabulary


def extract(report: str, lexicon: Lexicon | None = None) -> ReportStructure:
    """Read a report; any string gives a structure, an empty one an empty structure."""
    # Only the benchmark's own lexicons are cached: others could be changed by their owner.
    if lexicon or len(report) > MAX_CHARACTERS:
        return _extract(report, lexicon or default_lexicon())
    return _extract_cached(report, is_first=False)


def extract_first(report: str) -> ReportStructure:
    """Read a report with the first version of the rules, which ``strict-1`` and ``paper`` use; it never changes."""
    return _extract(report, first_lexicon()) if len(report) > MAX_CHARACTERS else _extract_cached(report, is_first=True)


def extract_in(language: str) -> Callable[[str], ReportStructure]:
    """Return the reader of reports in English, or in a language that has a glossary; ``""`` is English alone.

    A text of uncertain language, such as a short note, is read as both, and the reading with more signs counts.
    """
    if language in ("", ENGLISH):
        return extract

    def read(report: str) -> ReportStructure:
        code = language_of(report)
        if code == ENGLISH:
            return extract(report)
        foreign = _extract_translated(report[:MAX_CHARACTERS], language)
        if code == language:
            return foreign
        english = extract(report)
        return foreign if len(foreign.events) > len(english.events) else english

    return read


@cached_per_vocabulary(maxsize=4096)
def _extract_translated(report: str, language: str) -> ReportStructure:
    return _extract(report, default_lexicon(), glossary(language).english(report))


# Cached: the experts' reports are read again for every preset and floor.
@cached_per_vocabulary(maxsize=4096)
def _extract_cached(report: str, *, is_first: bool) -> ReportStructure:
    return _extract(report, first_lexicon() if is_first else default_lexicon())


def _extract(report: str, lexicon: Lexicon, translated: Tokens | None = None) -> ReportStructure:
    tokens = translated or tokenise(report)
    denied = denied_tokens(tokens, lexicon)
    mentions = find_signs(tokens, lexicon)
    timeline = moments(tokens, lexicon)
    # The first lexicon weighs nothing, so that strict-1 and paper score as they always did.
    weights = weigh(mentions, denied, tokens, lexicon) if lexicon.weighs_statements else StatementWeights()
    asserted = [m for m in mentions if m.index not in denied and m.feature not in weights.contradicted]
    # Signs beyond the vocabulary count for coverage, but annotators give them no place in the order.
    unlisted = lexicon.beyond | lexicon.movement
    ordered = in_order([m for m in asserted if m.feature not in unlisted], timeline)
    events, numbers = tuple(m.feature for m, _ in ordered), steps(ordered)
    other = dict.fromkeys(m.feature for m in asserted if m.feature in lexicon.beyond)
    before = [i for i, moment in enumerate(timeline) if ordered and moment < ordered[0][1]]
    phases = find_phases(tokens, lexicon, events, denied, frozenset(before))
    sides = lateralising_signs(asserted, (lambda m: timeline[m.index]) if lexicon.weighs_statements else None)
    off_topic, hazards = find_off_topic(tokens, lexicon), find_hazards(tokens, lexicon)
    return ReportStructure(
        components=frozenset(phases),
        events=events,
        steps=numbers,
        denied=frozenset(denied_signs(tokens, lexicon, mentions, denied))
        - {*events, *other, *lexicon.movement, *weights.contradicted},
        laterality={key: sides[key].value if key in sides else NONE for key in LATERALITY_KEYS},
        off_topic=bool(off_topic),
        hazardous=bool(hazards),
        words=count_words(report),
        evidence=(
            *_of_mentions([m for m in asserted if m.feature not in lexicon.movement], tokens),
            *(_evidence(key, sign.mention.first, sign.mention.last, tokens) for key, sign in sides.items()),
            *(_evidence(phase, hit.first, hit.last, tokens) for phase, hit in phases.items() if hit),
            *_of_hits("off_topic", off_topic, tokens),
            *_of_hits("hazard", hazards, tokens),
        ),
        other=tuple(other),
        certainty=weights.of_signs({*events, *other}),
        side_certainty={key: weight for key, sign in sides.items() if (weight := weights.of(sign.mention)) < 1},
        contradicted=weights.contradicted,
    )


def _of_mentions(mentions: Sequence[SignMention], tokens: Tokens) -> Iterable[Evidence]:
    return (_evidence(m.feature, m.first, m.last, tokens) for m in mentions)


def _of_hits(finding: str, hits: Sequence[PhraseMatch], tokens: Tokens) -> Iterable[Evidence]:
    return (_evidence(finding, hit.first, hit.last, tokens) for hit in hits)


def _evidence(finding: str, first: int, last: int, tokens: Tokens) -> Evidence:
    return Evidence(finding, *tokens.quote(first, last))
