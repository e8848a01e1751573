"""``s3harness submit``: pack a run, push it, export it in other forms."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from s3harness.cli.leaderboard import hub_options, hub_target
from s3harness.cli.options import json_option, print_json


@click.group()
def submit() -> None:
    """Share a run's raw answers, so that others can score them: pack, push, export."""


@submit.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Where the folder goes; RUN-submission if not said.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="The data set, for an exact search for its private words."
)
@click.option("--submitter", default="", help="Who submits, as the leaderboard shows it.")
@click.option("--notes", default="", help="What readers should know.")
@click.option(
    "--allow", "allowed", multiple=True, metavar="TEXT", help="A piece of text that only looks like a leak. Repeatable."
)
@click.option("--reviewed", default="", metavar="CODE", help="The code of the list of likely leaks that you looked at.")
@click.option(
    "--with-truth/--without-truth",
    default=None,
    help="Pack the annotations too. If not said: where the data set's licence is an open one.",
)
@click.option(
    "--open-weights/--closed-weights",
    default=None,
    help="Whether anybody can have the weights. If not said: as the model's card says; unknown without one.",
)
@json_option
def pack(run: Path, out: Path | None, data: Path | None, as_json: bool, **said: Any) -> None:
    """Pack the finished RUN into a folder without anything private."""
    from s3harness.leaderboard.pack import About
    from s3harness.leaderboard.pack import pack as pack_run

    out = out or run.with_name(f"{run.resolve().name}-submission")
    folder = pack_run(run, out, About(**said), data)
    if as_json:
        print_json({"folder": str(out), "truth": folder.about["truth"], "files": folder.about["files"]})
        return
    size = sum(map(len, folder.files.values())) / 1e6
    click.echo(f"{out}: {len(folder.files)} files, {size:.1f} MB, no leak found; truth {folder.about['truth']}.")
    annotations = "" if folder.has_truth else f" --data {data or 'DIR'}"
    click.echo(f"Next: s3harness leaderboard verify {out}{annotations}")


@submit.command()
@click.argument("submission", type=click.Path(path_type=Path))
@click.option("--repo", required=True, metavar="OWNER/NAME", help="The data set repository that takes submissions.")
@click.option("--endpoint", help="The Hub's address, if it is another one.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
def push(submission: Path, repo: str, endpoint: str | None, dry_run: bool) -> None:
    """Open a pull request with the packed SUBMISSION on a data set repository of the Hub."""
    from s3harness.leaderboard.push import prepare
    from s3harness.leaderboard.push import push as push_files

    shipment = prepare(submission, repo, endpoint)
    for line in shipment.lines():
        click.echo(line)
    if dry_run or os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}:
        click.echo("Nothing was sent.")
        return
    click.echo(f"Sent: {push_files(shipment)}")


@submit.command()
@click.argument("submission", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder to write into."
)
@hub_options
def export(submission: Path, out: Path, hub_dataset: str | None, hub_source: str | None) -> None:
    """Write the packed SUBMISSION's scores in the forms that others read.

    CSV, JSON, LaTeX, a section for a model card, and a record of Every Eval Ever, with every answered item if the
    submission holds its truth. With --hub-dataset and --hub-source also the Hub's .eval_results.
    """
    from s3harness.leaderboard.entries import entry_of
    from s3harness.leaderboard.exports import write_exports
    from s3harness.leaderboard.findings import RefusedError
    from s3harness.leaderboard.folder import read_folder
    from s3harness.leaderboard.leaks import find_leaks, search_of

    folder = read_folder(submission)
    if leaks := find_leaks(folder, search_of(folder)):
        raise RefusedError(f"{submission} is not exported", leaks)
    write_exports([entry_of(submission)], out, with_samples=True, hub=hub_target(hub_dataset, hub_source))
    click.echo(f"{out}: {sum(path.is_file() for path in out.rglob('*'))} files")
    if not folder.has_truth:
        click.echo("Without items: the truth is withheld, and would be known from which answers are right.")
