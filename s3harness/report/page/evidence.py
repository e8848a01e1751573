"""Evidence behind the timelines: requests as sent, raw answers by window, and their parsed values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from s3harness.dataset.load import load_dataset
from s3harness.errors import UsageError
from s3harness.report.page.content import Content
from s3harness.rundir.journal import FILE as JOURNAL
from s3harness.rundir.journal import read_journal
from s3harness.rundir.journal_line import JournalEntry
from s3harness.rundir.manifest import read_manifest
from s3harness.rundir.sent import read_sent
from s3harness.scoring.answers import read_answer

NOT_RECORDED = "Not recorded: this run was made by a version that did not store its requests."


def answers(run: Path, content: Content) -> dict[str, dict[str, Any]]:
    """Return request id → its window, raw answer and parsed value, and the ids of the records of its request."""
    # Items of a task that uses another's answers refer to requests of that task.
    used = {task.spec.uses for task in content.tasks.values()}
    by_request = {}
    for entry in read_journal(run / JOURNAL):
        if entry.task in content.tasks or entry.task in used:
            by_request[entry.id] = _answer(entry, content)
    return by_request


def _answer(entry: JournalEntry, content: Content) -> dict[str, Any]:
    task = content.tasks.get(entry.task)
    read = read_answer(entry, task.spec.for_subject(entry.subject)) if task else None
    return {
        "from": entry.clip.start_s,
        "to": entry.clip.end_s,
        "text": entry.response.text,
        "reasoning": entry.response.reasoning,
        "status": entry.response.status,
        "error": entry.response.error,
        "read": read.status if read else "",
        "note": read.note if read else "",
        "value": read.value if read else None,
        "sent": list(entry.sent.values()),
    }


def sent(run: Path) -> dict[str, dict[str, Any]]:
    """Return id of a recorded part of a request → its kind, and its text as the page shows it.

    A written report within a prompt is withheld; the rest is shown as sent, letter by letter.
    """
    return {
        name: {"kind": record["kind"], "text": _TEXTS[record["kind"]](record)}
        for name, record in read_sent(run).items()
    }


def _prompt_text(record: Mapping[str, Any]) -> str:
    # "public" is the prompt with the report withheld; prompts without a report have none.
    prompt = str(record.get("public") or record["prompt"])
    return f"{record['system']}\n\n{prompt}" if record["system"] else prompt


def _media_text(record: Mapping[str, Any]) -> str:
    """Return the media of a clip in words, with the times of all frames."""
    place = f"{record['video_id']} from {record['start_s']:g} s to {record['end_s']:g} s"
    budget = f"at most {record['max_pixels']:,} pixels each" if record["max_pixels"] else ""
    # Only some backends report the frames that they sent; of others the requested times are recorded.
    if "wanted_s" in record:
        times, sound = record["wanted_s"], "sound requested" if record.get("sound") else ""
        count = f"{_count(times)} requested; the backend does not report what it sent"
    else:
        times, size = record["times_s"], record["size"]
        count = "a video file, from which the engine chose frames itself" if times is None else f"{_count(times)} sent"
        count += f" as {record['form']}" if record["form"] and times is not None else ""
        count += f", {size[0]} × {size[1]} pixels" if size else ""
        sound = f"{record['sound_s']:g} s of sound" if record["sound_s"] else ""
    at = f"at {', '.join(f'{time:g}' for time in times)} s" if times else ""
    return "; ".join(filter(None, (place, count, sound, budget, at)))


def _count(times: Sequence[float]) -> str:
    return "1 frame" if len(times) == 1 else f"{len(times)} frames"


def _settings_text(record: Mapping[str, Any]) -> str:
    return json.dumps(record["settings"], ensure_ascii=False, indent=1)


_TEXTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "prompt": _prompt_text,
    "media": _media_text,
    "settings": _settings_text,
}


def annotated(data: Path, run: Path) -> dict[str, dict[str, Any]]:
    """Return video → its annotated intervals and sides.

    Raises :class:`UsageError` if the data set is not the run's.
    """
    dataset = load_dataset(data)
    # Annotations of another data set would be drawn over the answers without a warning.
    if read_manifest(run)["run"]["dataset"]["fingerprint"] != dataset.fingerprint:
        raise UsageError(f"{data} is not the data set of {run}, or has changed since")
    return {
        video.id: {
            "labels": {
                name: {"present": label.present, "from": label.start_s, "to": label.end_s, "side": label.side}
                for name, label in video.features.items()
            },
            "end": video.duration_s,
        }
        for video in dataset.videos
    }


def frames(run: Path) -> dict[str, list[float]]:
    """Return video → times of the frames sent of it, in seconds; videos without recorded frames are missing."""
    times: dict[str, set[float]] = {}
    for record in read_sent(run).values():
        if record["kind"] == "media":
            times.setdefault(record["video_id"], set()).update(record.get("times_s") or record.get("wanted_s") or ())
    return {video_id: sorted(frame_times) for video_id, frame_times in times.items()}
