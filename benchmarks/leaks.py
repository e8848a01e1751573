"""Measure how many identifiers the search finds, and how many harmless sentences it takes for one.

    python benchmarks/leaks.py [--set first|second] [--seed 2] [--release CHECKOUT] [--misses N]

Identifiers of 18 kinds are made by Faker in six locales and put into clinical sentences; harmless sentences are made
from templates. ``certain`` is what is refused at once, ``either`` also what a person is asked to look at.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from s3harness.guard.identifiers.find import find_identifiers

LOCALES = ("en_US", "de_DE", "fr_FR", "es_ES", "tr_TR", "pl_PL")
EACH = 24
"""Identifiers of a kind in a locale: 18 kinds × 6 locales × 24 are 2592."""
HARMLESS = 2500
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WRITTEN = {
    "en_US": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    "de_DE": ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober"),
    "fr_FR": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre"),
    "es_ES": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre"),
    "tr_TR": ("Ocak", "Şubat", "Mart", "Nisan", "Mayıs", "Haziran", "Temmuz", "Ağustos", "Eylül", "Ekim"),
    "pl_PL": ("stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września"),
}
ENDINGS = ("mp4", "avi", "MXF", "m2t", "nk", "eeg", "EDF", "wmv", "trc", "mov", "csv", "docx", "vhdr", "21E")
Maker = Callable[[Any, random.Random, str], str]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", dest="which", choices=("first", "second"), default="second")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--release", type=Path, help="A checkout of the authors' release: its texts are harmless.")
    parser.add_argument("--misses", type=int, default=0, help="Print so many of what was missed or taken wrongly.")
    options = parser.parse_args()
    table = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    began = time.perf_counter()
    planted = [*identifiers(table, options.which, options.seed)]
    show_recall(planted, options.misses)
    texts = [*harmless(table, options.which, options.seed)]
    show_alarms("harmless sentences", texts, options.misses)
    print(
        f"\n{(len(planted) + len(texts)) / (time.perf_counter() - began):.0f} sentences a second, their making included"
    )
    if options.release:
        show_alarms("experts' texts of the release", [*released(options.release)], 0)


def identifiers(table: dict[str, Any], which: str, seed: int) -> Iterator[tuple[str, str, tuple[int, int]]]:
    """Yield kind, sentence, and the place of the identifier in it."""
    from faker import Faker

    rng = random.Random(seed)
    for locale in LOCALES:
        fake = Faker(locale)
        fake.seed_instance(seed)
        carriers = table["carriers"][which][locale]
        for kind, make in makers(table, which).items():
            for _ in range(EACH):
                text = " ".join(make(fake, rng, locale).split())
                carrier = rng.choice(carriers)
                start = carrier.index("{}")
                yield kind, carrier.replace("{}", text), (start, start + len(text))


def makers(table: dict[str, Any], which: str) -> dict[str, Maker]:
    """Return kind of identifier → function that makes one."""

    def phrase(kind: str) -> Maker:
        def make(fake: Any, rng: random.Random, locale: str) -> str:
            first, last = fake.first_name(), fake.last_name()
            pattern = rng.choice(table[kind][which][locale])
            return pattern.format(first=first, last=last, LAST=last.upper(), n=rng.randint(90, 103))

        return make

    return {
        "name, titled": phrase("titled"),
        "name of a relative": phrase("relative"),
        "name, LAST^FIRST": lambda f, r, _: r.choice((str.upper, str))(
            f"{f.last_name()}^{f.first_name()}".replace(" ", "")
        ),
        "name, Last, First": lambda f, *_: f"{f.last_name()}, {f.first_name()}",
        "name, bare": lambda f, *_: f"{f.first_name()} {f.last_name()}",
        "date in digits": digits,
        "date, abbreviated": abbreviated,
        "date, written out": written,
        "age over 89": phrase("age"),
        "telephone": lambda f, *_: f.phone_number(),
        "e-mail": lambda f, r, _: r.choice((str, at_in_words))(f.email()),
        "URL or host": lambda f, r, _: r.choice((f.url(), f"{f.user_name()}-pc.local", f.domain_name())),
        "IP address": lambda f, r, _: r.choice((f.ipv4, f.ipv6))(),
        "MAC address": lambda f, r, _: r.choice((str, str.upper))(f.mac_address().replace(":", r.choice(":-"))),
        "record number": record,
        "device serial": serial,
        "postal address": lambda f, r, _: f.address().replace("\n", ", ") if r.random() < 0.7 else f.street_address(),
        "file or path": file_name,
    }


def digits(fake: Any, rng: random.Random, locale: str) -> str:
    """A date in digits, as one locale or another writes it."""
    day = fake.date_between("-30y")
    own = {"en_US": "%m/%d/%Y", "de_DE": "%d.%m.%Y", "fr_FR": "%d/%m/%Y", "es_ES": "%d-%m-%Y", "tr_TR": "%d.%m.%Y"}
    return day.strftime(rng.choice((own.get(locale, "%d.%m.%Y"), "%Y-%m-%d", "%Y%m%d", "%d/%m/%y", "%m/%Y")))


def abbreviated(fake: Any, rng: random.Random, _: str) -> str:
    """A date with the month in three letters."""
    day = fake.date_between("-30y")
    month = rng.choice((str, str.title))(MONTHS[day.month - 1])
    return rng.choice((f"{day:%d}{month}{day:%Y}", f"{day:%d}-{month}-{day:%y}", f"{day:%d} {month} {day:%Y}"))


def written(_: Any, rng: random.Random, locale: str) -> str:
    """A date with the month in words, with or without a year."""
    day, month, year = rng.randint(1, 28), rng.choice(WRITTEN[locale]), rng.randint(1960, 2025)
    patterns = {
        "en_US": ("{m} {d}, {y}", "{d} {m} {y}", "{m} {d}", "the {d}th of {m}"),
        "de_DE": ("{d}. {m} {y}", "{d}. {m}", "am {d}. {m} {y}"),
        "es_ES": ("{d} de {m} de {y}", "{d} de {m}"),
    }
    return rng.choice(patterns.get(locale, ("{d} {m} {y}", "{d} {m}"))).format(d=day, m=month, y=year)


def at_in_words(address: str) -> str:
    """An e-mail address whose sign is a word."""
    return address.replace("@", " (at) ")


def record(fake: Any, rng: random.Random, locale: str) -> str:
    """A number of a patient: a national one, or a hospital's with its label."""
    labels = {
        "en_US": ("MRN", "chart", "medical record number:"),
        "de_DE": ("Fallnummer", "Pat.-Nr."),
        "fr_FR": ("numéro de dossier", "NIR"),
        "es_ES": ("NHC", "historia clínica"),
        "tr_TR": ("dosya no", "protokol no"),
        "pl_PL": ("nr historii", "PESEL"),
    }
    return rng.choice((fake.ssn(), f"{rng.choice(labels[locale])} {rng.randint(10_000, 9_999_999)}"))


def serial(_: Any, rng: random.Random, locale: str) -> str:
    """The serial number of a device, with its label."""
    labels = {"en_US": "serial no.", "de_DE": "Seriennummer", "fr_FR": "n° de série", "es_ES": "número de serie"}
    label = rng.choice((labels.get(locale, "S/N"), "S/N", "SN:"))
    letters = "".join(rng.choices("ABCDEFGHKMNPRSTX", k=rng.randint(1, 3)))
    return f"{label} {letters}{rng.choice(('', '-'))}{rng.randint(1000, 9_999_999)}"


def file_name(fake: Any, rng: random.Random, _: str) -> str:
    """A file of a recording, or a path to it."""
    name = f"{plain(fake.last_name())}{rng.choice('_-')}{rng.randint(1, 99)}.{rng.choice(ENDINGS)}"
    return rng.choice((name, f"/mnt/emu/{name}", f"D:\\emu\\{name}", f"\\\\nas\\video\\{name}"))


def plain(text: str) -> str:
    """A text in ASCII letters."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().replace(" ", "")


def harmless(table: dict[str, Any], which: str, seed: int) -> Iterator[str]:
    """Yield sentences without an identifier."""
    rng = random.Random(seed)
    templates = table["harmless"][which]
    for number in range(HARMLESS):
        text = templates[number % len(templates)]
        while "{" in text.replace('{"', ""):
            start = min(n for n in range(len(text)) if text[n] == "{" and text[n + 1] != '"')
            end = text.index("}", start)
            text = text[:start] + drawn(table, rng, text[start + 1 : end]) + text[end + 1 :]
        yield text


def drawn(table: dict[str, Any], rng: random.Random, name: str) -> str:
    """Return a text for a placeholder of a template."""
    numbers = {
        "n": lambda: str(rng.randint(2, 89)),
        "m": lambda: str(rng.randint(2, 89)),
        "a": lambda: str(rng.randint(1, 9)),
        "b": lambda: str(rng.randint(1, 9)),
        "clock": lambda: f"{rng.randint(0, 9):02d}:{rng.randint(0, 59):02d}",
        "dec": lambda: f"{rng.uniform(0, 30):.{rng.randint(1, 6)}f}",
        "dec_de": lambda: f"{rng.uniform(0, 30):.1f}".replace(".", ","),
    }
    return numbers[name]() if name in numbers else rng.choice(table["fill"][name])


def released(checkout: Path) -> Iterator[str]:
    """Yield every text that experts wrote in the authors' release."""
    for path in sorted((checkout / "result" / "ground_truth").rglob("*.csv")):
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            for row in csv.DictReader(file):
                yield from (v for k, v in row.items() if k and isinstance(v, str) and len(v.split()) > 3)


def show_recall(planted: list[tuple[str, str, tuple[int, int]]], misses: int) -> None:
    """Print how many of each kind are found."""
    certain, either, total = Counter[str](), Counter[str](), Counter[str]()
    missed = []
    for kind, text, (start, end) in planted:
        tiers = {one.tier for one in find_identifiers(text) if one.start < end and start < one.end}
        total[kind] += 1
        certain[kind] += "certain" in tiers
        either[kind] += bool(tiers)
        if "certain" not in tiers:
            missed.append(f"  {kind} {'(likely)' if tiers else ''}: {text}")
    print("| kind | planted | certain | either |\n|---|---:|---:|---:|")
    for kind, n in total.items():
        print(f"| {kind} | {n} | {certain[kind] / n:.3f} | {either[kind] / n:.3f} |")
    n = total.total()
    print(f"| all | {n} | {certain.total() / n:.3f} | {either.total() / n:.3f} |")
    show_some(missed, misses)


def show_alarms(title: str, texts: list[str], misses: int) -> None:
    """Print how many harmless texts are taken for an identifier."""
    tiers = Counter[str]()
    wrong = []
    for text in texts:
        identifiers = find_identifiers(text)
        tiers["certain"] += any(one.tier == "certain" for one in identifiers)
        tiers["either"] += bool(identifiers)
        wrong += [f"  {one.kind} ({one.tier}): {text[one.start : one.end]!r} in {text}" for one in identifiers]
    rates = ", ".join(
        f"{tier} {tiers[tier]} ({tiers[tier] / len(texts) * 1000:.1f} per 1,000)" for tier in ("certain", "either")
    )
    print(f"\n{title}: {len(texts)}, alarms: {rates}")
    show_some(wrong, misses)


def show_some(lines: list[str], n: int) -> None:
    """Print some lines, drawn by chance."""
    for line in random.Random(0).sample(lines, min(n, len(lines))):
        print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
