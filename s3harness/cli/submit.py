"""``s3harness submit``: pack a run, push it, export it in other forms."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from s3harness.cli.leaderboard import hub_options, hub_target
from s3harness.cli.options import count, json_option, print_json


@click.group()
def submit() -> None:
    """Share the raw answers of a run, for others to score: pack, push, export."""


@submit.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write; default: RUN-submission.")
@click.option("--data", type=click.Path(path_type=Path), help="Data set of the run, to search for its private words.")
@click.option("--submitter", default="", help="Submitter's name, as shown on the leaderboard.")
@click.option("--notes", default="", help="Notes for the leaderboard's readers.")
@click.option("--allow", "allowed", multiple=True, metavar="TEXT", help="Text that only looks like a leak; repeatable.")
@click.option(
    "--reviewed", default="", metavar="CODE", help="Confirm that the likely leaks are harmless, by their list's code."
)
@click.option(
    "--with-truth/--without-truth",
    default=None,
    help="Pack the annotations or not; default: only if the data set's licence is an open one.",
)
@click.option(
    "--open-weights/--closed-weights",
    default=None,
    help="Declare the weights open or closed; default: as on the model's card, else unknown.",
)
@json_option
def pack(run: Path, out: Path | None, data: Path | None, as_json: bool, **arguments: Any) -> None:
    """Pack the finished RUN into a folder that holds nothing private."""
    from s3harness.leaderboard.pack import About
    from s3harness.leaderboard.pack import pack as pack_run

    # Resolved, so that RUN may be "." or end in "..".
    out = out or run.with_name(f"{run.resolve().name}-submission")
    folder = pack_run(run, out, About(**arguments), data)
    if as_json:
        print_json({"folder": str(out), "truth": folder.about["truth"], "files": folder.about["files"]})
        return
    size = sum(map(len, folder.files.values())) / 1e6
    click.echo(
        f"{out}: {count(len(folder.files), 'file')}, {size:.1f} MB, no leak found; truth {folder.about['truth']}."
    )
    annotations = "" if folder.has_truth else f" --data {data or 'DIR'}"
    click.echo(f"Next: s3harness leaderboard verify {out}{annotations}")


@submit.command()
@click.argument("submission", type=click.Path(path_type=Path))
@click.option("--repo", required=True, metavar="OWNER/NAME", help="Data set repository that takes submissions.")
@click.option("--endpoint", help="Address of another Hub.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent, and send nothing.")
def push(submission: Path, repo: str, endpoint: str | None, dry_run: bool) -> None:
    """Open a pull request with the packed SUBMISSION on a data set repository of the Hub."""
    from s3harness.leaderboard.push import prepare
    from s3harness.leaderboard.push import push as push_files

    shipment = prepare(submission, repo, endpoint)
    for line in shipment.lines():
        click.echo(line)
    # The spellings that huggingface_hub accepts; it would refuse the upload with an error of its own.
    if dry_run or os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}:
        click.echo("Nothing was sent.")
        return
    click.echo(f"Sent: {push_files(shipment)}")


@submit.command()
@click.argument("submission", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write into.")
@hub_options
def export(submission: Path, out: Path, hub_dataset: str | None, hub_source: str | None) -> None:
    """Write the scores of the packed SUBMISSION in common formats.

    These are CSV, JSON, LaTeX, a section for a model card, and a record of Every Eval Ever, with every answered item if
    the submission holds its truth; with --hub-dataset and --hub-source also the Hub's .eval_results.
    """
    from s3harness.leaderboard.entries import entry_of
    from s3harness.leaderboard.exports import write_exports
    from s3harness.leaderboard.findings import RefusedError
    from s3harness.leaderboard.folder import read_folder
    from s3harness.leaderboard.leaks import find_leaks, search_of

    folder = read_folder(submission)
    # Searched again: the folder may have been changed since it was packed, and exports are made to be published.
    if leaks := find_leaks(folder, search_of(folder)):
        raise RefusedError(f"{submission} was not exported, because it holds private content", leaks)
    write_exports([entry_of(submission)], out, with_samples=True, hub=hub_target(hub_dataset, hub_source))
    click.echo(f"{out}: {count(sum(path.is_file() for path in out.rglob('*')), 'file')}")
    if not folder.has_truth:
        click.echo("Single items are not exported: which answers are right would reveal the withheld truth.")
