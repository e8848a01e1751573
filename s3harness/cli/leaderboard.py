"""``s3harness leaderboard``: verify submissions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from s3harness.cli.options import json_option, print_json

SHOWN = 20

if TYPE_CHECKING:
    from s3harness.leaderboard.verify import Verdict


@click.group()
def leaderboard() -> None:
    """The leaderboard: verify what was submitted, build the pages."""


@leaderboard.command()
@click.argument("submission", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="The data set's annotations; videos are not needed.")
@click.option(
    "--among",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of accepted submissions, which this one may repeat; the folder around it if not said.",
)
@click.option("--record", is_flag=True, help="Keep the verdict beside the submission, where the pages find its tier.")
@json_option
def verify(submission: Path, data: Path | None, among: Path | None, record: bool, as_json: bool) -> None:
    """Check SUBMISSION and score its raw answers again; any difference is a rejection that says where."""
    from s3harness.leaderboard.entries import write_verdict
    from s3harness.leaderboard.folder import SUBMISSION as ABOUT
    from s3harness.leaderboard.verify import verify as verify_folder

    around = among or submission.resolve().parent
    others = [path.parent for path in sorted(around.glob(f"*/{ABOUT}"))]
    verdict = verify_folder(submission, data, others)
    if record:
        write_verdict(submission, verdict)
    if as_json:
        print_json(asdict(verdict) | {"accepted": verdict.accepted})
    else:
        _print(verdict)
    if not verdict.accepted:
        click.get_current_context().exit(1)


def _print(verdict: Verdict) -> None:
    for note in verdict.notes:
        click.echo(note)
    for finding in verdict.findings[:SHOWN]:
        click.echo(str(finding))
    if len(verdict.findings) > SHOWN:
        click.echo(f"… and {len(verdict.findings) - SHOWN} more (--json shows all)")
    if verdict.findings:
        click.echo(f"Rejected: {len(verdict.findings)} findings.")
        return
    counts = f"{verdict.n_scores} scores of {verdict.n_items} items from {verdict.n_responses} raw answers"
    by = "the annotations given" if verdict.tier == "re-scored" else "the submission's own annotations"
    click.echo(f"Accepted as {verdict.tier}: {counts}, the same again by {by}.")


@leaderboard.command()
@click.option(
    "--submissions",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("leaderboard/submissions"),
    show_default=True,
    help="The folder of accepted submissions.",
)
@click.option(
    "--published",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of tables that papers published; the benchmark's own paper if not said.",
)
@click.option(
    "--released",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What s3harness score-release --all --json printed: an entry for each released model.",
)
@click.option(
    "--samples",
    is_flag=True,
    help="Export every answered item, too, of submissions that hold their truth (Every Eval Ever, JSON lines).",
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("site"), show_default=True, help="The pages' folder."
)
def build(submissions: Path, published: Path | None, released: Path | None, samples: bool, out: Path) -> None:
    """Build the pages: plain files, for a static host or to open from the disk."""
    from s3harness.leaderboard.entries import published as published_tables
    from s3harness.leaderboard.entries import published_directory, rejected, submitted
    from s3harness.leaderboard.entries import released as released_entries
    from s3harness.leaderboard.site import build_site

    entries = [*submitted(submissions), *(released_entries(released) if released else ())]
    tables = published_tables(published or published_directory())
    index = build_site(entries, tables, out, with_samples=samples)
    for name in rejected(submissions):
        click.echo(f"left out, for it was rejected: {name}")
    click.echo(f"{index}: {len(entries)} {'entry' if len(entries) == 1 else 'entries'}")
