"""Detection of replies that decline the question instead of answering it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from s3harness.parsers.json_text import embedded_json
from s3harness.parsers.text import answer_text, without_markup

LONGEST_REFUSAL = 600
"""Characters; a longer reply holds more than a refusal and is left to the parser."""

LONGEST_FOREIGN_REFUSAL = 300
"""The same for the other languages, whose patterns are coarser."""

_APOLOGY = (
    r"(?:(?:i am )?(?:very |so |really |afraid )?sorry|(?:my )?apologies|i apologi[sz]e|unfortunately|i am afraid"
    r"|as an? (?:ai|large|language|text)[\w -]{0,40}?|no(?=,))"
)
_CANNOT = (
    r"i (?:can['’]?t|cannot|can not|am unable to|am not able to|won['’]?t|will not|must decline to|have to decline to"
    r"|am not (?:qualified|allowed|permitted|equipped) to|am not capable of|lack the (?:ability|capability) to"
    r"|(?:do not|don['’]t) (?:currently )?have (?:the (?:ability|capability|capacity) (?:to|of)"
    r"|(?:any |direct )?access to))"
)
_ADVERB = r"(?:(?:directly|actually|currently|really|visually) )?"
_HELP = (
    r"(?:help(?! but)|assist|comply|fulfil?l|do (?:that|this)|answer (?:that|this)|respond to (?:that|this)"
    r"|continue with|engage)\b"
)
_VERB = (
    r"(?:view(?:ing)?|watch(?:ing)?|see(?:ing)?|access|open|play|process|analy[sz]e|interpret|hear|listen to|receive"
    r"|review)"
)
_MEDIUM = r"(?:videos?|images?|media|files?|clips?|recordings?|audio|footage)\b"
_MEDIA = (
    rf"{_ADVERB}(?:{_VERB}\s(?:(?:and|or) \w+ )?)?(?:the |this |that |any |your |these |an? |actual |such )*"
    r"(?:attached |uploaded |provided |medical |clinical |real |live |audio or |video or )*"
    rf"{_MEDIUM}(?! (?:clearly|well|properly|in detail|quality))"
)
_GIVE = r"(?:provide|give|offer|make|render)\s(?:a |an |any |you )*"
_ADVICE = (
    rf"(?:{_GIVE}(?:medical |clinical )(?:\w+ ){{0,1}}(?:opinion|judge?ments?|evaluation)"
    rf"|{_GIVE}(?:medical |clinical )?(?:\w+ ){{0,1}}(?:advice|diagnos[ei]s|assessment))\b"
)
_PEOPLE = (
    r"(?:diagnose|identify|assess|evaluate|judge|determine|describe|interpret|comment on|make)\b[^.\n]{0,50}?\b"
    r"(?:medical (?:conditions?|questions?|issues?|state|status)"
    r"|(?:of|about) (?:a |the |real )?(?:person|people|individuals?))\b"
)
_DECLINED = re.compile(rf"{_CANNOT} {_ADVERB}(?:{_HELP}|{_MEDIA}|{_ADVICE}|{_PEOPLE})", re.IGNORECASE)
_OPENING = re.compile(rf"\W*(?:{_APOLOGY}\W+)?(?:but )?(?:{_APOLOGY}\W+)?{_CANNOT} ", re.IGNORECASE)
_NO_MEDIA = re.compile(
    rf"\W*(?:{_APOLOGY}\W+)?(?:but )?(?:it (?:seems|looks|appears)(?: like| that)? )?"
    r"(?:there is |there was |i (?:do not|don['’]t) see )?"
    r"(?:no|any) (?:actual )?(?:video|clip|image|media|footage|recording)s?\b[^.\n]{0,30}\b"
    r"(?:provided|attached|uploaded|included|shared|available|given|in (?:your|this|the) (?:message|conversation))\b",
    re.IGNORECASE,
)
# The lookahead is bounded: "but" with an offer of help within 40 characters is still a refusal.
_BUT = re.compile(
    r"(?<!\w)(?:but|however|nonetheless|nevertheless|that said)(?!\w)"
    r"(?![^.\n]{0,40}\b(?:i can|i could|i would|i['’]d|i am|feel free|if you|please)\b)",
    re.IGNORECASE,
)
_FOREIGN = tuple(
    (re.compile(rf"\W*(?:{opening})", re.IGNORECASE), re.compile(declined, re.IGNORECASE))
    for opening, declined in (
        ("(?:es )?tut mir (?:sehr )?leid|entschuldigung|leider|ich kann|als ki",
         r"ich\b[^.\n]{0,60}\b(?:nicht helfen|kein\w* (?:\w+ ){0,2}(?:videos?|diagnosen?|clips?)"
         r"|(?:videos?|clips?) (?:leider )?nicht)|kann ich (?:\w+ ){0,3}nicht helfen"),
        ("je suis (?:vraiment )?désolée?|désolée?|malheureusement|je ne (?:peux|suis)|en tant qu",
         r"je ne (?:peux|suis)\b[^.\n]{0,60}\b(?:vidéos?|aider|diagnostic|images?|médica\w*)"),
        ("lo siento|lamentablemente|no puedo|como (?:una? )?(?:ia|modelo)",
         r"no (?:puedo|soy capaz)\b[^.\n]{0,60}\b(?:v[ií]deos?|ayudar\w*|diagn[oó]stico|im[aá]genes|médic\w*)"),
        ("desculpe|lamento|infelizmente|não posso|não consigo",
         r"não (?:posso|consigo)\b[^.\n]{0,60}\b(?:v[ií]deos?|ajudar|diagnóstico|imagens|médic\w*)"),
        ("mi dispiace|purtroppo|non posso",
         r"non (?:posso|sono in grado)\b[^.\n]{0,60}\b(?:video|aiutar\w*|diagnosi|immagini|medic\w*)"),
        ("很?抱歉|对不起|我无法|我不能|作为", "(?:无法|不能)[^。\n]{0,30}(?:视频|医疗|医学|诊断|帮助|图像|画面)"),
        ("申し訳|すみません|ごめん|私は",
         "(?:動画|映像|ビデオ|診断|医療|お手伝い)[^。\n]{0,30}(?:できません|できない)"),
        ("üzgünüm|maalesef|özür",
         r"(?:video|teşhis|tanı|tıbbi|yardım)[^.\n]{0,40}(?:emiyorum|amıyorum|ıyorum|emem|amam)\b"),
        ("извините|к сожалению|простите|я не могу", r"не могу\b[^.\n]{0,60}(?:видео|диагноз|помочь|медицин\w*)"),
    )
)  # fmt: skip


def looks_like_refusal(text: str) -> bool:
    """Return whether the reply is a refusal: short, without data, and it opens with "I cannot help" or the like.

    Conservative: an answer that hedges ("I cannot see the left arm, but …") is not a refusal. An answer taken for a
    refusal would be lost, while a refusal that is missed counts as wrong all the same.
    """
    answer = answer_text(text).text
    # JSON holds data; a refusal in one of its fields is found by declines().
    if not answer or len(answer) > LONGEST_REFUSAL or "{" in answer:
        return False
    plain = re.sub(r"\bI['’]m\b", "I am", " ".join(without_markup(answer).split()), flags=re.IGNORECASE)
    # "But" after the refusal introduces an answer, unless it offers help ("but if you describe it …").
    if declined := (_OPENING.match(plain) and _DECLINED.search(plain)) or _NO_MEDIA.match(plain):
        return _BUT.search(plain, declined.end()) is None
    return len(plain) <= LONGEST_FOREIGN_REFUSAL and any(
        opening.match(plain) and declined.search(plain) for opening, declined in _FOREIGN
    )


def declines(text: str) -> bool:
    """Return whether a reply that holds no readable answer is a refusal, in its text or in a field of its JSON."""
    return looks_like_refusal(text) or any(looks_like_refusal(value) for value in _strings(text))


def _strings(text: str) -> Iterator[str]:
    """The strings in the JSON objects of a reply that is not too long to be a refusal."""
    answer = answer_text(text).text
    if "{" not in answer or len(answer) > 4 * LONGEST_REFUSAL:
        return
    for one in embedded_json(answer, "{"):
        values = one.value.values() if isinstance(one.value, dict) else ()
        yield from (value for value in values if isinstance(value, str))
