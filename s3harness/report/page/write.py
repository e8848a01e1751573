"""Writing of the report page: the content of a run as text, rendered by the template into one file."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from s3harness.analysis.readers import read_readers, reader_lines
from s3harness.analysis.systems import read_system
from s3harness.dataset.load import load_dataset
from s3harness.errors import UsageError
from s3harness.files import write_text
from s3harness.report.page import evidence
from s3harness.report.page.charts import histogram, whisker
from s3harness.report.page.content import (
    Content,
    confusions,
    feature_titles,
    heat_map,
    order_errors,
    read_content,
    time_errors,
    timelines,
)
from s3harness.report.page.costs import costs
from s3harness.report.page.html import page
from s3harness.report.page.stills import stills
from s3harness.report.page.summary import summary
from s3harness.report.page.two_stage import two_stage
from s3harness.report.table import number, task_title
from s3harness.rundir.eyes import describe_check
from s3harness.scoring.above_floor import is_above_floor
from s3harness.scoring.score_run import describe_cautions
from s3harness.types import Score

FILE = "report.html"
LOCAL_FILE = "report.local.html"
COMPONENTS = "SCLT"
"""Components of the Seizure-RQI, in the order of its formula."""
ORDER_KINDS = ("hit", "out of order", "missed", "hallucinated", "said again")


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportSources:
    """Sources of a report besides the run itself.

    ``data``, the run's data set, adds annotated intervals and sides to the timelines. ``videos`` is a folder of video
    files named by their ids (or, with ``data``, as in the data set's table) to play beside the timelines. ``frames``
    adds stills of the frames sent: ``blurred``, or through the transform of that name; it needs ``data``. ``readers``
    are runs of people who took the same exam.
    """

    data: Path | None = None
    videos: Path | None = None
    frames: str = ""
    readers: Sequence[Path] = ()


def write_report(run: Path, out: Path | None = None, sources: ReportSources | None = None) -> Path:
    """Write the report of a run, by default as ``report.html`` in the run directory, and return its path.

    With ``sources.videos`` the page holds paths of this computer, warns of them, and is named ``report.local.html``.

    Raises :class:`UsageError` if ``run`` is not a run directory, has no scores, or belongs to another data set.
    """
    sources = sources or ReportSources()
    content = read_content(run)
    # Read before the file is written, so that a wrong --data leaves an older page as it is.
    script_data = _script_data(run, content, sources)
    readers = reader_lines(read_system(run, run.name), read_readers(sources.readers))
    out = out or run / (LOCAL_FILE if sources.videos else FILE)
    more = {"costs": costs(run), "two_stage": two_stage(run), "overview": summary(content, readers)}
    write_text(out, _page(content, script_data, sources, **more))
    return out


def _script_data(run: Path, content: Content, sources: ReportSources) -> dict[str, Any]:
    """Return the data from which the script of the page draws."""
    data, videos = sources.data, sources.videos
    extra = evidence.annotated(data, run) if data else {}
    frames = evidence.frames(run)
    entries = [
        video | {k: v for k, v in extra.get(video["id"], {}).items() if v} | {"frames": frames.get(video["id"], [])}
        for video in timelines(content)
    ]
    return {
        "signs": [{"name": name, "title": title} for name, title in feature_titles().items()],
        "videos": entries,
        "answers": evidence.answers(run, content),
        "sent": evidence.sent(run),
        "not_recorded": evidence.NOT_RECORDED,
        "files": _files(videos, data, [video["id"] for video in entries]) if videos else {},
        "stills": stills(run, data, sources.frames) if sources.frames else {},
    }


def _files(videos: Path, data: Path | None, ids: list[str]) -> dict[str, str]:
    """Return video → the URI of its file on this computer."""
    if not videos.is_dir():
        raise UsageError(f"{videos} is not a folder of videos")
    # The folder may be any copy of the videos; only their file names are taken from the data set.
    named = {v.id: v.path.name for v in load_dataset(data).videos if v.path is not None} if data else {}
    uris = {}
    for name in ids:
        path = videos / named[name] if name in named else next(iter(sorted(videos.glob(f"{name}.*"))), None)
        if path is not None and path.exists():
            uris[name] = path.resolve().as_uri()
    return uris


def _page(content: Content, script_data: Mapping[str, Any], sources: ReportSources, **more: Any) -> str:
    return page(
        "report.html",
        "report.js",
        script_data,
        **more,
        has_data=sources.data is not None,
        is_local=sources.videos is not None,
        frames=sources.frames,
        run=content.manifest["run"],
        changes=describe_cautions(content.manifest),
        identifiers=content.manifest.get("identifiers"),
        n_videos=content.n_videos,
        n_patients=max((score.n_patients for score in content.scores), default=0),
        metrics=[_summary_row(score) for score in content.scores],
        warnings=[f"{task_title(s.task)}, {s.metric}: {s.warning}." for s in content.scores if s.primary and s.warning],
        heat=heat_map(content),
        confusions=confusions(content),
        histograms=[_histogram(name, errors) for name, errors in time_errors(content).items()],
        order=order_errors(content),
        order_kinds=ORDER_KINDS,
        rqi=_rqi(content),
        own_diagnoses=[_summary_row(score) for score in content.scores if content.kind_of(score.task) == "diagnosis"],
        counts={task_title(task): tally for task, tally in content.outcome_counts.items()},
        losses=[asdict(loss) | {"task": task_title(loss.task)} for loss in content.losses],
        consistency=content.consistency,
        facts=_facts(content.manifest),
    )


def _rqi(content: Content) -> dict[str, float]:
    """Return the mean of each component, then of each penalty."""
    # Components come with the primary metric of the reports alone.
    parts = next((s.parts for s in content.scores if s.primary and content.kind_of(s.task) == "report"), {})
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
    """Return the test of a score against its floor: its result, the difference and p; empty without a test."""
    test = score.floor_test
    # Secondary metrics are not tested: each test would cost the others power.
    if test is None or test.p_adjusted is None:
        return ""
    return f"{'yes' if is_above_floor(score) else 'no'}: {test.difference:+.3g}, p = {test.p_adjusted:.2g}"


def _histogram(name: str, errors: list[float]) -> dict[str, str]:
    median = statistics.median(errors)
    summary = f"{len(errors)} answered; median {median:+.1f} s, mean {statistics.fmean(errors):+.1f} s"
    return {"title": name, "summary": summary, "svg": histogram(name, errors)}


def _facts(manifest: Mapping[str, Any]) -> dict[str, str]:
    # An interrupted run has no environment yet.
    run, versions = manifest["run"], manifest.get("environment", {}).get("versions", {})
    facts = {
        "model": run["model"]["name"],
        "weights": " ".join(str(run["model"][key]) for key in ("weights", "revision") if run["model"][key]),
        "options": ", ".join(f"{k}={v}" for k, v in run["options"].items()) or "–",
        "data set": f"{run['dataset']['name']} {run['dataset']['version']}, {run['dataset']['fingerprint'][:16]}",
        "requests": f"{manifest.get('requests', '–')}, {manifest.get('failed', '–')} failed",
        "tokens": ", ".join(f"{n:,} {kind}" for kind, n in manifest.get("tokens", {}).items() if n),
        "seconds": str(manifest.get("seconds", "–")),
        "eyes and ears": describe_check(manifest),
        "frames shown (digest)": str(manifest.get("media_sha256", "–"))[:16],
        "plugins": ", ".join(f"{name} {version}" for name, version in run["plugins"].items()),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    # A baseline has no weights or tokens to list.
    return {name: value for name, value in facts.items() if value}
