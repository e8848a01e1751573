"""The answer's part of a reply: without thinking, code fences and an overlong end."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MAX_CHARS = 200_000
"""Characters of an answer that are read. Only a runaway generation is longer."""

# The tags of DeepSeek, Qwen and their kin, of Mistral's Magistral ([THINK]) and of Kimi (◁think▷).
_THOUGHTS = tuple(
    (re.compile(f"{opening}.*?(?:{closing}|\\Z)", re.DOTALL | re.IGNORECASE), re.compile(closing, re.IGNORECASE))
    for opening, closing in (
        *((f"<{tag}>", f"</{tag}>") for tag in ("think", "thinking", "thought", "reasoning")),
        (r"\[THINK\]", r"\[/THINK\]"),
        ("◁think▷", "◁/think▷"),
    )
)
_CHANNEL = "<|channel|>"
_FINAL = re.compile(r"<\|channel\|>\s{0,9}final\b[^<]{0,99}<\|message\|>", re.IGNORECASE)
# Engines that skip special tokens leave a harmony reply (gpt-oss) as "analysis…assistantfinal…".
_STRIPPED_CHANNELS = re.compile(r"\Aanalysis(?=\S).*assistantfinal", re.DOTALL)
"""The channels of a harmony reply without their marks."""
_MARK = re.compile(r"<\|[A-Za-z_]{1,30}\|>|</?s>|<(?:end_of_turn|eos|start_of_turn)>")
_ROLE = re.compile(r"\A\s*(?:assistant|model)[ \t]*(?::|\n)", re.IGNORECASE)
_FENCE = re.compile(r"```(?:[A-Za-z0-9_+-]*[ \t]*\n|[Jj][Ss][Oo][Nn]\b)?|^~~~[A-Za-z0-9_+-]*[ \t]*$", re.MULTILINE)
_ANSWER_TAG = re.compile(r"<(/?)answer>", re.IGNORECASE)

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_TEX_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s{0,3}\{([^{}]{0,200})\}")
_BOXED = re.compile(r"\\boxed\s{0,3}\{([^{}]{0,200})\}")
_EMPHASIS = re.compile(r"[*`\"“”„‟«»「」$]")
_LINE_START = re.compile(r"^[ \t]{0,20}(?:[#>•✅❌☑✔]{1,6}[ \t]{0,9}|(?:-|[0-9]{1,2}[.)])[ \t]{1,9})", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class AnswerText:
    """The answer's text, stripped, and notes on the parts that were removed."""

    text: str
    notes: tuple[str, ...] = ()


def answer_text(reply: str) -> AnswerText:
    """Remove thinking, an engine's marks, ``<answer>`` tags and fences, then cut to :data:`MAX_CHARS`.

    Where one answer is tagged, the text around it is removed. Takes linear time.
    """
    notes = []
    text = without_thinking(reply)
    if text != reply:
        notes.append("thinking removed")
    # Cut after the thinking is gone, which may be longer than any answer.
    if len(text) > MAX_CHARS:
        notes.append(f"only the first {MAX_CHARS} of {len(text)} characters were read")
        text = text[:MAX_CHARS]
    bare = _ROLE.sub("", _MARK.sub("", text))
    bare = _FENCE.sub("", _tagged_answer(bare))
    if bare != text:
        notes.append("code fence or answer tag removed")
    return AnswerText(bare.strip(), tuple(notes))


def without_thinking(reply: str) -> str:
    """Return the reply without its thinking: ``<think>`` blocks and the like, and all channels but the final one.

    A block that never closes is removed to the end, since no answer was reached; a closing tag without an opening one
    (chat templates that open the block in the prompt) removes everything before it.
    """
    if _CHANNEL in reply:
        reply = _final_channel(reply)
    elif reply.startswith("analysis"):
        reply = _STRIPPED_CHANNELS.sub("", reply)
    for thought, closing in _THOUGHTS:
        reply = _after_last(closing, thought.sub("", reply))
    return reply


def plain_text(text: str) -> str:
    """Return a text as its words: :func:`without_markup`, and no headings, quotations, bullets and numbers of lines.

    For finding an answer in, never for text that becomes a value.
    """
    return _LINE_START.sub("", without_markup(text)).strip()


def without_markup(text: str) -> str:
    """Return a text without emphasis, double quotes and LaTeX, full-width characters as ordinary ones.

    A boxed answer becomes a line "Answer: …".
    """
    # Cut again: NFKC can make a text up to 18 times longer.
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))[:MAX_CHARS]
    # LaTeX text commands first, as they stand inside of boxes: \boxed{\text{left}}.
    boxed = _BOXED.sub(r"\nAnswer: \1\n", _TEX_TEXT.sub(r"\1", plain))
    return _EMPHASIS.sub("", boxed).replace("’", "'").strip()


def _final_channel(reply: str) -> str:
    """The text of the last final channel up to the next mark, "" for a reply without one."""
    starts = [match.end() for match in _FINAL.finditer(reply)]
    return reply[starts[-1] :].partition("<|")[0] if starts else ""


def _after_last(closing: re.Pattern[str], text: str) -> str:
    ends = [match.end() for match in closing.finditer(text)]
    return text[ends[-1] :] if ends else text


def _tagged_answer(text: str) -> str:
    """The one answer between tags; the text without the tags where there are none or several different ones."""
    # Split at tags, every second piece is a tag's slash: no backtracking, whatever the nesting.
    pieces = _ANSWER_TAG.split(text)
    opened = [pieces[i + 1] for i in range(1, len(pieces) - 2, 2) if not pieces[i] and pieces[i + 2]]
    answers = {piece.strip() for piece in opened} - {""}
    return answers.pop() if len(answers) == 1 else "".join(pieces[::2])
