"""``s3harness read``: the exam. A person answers what a model is asked, as a run like any other."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

import s3harness

MANIFEST = "manifest.json"


@click.command()
@click.argument("data", type=click.Path(path_type=Path, file_okay=False))
@click.option("--reader", required=True, metavar="NAME", help="The reader's name or pseudonym; it names the run.")
@click.option("--tasks", default="", metavar="TASK,…", help="Tasks, by name or number; default: all.")
@click.option("--split", help="Use only the videos of this split.")
@click.option("--protocol", default="strict", show_default=True, help="Prompts and sampling, as in s3harness run.")
@click.option("--transform", "transforms", multiple=True, metavar="NAME", help="Transform applied to every clip.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Ask N items drawn at random.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of sample and order.")
@click.option(
    "--assisted",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="RUN",
    help="After each answer show that of this model's run, and take a second one.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Run directory; default: runs/reader-NAME.")
@click.option("--cache", type=click.Path(path_type=Path), help="The directory for decoded frames.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port; a free one by default.")
def read(data: Path, reader: str, out: Path | None, assisted: Path | None, **arguments: Any) -> None:
    """Have a person answer the questions of the data set DATA in a browser, and score the answers as a model's.

    The reader sees the clips and the prompts that a model gets, in an order drawn by the seed. An answer is journalled
    when it is given and cannot be changed. The same command goes on where the reader stopped.

    With --assisted each question is asked a second time once the reader's own answer is locked, with that answer and
    the model's shown. The second answers are a run of their own in OUT-aided; s3harness compare OUT OUT-aided is then
    unaided against aided, paired. A model's answers teach: for readings that do not influence each other take the exam
    alone first, and run the same command with --assisted later.
    """
    if not re.fullmatch(r"[\w.-]{1,40}", reader, re.ASCII):
        raise click.BadParameter("up to 40 letters, digits, dots, dashes and underscores", param_hint="--reader")
    out = out or Path("runs") / f"reader-{reader}"
    shown, model = dict[str, str](), ""
    if assisted is not None:
        # Before the first question: whoever misspelt the model's run learns it now.
        model = str(s3harness.read_manifest(assisted)["run"]["model"]["name"])
        shown = {"own": str(out), "advice": str(assisted)}
    failed = sit(_exam(data, reader, out, shown, arguments))
    if assisted is not None:
        aided = out.with_name(f"{out.name}-aided")
        failed += sit(_exam(data, reader, aided, shown, arguments, model))
    sys.exit(1 if failed else 0)


def _exam(
    data: Path, reader: str, out: Path, shown: Mapping[str, str], arguments: Mapping[str, Any], model: str = ""
) -> s3harness.PreparedRun:
    """Prepare an exam; ``shown`` are the runs whose answers it shows, ``model`` names the model of an aided one."""
    sample, seed = arguments["sample"], arguments["seed"]
    settings = s3harness.RunSettings(
        backend="human_reader",
        data=data,
        out=out,
        tasks=[name.strip() for name in arguments["tasks"].split(",") if name.strip()],
        split=arguments["split"],
        protocol=arguments["protocol"],
        transforms=arguments["transforms"],
        # Whoever pauses goes on by the same command.
        resume=(out / MANIFEST).exists(),
        sample=s3harness.ItemSample(sample, seed) if sample else None,
        options={"reader": reader, "seed": seed} | ({"assisted": model} if model else {}),
        executor="reading_room",
        executor_options={"port": arguments["port"], **shown},
        cache_dir=arguments["cache"],
    )
    return named(s3harness.prepare(settings), f"reader-{reader}", is_aided=bool(model))


def named(prepared: s3harness.PreparedRun, name: str, *, is_aided: bool) -> s3harness.PreparedRun:
    """Return a run whose model is called by a reader's name; the family tells those who saw a model's answers."""
    family = s3harness.AIDED_READER if is_aided else s3harness.READER
    card = replace(prepared.plan.model, name=f"{name}-aided" if is_aided else name, family=family)
    plan = replace(prepared.plan, model=card)
    return replace(prepared, plan=plan, identity=replace(prepared.identity, model=card))


def sit(prepared: s3harness.PreparedRun) -> int:
    """Run an exam to its end or its pause, print the scores, and return the number of questions that failed."""
    out = prepared.settings.out
    try:
        with s3harness.shown_progress() as progress:
            outcome = s3harness.execute(prepared, progress)
    except KeyboardInterrupt:
        click.echo(f"paused; all answers are in {out}, and the same command goes on", err=True)
        raise
    s3harness.print_scores(outcome.scores, changes=f"The reader took {minutes_per_video(out):.1f} minutes per video.")
    click.echo(f"run directory: {out}")
    return outcome.failed


def minutes_per_video(run: Path) -> float:
    """Return the mean minutes that a reader took for a video, without pauses."""
    seconds: dict[str, float] = {}
    for entry in s3harness.read_journal(run / "responses.jsonl"):
        seconds[entry.clip.video_id] = seconds.get(entry.clip.video_id, 0.0) + (entry.response.latency_s or 0.0)
    return sum(seconds.values()) / max(1, len(seconds)) / 60
