"""Addresses of hosts and mailboxes, names of files, encoded data and keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from s3harness.guard.identifiers.pattern import Rule, rule
from s3harness.guard.identifiers.vocabulary import any_of, words


def codes() -> Iterator[Rule]:
    """Yield the rules of encoded data and keys."""
    yield rule("media", "certain", r"\bdata:[\w.+-]{1,60}/[\w.+-]{1,60}", ":")
    # Base64 of 120 bytes: no word of a language is that long, and a thumbnail is longer.
    yield rule("media", "certain", r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{160,}={0,2}", case=True)
    key = r"\b(?:sk|hf|ghp|gho|pk|xox[bp]|AKIA)[-_]?[A-Za-z0-9_-]{16,200}|-----BEGIN|\bBearer \S{8,200}"
    yield rule("key", "certain", key, case=True)


def hosts() -> Iterator[Rule]:
    """Yield the rules of addresses of hosts and mailboxes."""
    # "at" as a word counts in brackets here; without them only where a top-level domain follows, further below.
    at = r"(?: ?@ ?| ?[\[({<] ?(?:at|ät|arroba|chiocciola|małpa) ?[\])}>] ?)"
    dot = r"(?:\.| ?[\[({] ?(?:dot|punkt|point|punto|kropka|nokta) ?[\])}] ?)"
    domains = any_of("domains")
    yield rule("e-mail", "certain", rf"[\w.+-]{{1,64}}{at}[\w-]{{1,63}}(?:{dot}[\w-]{{1,63}}){{1,5}}", "@([{<")
    spoken = r"\b[\w.+-]{2,64} (?:at|arroba|chiocciola) [\w-]{1,63}(?: (?:dot|punkt|point|punto) [\w-]{1,63}){0,3}"
    yield rule("e-mail", "certain", rf"{spoken} (?:dot|punkt|point|punto) (?:{domains})\b")
    yield rule("e-mail", "likely", r"(?<!\S)[\w.+-]{1,64}@[\w-]{2,63}\b|(?<!\S)@[a-z_]\w{3,40}", "@")
    yield rule("address", "certain", r"\b(?:https?|ftps?|s3|gs|smb|file|ssh|rtsp|dicom)://[^\s\"'<>]+|\bwww\.\S+", ":.")
    yield rule("address", "certain", rf"\b[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{0,6}}\.(?:{any_of('hosts')})\b", ".")
    yield rule(
        "address",
        "certain",
        rf"\b[a-z0-9][a-z0-9-]{{2,63}}(?:\.[a-z0-9-]{{2,63}}){{0,4}}\.(?:{domains})(?:\.(?:{domains}))?(?![\w.]*\w)(?:/\S*)?",
        ".",
        case=True,
    )
    # Four octets to 255: version numbers and section numbers mostly have fewer or larger parts.
    octet = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
    yield rule("address", "certain", rf"(?<![\w.])(?:{octet}\.){{3}}{octet}(?![\w.]*\d)", "digit")
    hexes = r"[0-9a-f]{1,4}"
    yield rule("address", "certain", rf"(?<![\w:])(?:{hexes}:){{7}}{hexes}(?!:?\w)", ":")
    yield rule(
        # A shortened IPv6 address needs a letter or some length: "1::2" may be a range.
        "address",
        "certain",
        rf"(?<![\w:])(?:{hexes}:){{1,6}}(?::{hexes}){{1,6}}(?!:?\w)",
        ":",
        check=_has_letter,
    )
    yield rule("address", "certain", r"(?<![\w:-])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![:-]?\w)", ":-")
    yield rule("address", "certain", r"(?<![\w.])[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}(?![\w.]*\w)", ".")


def files() -> Iterator[Rule]:
    """Yield the rules of paths and names of files."""
    yield rule("path", "certain", r"(?<![\w.<])(?:~?/[\w.@%+-]{1,100}){2,40}/?|(?<!\w)~/\S{1,200}", "/")
    yield rule("path", "certain", r"(?<!\w)[a-z]:\\\S{1,200}|\\\\[\w.-]{1,60}\\\S{1,200}", "\\")
    yield rule("path", "certain", r"(?<!\w)/(?:home|mnt|data|media|srv|users|root|tmp|var|opt|nas|volumes)\b", "/")
    yield rule("path", "certain", r"(?<![\w.])\.\.?/[\w.]\S{0,200}", "/")
    # Endings such as "set" or "log" are words: they count only behind a name with a digit or an underscore.
    certain, ambiguous = any_of("files", "certain"), "|".join(words("files", "words"))
    yield rule("path", "certain", rf"(?<![\w.])[\w^-]{{1,120}}(?:\.\w{{1,12}}){{0,2}}\.(?:{certain})\b", ".")
    yield rule("path", "certain", rf"\b\w*[\d_]\w{{0,100}}\.(?:{ambiguous})\b", ".")
    yield rule("path", "certain", r"\*\.(?:[a-z0-9]{2,5})\b", "*")


def _has_letter(match: re.Match[str]) -> bool:
    return any(c.isalpha() for c in match[0]) or len(match[0]) > 12
