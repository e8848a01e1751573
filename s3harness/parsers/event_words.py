"""Word lists around the events of a list: openings, statements that there are none, and modifiers of a name."""

from __future__ import annotations

import re

LONGEST_PIECE = 300
"""Characters of one piece of a list that are read."""

# Bounded repeats throughout: an unbounded one takes quadratic time on a reply of one character repeated.
TIME = re.compile(
    r"\([^()]{0,60}\)|\[[^\[\]]{0,60}\]"
    r"|(?<!\w)(?:at |from )?[0-9]{1,3}:[0-9]{2}(?::[0-9]{2})?(?:\s?[-–—]\s?[0-9]{1,3}:[0-9]{2})?(?![\w])(?:\s?[-–—:])?"
    r"|(?<!\w)(?:at |from |after |~)?[0-9]{1,4}(?:\.[0-9]{1,3})?\s?(?:s|sec|seconds?)(?!\w)(?:\s?[-–—:])?"
)
LEAD = re.compile(r"^(?:and then|followed by|and|then|first|finally|answer:)\s+", re.IGNORECASE)
PREAMBLE = re.compile(
    r"^[ \t\n]{0,9}\**(?:[\w' -]{0,60}(?:answer|sequence|order|signs?|events?|list|symptoms?)[\w' -]{0,40}):\**\s{1,9}",
    re.IGNORECASE,
)
TITLE_END = re.compile(r"\**\s{0,3}:|\**\s{1,3}[-–—=]\s|\**\s{0,3}\(")
NOTHING = frozenset({
    "none", "nothing", "na", "n_a", "empty", "no_signs", "no_events", "keine", "keines", "aucun",
    "aucune", "ninguno", "ninguna", "nenhum", "nessuno", "yok", "нет", "无", "なし", "没有",
})  # fmt: skip
NO_SIGNS = re.compile(
    r"(?:there (?:are|were|is|was) )?(?:no (?:\w+ ){0,4}|none (?:of (?:the |these |those )?(?:\w+ ){0,2})?)"
    r"(?:symptoms?|signs?|events?|features?)(?: (?:are|were|is|was))?"
    r"(?: (?:observed|seen|visible|present|shown|found|detected))?"
    r"(?: (?:in|during|on) (?:the|this) \w+)?",
    re.IGNORECASE,
)
MODIFIERS = frozenset({
    "left", "right", "both", "bilateral", "bilaterally", "unilateral", "sided", "side", "sides",
    "midline", "the", "a", "an", "of", "to", "on", "in", "at", "into", "towards", "toward", "from",
    "over", "around", "about", "with", "and", "then", "first", "next", "finally", "followed", "by",
    "later", "again", "also", "before", "after", "during", "while", "initially", "initial", "patient",
    "patient's", "patients", "his", "her", "their", "own", "one", "two", "arm", "arms", "leg", "legs",
    "hand", "hands", "foot", "feet", "limb", "limbs", "upper", "lower", "extremity", "extremities",
    "body", "trunk", "head", "neck", "face", "eye", "eyes", "mouth", "elbow", "elbows", "shoulder",
    "shoulders", "mild", "slight", "brief", "sustained", "forced", "strong", "intense", "marked",
    "subtle", "rapid", "fast", "slow", "repeated", "repetitive", "rhythmic", "prolonged", "continuous",
    "intermittent", "visible", "clear", "possible", "prominent", "generalized", "generalised", "focal",
    "asymmetric", "symmetric", "start", "starts", "begin", "begins", "onset", "appears", "occurs",
    "occur", "observed", "seen", "noted", "shown", "present", "show", "shows", "exhibits", "displays",
    "has", "develops", "there", "is", "are", "movement", "movements", "motion", "episode", "phase",
    "activity", "s", "sec", "second", "seconds",
})  # fmt: skip
"""Words for the side, place, time and degree of a sign, which leave it the same sign."""
