"""One item with all evidence: truth, each run's answers as they came and as they were read, and what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import s3harness
from s3harness_view.media_room import MediaRoom, frame_times
from s3harness_view.run_reader import RunContent

TEXT_CHARS = 20_000
"""Characters of an answer that a page begins with; the rest comes when it is wanted."""


def item_page(item: str, contents: Mapping[str, RunContent], media: MediaRoom, *, blind: bool) -> dict[str, Any]:
    """Return an item of some runs, by their names; ``KeyError`` if none has it."""
    having = {name: content for name, content in contents.items() if item in content.places}
    first = next(iter(having.values()), None)
    if first is None:
        raise KeyError(item)
    task, number = first.places[item]
    reference = first.tasks[task].references[number]
    refusal = media.refusal(first.manifest)
    return {
        "item": item,
        "task": task,
        "title": first.tasks[task].spec.title,
        "kind": first.tasks[task].spec.item,
        "video": reference.video_id,
        "subject": reference.subject,
        "title_of_subject": _title(reference.subject),
        "group": reference.cluster,
        "truth": reference.truth,
        "window": reference.window,
        "media_note": refusal,
        "annotations": None if refusal else _annotations(media, reference.video_id),
        "runs": [_of_run(name, content, item, blind=blind) for name, content in having.items()],
    }


def _title(subject: str) -> str:
    titles = {feature.name: feature.title for feature in s3harness.vocabulary().features}
    return titles.get(subject, subject.replace("_", " "))


def _annotations(media: MediaRoom, video_id: str) -> dict[str, Any] | None:
    try:
        video = media.video(video_id)
    except s3harness.MediaError:
        return None
    return {
        "duration_s": video.duration_s,
        "onset_s": video.onset_s,
        "offset_s": video.offset_s,
        "features": [{"name": n, "title": _title(n), **asdict(label)} for n, label in video.features.items()],
    }


def _of_run(name: str, content: RunContent, item: str, *, blind: bool) -> dict[str, Any]:
    task, number = content.places[item]
    reference, prediction = content.tasks[task].references[number], content.tasks[task].predictions[number]
    score = content.scores.get(item)
    run = content.manifest["run"]
    return {
        "name": name,
        "model": "" if blind else run["model"]["name"],
        "transforms": [transform["name"] for transform in run.get("transforms", ())],
        "prediction": asdict(prediction),
        "outcomes": [
            {"kind": outcome.kind, "detail": outcome.detail.replace("_", " ")}
            for outcome in content.outcomes.get(item, ())
        ],
        "score": asdict(score) if score else None,
        "requests": [_request(content, request_id, blind=blind) for request_id in reference.requests],
    }


def _request(content: RunContent, request_id: str, *, blind: bool) -> dict[str, Any]:
    entry, answer = content.entries.get(request_id), content.answers.get(request_id)
    if entry is None:
        return {"id": request_id, "status": "missing"}
    response = entry.response
    records = {kind: content.sent.get(name) for kind, name in entry.sent.items()}
    prompt, media, settings = (records.get(kind) or {} for kind in ("prompt", "media", "settings"))
    return {
        "id": request_id,
        "from_s": entry.clip.start_s,
        "to_s": entry.clip.end_s,
        "status": response.status,
        "text": response.text[:TEXT_CHARS],
        "chars": len(response.text),
        "error": response.error,
        "read": None if answer is None else {"status": answer.status, "note": answer.note, "value": answer.value},
        "probabilities": dict(response.choice_probabilities or {}),
        "prompt_tokens": response.prompt_tokens,
        "completion_tokens": response.completion_tokens,
        "latency_s": response.latency_s,
        "attempts": response.attempts,
        "system": prompt.get("system", ""),
        "prompt": prompt.get("prompt"),
        # Settings may name the model.
        "settings": None if blind else settings.get("settings"),
        "media": _media(media) if media else None,
    }


def _media(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": record["id"],
        "start_s": record["start_s"],
        "end_s": record["end_s"],
        "times_s": frame_times(record),
        "is_reported": "wanted_s" not in record,
        "form": record.get("form", ""),
        "size": record.get("size"),
        "has_sound": bool(record.get("sound_s") or record.get("sound")),
    }
