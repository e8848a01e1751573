"""From the content of a run to the page: numbers put into words, everything escaped, one file written."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from s3harness.dataset.load import load_dataset
from s3harness.errors import UsageError
from s3harness.files import write_text
from s3harness.report.page import evidence
from s3harness.report.page.charts import histogram, whisker
from s3harness.report.page.content import (
    Content,
    confusions,
    gather,
    heat_map,
    order_errors,
    time_errors,
    timelines,
)
from s3harness.report.page.costs import costs
from s3harness.report.page.html import page
from s3harness.report.page.two_stage import two_stage
from s3harness.report.table import number, task_title
from s3harness.scoring.floor_test import is_above_floor
from s3harness.scoring.score_run import told_cautions
from s3harness.specs.features import vocabulary
from s3harness.types import Score

FILE = "report.html"
LOCAL_FILE = "report.local.html"
COMPONENTS = "SCLT"
"""The components of the Seizure-RQI, in the order of its formula."""
ORDER_KINDS = ("hit", "out of order", "missed", "hallucinated", "said again")


def write_report(run: Path, out: Path | None = None, data: Path | None = None, videos: Path | None = None) -> Path:
    """Write the report of a run, and return where it is: ``report.html`` in the run directory if nothing is said.

    ``data``, the run's data set, adds annotated intervals and sides to the timelines. ``videos``
    names a folder of video files called by their ids (or, with ``data``, by the data set's table) to play beside them;
    the page then holds their paths, says so, and is called ``report.local.html``.

    Raises :class:`UsageError` if the run is none, has no scores, or is of another data set.
    """
    content = gather(run)
    shown = _shown_data(run, content, data, videos)
    out = out or run / (LOCAL_FILE if videos else FILE)
    more = {"costs": costs(run), "two_stage": two_stage(run)}
    write_text(out, _page(content, shown, has_data=data is not None, is_local=videos is not None, **more))
    return out


def _shown_data(run: Path, content: Content, data: Path | None, videos: Path | None) -> dict[str, Any]:
    """What the script of the page draws from."""
    extra = evidence.annotated(data, run) if data else {}
    frames = evidence.frames(run)
    shown = [
        video | {k: v for k, v in extra.get(video["id"], {}).items() if v} | {"frames": frames.get(video["id"], [])}
        for video in timelines(content)
    ]
    return {
        "signs": [{"name": feature.name, "title": feature.title} for feature in vocabulary().features],
        "videos": shown,
        "answers": evidence.answers(run, content),
        "sent": evidence.sent(run),
        "not_recorded": evidence.NOT_RECORDED,
        "files": _files(videos, data, [video["id"] for video in shown]) if videos else {},
    }


def _files(videos: Path, data: Path | None, ids: list[str]) -> dict[str, str]:
    """Video → the address of its file on this computer."""
    if not videos.is_dir():
        raise UsageError(f"{videos} is no folder of videos")
    named = {v.id: v.path.name for v in load_dataset(data).videos if v.path is not None} if data else {}
    found = {}
    for name in ids:
        path = videos / named[name] if name in named else next(iter(sorted(videos.glob(f"{name}.*"))), None)
        if path is not None and path.exists():
            found[name] = path.resolve().as_uri()
    return found


def _page(content: Content, shown: Mapping[str, Any], **more: Any) -> str:
    return page(
        "report.html",
        "report.js",
        shown,
        **more,
        run=content.manifest["run"],
        changes=told_cautions(content.manifest),
        identifiers=content.manifest.get("identifiers"),
        n_videos=content.n_videos,
        n_patients=max((score.n_patients for score in content.scores), default=0),
        summary=[_summary_row(score) for score in content.scores],
        warnings=[f"{task_title(s.task)}, {s.metric}: {s.warning}." for s in content.scores if s.primary and s.warning],
        heat=heat_map(content),
        confusions=confusions(content),
        histograms=[_histogram(name, errors) for name, errors in time_errors(content).items()],
        order=order_errors(content),
        order_kinds=ORDER_KINDS,
        rqi=_rqi(content),
        own_diagnoses=[_summary_row(score) for score in content.scores if _kind(content, score) == "diagnosis"],
        counts={task_title(task): tally for task, tally in content.outcome_counts.items()},
        losses=[asdict(loss) | {"task": task_title(loss.task)} for loss in content.losses],
        consistency=content.consistency,
        facts=_facts(content.manifest),
    )


def _kind(content: Content, score: Score) -> str:
    """The kind of item of a score's task, as its spec declares it."""
    task = content.tasks.get(score.task)
    return task.spec.item if task else ""


def _rqi(content: Content) -> dict[str, float]:
    """The mean of each component, then of each penalty."""
    parts = next((s.parts for s in content.scores if s.primary and _kind(content, s) == "report"), {})
    return dict(sorted(parts.items(), key=lambda part: (part[0] not in COMPONENTS, COMPONENTS.find(part[0]))))


def _summary_row(score: Score) -> dict[str, Any]:
    interval = score.interval
    return {
        "name": f"{task_title(score.task)}: {score.metric}",
        "metric": score.metric,
        "primary": score.primary,
        "value": number(score.value, score.unit),
        "interval": f"{number(interval.low)}–{number(interval.high)}" if interval else "–",
        "interval_note": "" if interval else score.interval_note,
        "whisker": whisker(score),
        "floor": number(score.floor),
        "floor_name": score.floor_name.replace("_", " "),
        "above": _above(score),
        "reader": number(score.informed),
        "reader_name": score.informed_name.removeprefix("reader: "),
        "ceiling": number(score.ceiling),
        "skill": number(score.skill),
        "answered": f"{round(score.coverage * score.n_items)}/{score.n_items}",
        "lost": ", ".join(f"{n} {why}" for why, n in score.lost.items()),
    }


def _above(score: Score) -> str:
    """Whether a score is above its floor, with the difference and the corrected p-value; empty without a test."""
    test = score.floor_test
    if test is None or test.p_adjusted is None:
        return ""
    return f"{'yes' if is_above_floor(score) else 'no'}: {test.difference:+.3g}, p = {test.p_adjusted:.2g}"


def _histogram(name: str, errors: list[float]) -> dict[str, str]:
    median = statistics.median(errors)
    summary = f"{len(errors)} answered; median {median:+.1f} s, mean {statistics.fmean(errors):+.1f} s"
    return {"title": name, "summary": summary, "svg": histogram(name, errors)}


def _facts(manifest: Mapping[str, Any]) -> dict[str, str]:
    run, versions = manifest["run"], manifest.get("environment", {}).get("versions", {})
    told = {
        "model": run["model"]["name"],
        "weights": " ".join(str(run["model"][key]) for key in ("weights", "revision") if run["model"][key]),
        "options": ", ".join(f"{k}={v}" for k, v in run["options"].items()) or "–",
        "data set": f"{run['dataset']['name']} {run['dataset']['version']}, {run['dataset']['fingerprint'][:16]}",
        "requests": f"{manifest.get('requests', '–')}, {manifest.get('failed', '–')} failed",
        "tokens": ", ".join(f"{n:,} {kind}" for kind, n in manifest.get("tokens", {}).items() if n),
        "seconds": str(manifest.get("seconds", "–")),
        "frames shown (digest)": str(manifest.get("media_sha256", "–"))[:16],
        "plugins": ", ".join(f"{name} {version}" for name, version in run["plugins"].items()),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    return {name: value for name, value in told.items() if value}
