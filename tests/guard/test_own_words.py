"""The words of a data set are found in whatever form they are written, by themselves and by their fingerprints."""

from __future__ import annotations

import unicodedata

import pytest

from s3harness.dataset.load import load_dataset
from s3harness.dataset.sources import own_words
from s3harness.guard.identifiers.own_words import OwnWords

WORDS = (
    "Müller, Jörg",
    "Müller",
    "Jörg",
    "p17",
    "emu_2019-03-14_bed4.mp4",
    "Kowalska",
    "4711234",
    "0017",
    "Yıldız",
    "Kurz",
)

FOUND = (
    ("as it is", "Müller"),
    ("in small letters", "müller"),
    ("in capital letters", "MÜLLER"),
    ("decomposed (NFD)", unicodedata.normalize("NFD", "Müller")),
    ("transliterated", "Mueller"),
    ("without the umlaut", "Muller"),
    ("full-width", "Ｍüｌｌｅｒ"),
    ("with zero-width spaces", "M\u200bül\u200bler"),
    ("with a zero-width space before a combining mark", "Mu\u200b\u0308ller"),
    ("with soft hyphens", "Mül\u00adler"),
    ("with bidirectional marks", "\u202eMüller\u202c"),
    ("with a variation selector", "M\ufe0füller"),
    ("with Cyrillic look-alikes", "Mülle\u0433".replace("\u0433", "r").replace("M", "\u041c")),
    ("escaped for JSON", "M\\u00fcller"),
    ("escaped for HTML", "M&uuml;ller"),
    ("possessive", "Müller's"),
    ("possessive, typographic", "Müller’s"),
    ("genitive", "Müllers Arm"),
    ("both names in order", "Jörg Müller"),
    ("HL7 and DICOM", "MUELLER^JOERG"),
    ("joined", "JoergMueller"),
    ("joined in small letters", "muellerjoerg"),
    ("with underscores", "joerg_mueller"),
    ("letter by letter", "M ü l l e r"),
    ("letter by letter with hyphens", "M-ü-l-l-e-r"),
    ("beside digits", "mueller2019"),
    ("Polish genitive", "Kowalskiej"),
    ("Polish instrumental", "Kowalską"),
    ("Turkish ablative", "Yıldız'dan"),
    ("without the dotless i", "YILDIZ"),
    ("an id", "p17"),
    ("a number alone", "0017"),
    ("a long number behind letters", "MRN4711234"),
    ("a file in other words", "file EMU 2019 03 14 bed4 mp4"),
    ("a name that is a word", "Herr Kurz"),
)
NOT_FOUND = (
    "p 17",
    "rep17",
    "0.4711234 s",
    "1.0017",
    "Mull",
    "Müllheim",
    "millers",
    "a kurz duration",
    "emu",
    "14 bed4",
)


def found(words: OwnWords, text: str) -> bool:
    return words.are_in(f"The left arm rises, {text}, and then both legs stretch.")


@pytest.mark.parametrize("salt", ["", "salt"], ids=["words", "fingerprints"])
@pytest.mark.parametrize("text", [text for _, text in FOUND], ids=[name for name, _ in FOUND])
def test_a_word_is_found_in_any_form(salt: str, text: str) -> None:
    assert found(OwnWords.of(WORDS, salt), text)


@pytest.mark.parametrize("salt", ["", "salt"], ids=["words", "fingerprints"])
@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_is_another_word_is_not_found(salt: str, text: str) -> None:
    assert not found(OwnWords.of(WORDS, salt), text)


def test_fingerprints_hold_no_word() -> None:
    hashed = OwnWords.of(WORDS, "salt")
    assert not [key for key in hashed.keys if any(word.casefold() in key for word in ("muller", "kowalsk", "p17"))]
    assert hashed.keys.isdisjoint(OwnWords.of(WORDS, "another").keys)


@pytest.mark.parametrize(
    ("source", "patient", "text"),
    [
        ("a.mp4", "Wu, Li", "L. Wu"),
        ("a.mp4", "Wu, Li", "Li Wu"),
        ("a.mp4", "WU^LI", "Wu, Li"),
        ("a.mp4", "anna_huber", "Frau huber"),
        ("Huber_Anna_seizure.avi", "17", "Huber"),
        ("Huber_Anna_seizure.avi", "17", "anna"),
    ],
)
def test_people_are_known_by_every_form_of_their_names(tmp_path, dataset, source, patient, text) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "sources.csv").write_text(f'video_id,source,patient\nv0001,{source},"{patient}"\n')
    words = own_words(tmp_path, load_dataset(dataset).videos)
    assert words.are_in(f"as {text} was seen")
    assert not words.are_in("a seizure was seen on the video of the patient")


def test_thousands_of_words_cost_a_text_no_more_lookups_than_tens() -> None:
    text = "The head turns to the left at 00:12, and Mueller raises the arm."

    class Counted(frozenset[str]):
        lookups = 0

        def __contains__(self, key: object) -> bool:
            Counted.lookups += 1
            return super().__contains__(key)

    def lookups(n: int) -> int:
        words = OwnWords.of(["Müller, Jörg", *(f"Name{n:05d}" for n in range(n))])
        Counted.lookups = 0
        OwnWords("", Counted(words.keys), words.lengths).are_in(text)
        return Counted.lookups

    assert 0 < lookups(5000) == lookups(50)
