"""One line of the journal: the JSON of a response, written and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any

from s3harness.types import Clip, Request, Response, ToolCall
from s3harness.value_checks import (
    each,
    is_mapping,
    is_name,
    is_number,
    is_text,
    is_whole,
    mapping_to,
    maybe,
    one_of,
    record,
    wrong_field,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalEntry:
    """One line: the request, the clip, and the response.

    ``by`` is the number, among the identities of the manifest, of the one that answered; ``None`` where that is not
    recorded. ``sent`` maps a kind of record of what was sent (:mod:`s3harness.rundir.sent`) to the record's id.
    ``parent`` is the planned request whose conversation the line is a turn of, ``turn`` its number from 1.
    """

    id: str
    task: str
    item: str
    subject: str
    clip: Clip
    media: str
    response: Response
    by: int | None = None
    sent: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""
    turn: int = 0

    @property
    def is_composed(self) -> bool:
        """Return whether a strategy composed the response of the replies to several turns."""
        return self.response.conversation is not None


def line_of(
    request: Request, response: Response, media: str, by: int | None, sent: Mapping[str, str]
) -> dict[str, object]:
    """Return the line of a response; optional fields only where they are set, as most are empty on most lines."""
    clip = request.clip
    line: dict[str, object] = {
        "id": request.id,
        "task": request.task,
        "item": request.item,
        "subject": request.subject,
        "clip": {"video_id": clip.video_id, "index": clip.index, "start_s": clip.start_s, "end_s": clip.end_s},
        "media": media,
        "status": response.status,
        "text": response.text,
    }
    optional = {
        "error": response.error,
        "reasoning": response.reasoning,
        "prompt_tokens": response.prompt_tokens,
        "completion_tokens": response.completion_tokens,
        "choice_probabilities": response.choice_probabilities and dict(response.choice_probabilities),
        "attempts": response.attempts if response.attempts > 1 else None,
        "latency_s": None if response.latency_s is None else round(response.latency_s, 4),
        "by": by,
        "sent": sent,
        "parent": request.parent,
        "turn": request.turn or None,
        "tool_calls": [asdict(call) for call in response.tool_calls] or None,
        "conversation": response.conversation and dict(response.conversation),
    }
    return line | {key: value for key, value in optional.items() if value not in (None, "", {})}


def entry_of(line: dict[str, Any]) -> JournalEntry:
    """Return the entry of a parsed line; raise ``ValueError``, ``KeyError`` or ``TypeError`` if it is none."""
    if name := wrong_field(line, _REQUIRED, _OPTIONAL):
        raise ValueError(f"{name} is missing or has another form")
    fields = line["clip"]
    clip = _clip(fields["video_id"], fields["start_s"], fields["end_s"], fields["index"])
    response = Response(line["id"], **{name: line[name] for name in _OF_RESPONSE if name in line})
    if "tool_calls" in line:
        response = replace(response, tool_calls=tuple(ToolCall(**call) for call in line["tool_calls"]))
    return JournalEntry(
        id=line["id"],
        task=line["task"],
        item=line["item"],
        subject=line["subject"],
        clip=clip,
        media=line["media"],
        response=response,
        by=line.get("by"),
        sent=line.get("sent", {}),
        parent=line.get("parent", ""),
        turn=line.get("turn", 0),
    )


_REQUIRED = {
    **dict.fromkeys(("id", "task", "item", "subject", "media"), is_name),
    "text": is_text,
    "clip": record({"video_id": is_name, "start_s": is_number, "end_s": is_number, "index": is_whole}),
    "status": one_of("ok", "failed", "refused", "cut"),
}
_OPTIONAL = {
    "error": is_text,
    "reasoning": is_text,
    "prompt_tokens": maybe(is_whole),
    "completion_tokens": maybe(is_whole),
    "choice_probabilities": maybe(mapping_to(maybe(is_number))),
    "attempts": is_whole,
    "latency_s": maybe(is_number),
    "by": maybe(is_whole),
    "sent": mapping_to(is_text),
    "parent": is_name,
    "turn": is_whole,
    "tool_calls": each(record({"id": is_text, "name": is_text, "arguments": is_text})),
    "conversation": is_mapping,
}
_OF_RESPONSE = (
    *("status", "text", "error", "prompt_tokens", "completion_tokens", "choice_probabilities"),
    *("attempts", "latency_s", "reasoning", "conversation"),
)


@lru_cache(maxsize=1024)
def _clip(video_id: str, start_s: float, end_s: float, index: int) -> Clip:
    """Return one clip for equal fields, as many lines that stand together are about one."""
    return Clip(video_id, start_s, end_s, (), 0, index=index)
