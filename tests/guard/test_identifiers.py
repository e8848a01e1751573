"""Identifiers are certain or likely by what stands around them, and known by their place in the original text."""

from __future__ import annotations

import pytest

from s3harness.errors import UsageError
from s3harness.guard.identifiers.find import find_identifiers
from s3harness.guard.identifiers.search import Search, fingerprint, masked
from s3harness.guard.outgoing_check import Consent, IdentifiersError, OutgoingText, check_outgoing
from s3harness.guard.review import code_of, read_reviewed


@pytest.mark.parametrize(
    ("text", "tier", "identifier"),
    [
        ("Frau Huber starrt.", "certain", "Huber"),
        ("Seen with Herr Mu\u0308ller today.", "certain", "Mu\u0308ller"),
        ("Seen 14\u200b.03.2019 first.", "certain", "14\u200b.03.2019"),
        ("Anna turns the head.", "likely", "Anna"),
        ("Jaromir Wojtowicz turns the head.", "likely", "Jaromir Wojtowicz"),
        ("It ends at 14:35:07.", "likely", "14:35:07"),
        ("He is 93 years old.", "certain", "93 years"),
        ("Camera S/N 0456-221 was off.", "certain", "S/N 0456-221"),
        ("Her husband answers at 583 8 723 at night.", "certain", "583 8 723"),
        ("Her husband answers at 531 596 923 at night.", "certain", "531 596 923"),
    ],
)
def test_the_place_is_that_of_the_original(text: str, tier: str, identifier: str) -> None:
    (one,) = find_identifiers(text)
    assert (one.tier, text[one.start : one.end]) == (tier, identifier)


def test_what_is_shown_of_an_identifier_is_its_first_letter() -> None:
    text = "At 00:12 Frau Huber (geb. 14.03.1974) hebt den Arm"
    found = find_identifiers(text)
    shown = [masked(text, one, found) for one in found]
    assert len(shown) == 2
    assert all("Huber" not in line and "1974" not in line and "H••••" in line for line in shown)


TEXTS = [OutgoingText("v0001", "report", "Anna turns the head."), OutgoingText("v0002", "report", "The arm rises.")]


def test_a_list_that_was_looked_at_is_not_asked_again(tmp_path) -> None:
    with pytest.raises(IdentifiersError) as refused:
        check_outgoing(TEXTS, Search(), Consent(folder=tmp_path))
    code = code_of(one.fingerprint for one in refused.value.identifiers)
    assert f"--reviewed {code}" in str(refused.value)
    assert check_outgoing(TEXTS, Search(), Consent(reviewed=code, folder=tmp_path)) == {}
    assert (tmp_path / "reviewed.json").stat().st_mode & 0o077 == 0
    assert "Anna" not in (tmp_path / "reviewed.json").read_text()
    again = Search(reviewed=read_reviewed(tmp_path))
    assert check_outgoing(TEXTS, again, Consent(folder=tmp_path)) == {}
    elsewhere = [OutgoingText("v0003", "report", "Then Anna falls.")]
    with pytest.raises(IdentifiersError):
        check_outgoing(elsewhere, again, Consent(folder=tmp_path))


def test_the_code_of_another_list_confirms_nothing(tmp_path) -> None:
    with pytest.raises(UsageError, match="review it again"):
        check_outgoing(TEXTS, Search(), Consent(reviewed="00000000", folder=tmp_path))
    assert read_reviewed(tmp_path) == frozenset()


def test_certain_identifiers_cannot_be_confirmed_and_need_a_reason(tmp_path) -> None:
    texts = [OutgoingText("v0001", "report", "Frau Huber turns the head; Anna watches.")]
    with pytest.raises(IdentifiersError) as refused:
        check_outgoing(texts, Search(), Consent(folder=tmp_path))
    code = code_of(one.fingerprint for one in refused.value.identifiers if one.tier == "likely")
    with pytest.raises(IdentifiersError, match="--allow-identifiers REASON"):
        check_outgoing(texts, Search(), Consent(reviewed=code, folder=tmp_path))
    let_through = check_outgoing(texts, Search(), Consent(reason="consented", folder=tmp_path))
    assert let_through == {"reason": "consented", "kinds": {"name": 2}}


def test_only_likely_identifiers_are_passed_over_by_their_fingerprint() -> None:
    text = "Frau Huber starrt."
    (one,) = find_identifiers(text)
    assert Search(reviewed={fingerprint(text, one)})(text) == [one]


def test_of_many_identifiers_each_is_shown_with_the_others_hidden():
    text = "a@b.org, " * 12_000
    found = find_identifiers(text)
    assert len(found) == 12_000
    shown = [masked(text, one, found) for one in found]
    assert shown[5_000] == "…" + masked(text[9 * 4_990 : 9 * 5_010], found[10], found[:20]).strip("…") + "…"
    assert "b.org" not in "".join(shown)
