"""Whether a reply declines the question instead of answering it."""

from __future__ import annotations

import re

from s3harness.parsers.text import without_thinking

LONGEST_REFUSAL = 600
"""Characters; what is longer holds more than a refusal and is left to the parser."""

_APOLOGY = (
    r"(?:(?:i am )?(?:very |so |really )?sorry|(?:my )?apologies|i apologi[sz]e|unfortunately|as an ai[\w -]{0,40}?)"
)
_CANNOT = (
    r"i (?:can['’]?t|cannot|can not|am unable to|am not able to|won['’]?t|will not|must decline to"
    r"|do not have the ability to|don['’]t have the ability to)"
)
_HELP = r"(?:help(?! but)|assist|comply|fulfil?l|do that|answer (?:that|this)|respond to (?:that|this)|continue with)\b"
_MEDIA = (
    r"(?:directly |actually )?(?:view|watch|see|access|open|play|process|analy[sz]e|interpret|hear|listen to|receive)\s"
    r"(?:(?:and|or) \w+ )?(?:the |this |that |any |your |these |actual )*(?:attached |uploaded |provided )?"
    r"(?:videos?|images?|media|files?|clips?|recordings?|audio)\b(?! (?:clearly|well|properly|in detail|quality))"
)
_ADVICE = r"(?:provide|give|offer|make)\s(?:a |any |you )*(?:medical |clinical )?(?:advice|diagnos[ei]s|assessment)\b"
_REFUSAL = re.compile(
    rf"^\W*(?:{_APOLOGY}\W+)?(?:but )?(?:{_APOLOGY}\W+)?{_CANNOT} (?:{_HELP}|{_MEDIA}|{_ADVICE})", re.IGNORECASE
)


def looks_like_refusal(text: str) -> bool:
    """Whether the reply is a refusal: short, without data, and it opens with "I cannot help", "… view videos" or so.

    Conservative: an answer that hedges ("I cannot see the left arm, but …") is not a refusal, since taking an answer
    for a refusal would hide it, while a refusal that is missed counts as wrong all the same.
    """
    answer = without_thinking(text).strip()
    if not answer or len(answer) > LONGEST_REFUSAL or "{" in answer:
        return False
    return _REFUSAL.match(re.sub(r"\bI['’]m\b", "I am", " ".join(answer.split()), flags=re.IGNORECASE)) is not None
