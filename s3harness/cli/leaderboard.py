"""``s3harness leaderboard``: verify submissions, check pull requests, build the pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from s3harness.cli.options import count, json_option, print_json
from s3harness.errors import UsageError

SHOWN = 20
"""The most findings that are printed; a submission of another data set has thousands, all alike."""

if TYPE_CHECKING:
    from s3harness.leaderboard.collect import Collected
    from s3harness.leaderboard.exports import HubTarget
    from s3harness.leaderboard.verdicts import Verdict

Command = TypeVar("Command", bound=Callable[..., Any])


def hub_options(command: Command) -> Command:
    """Add the two options that say where results on the Hub belong."""
    dataset = click.option(
        "--hub-dataset", metavar="OWNER/NAME", help="Benchmark data set on the Hub to write .eval_results for."
    )
    source = click.option("--hub-source", metavar="URL", help="Page that the results on the Hub refer to.")
    return dataset(source(command))


def hub_target(dataset: str | None, source: str | None) -> HubTarget | None:
    """Return where results on the Hub belong; ``None`` if neither is given, :class:`UsageError` if one is missing."""
    from s3harness.leaderboard.exports import HubTarget

    if dataset is None and source is None:
        return None
    if dataset is None or source is None:
        raise UsageError("results on the Hub need both --hub-dataset OWNER/NAME and --hub-source URL")
    return HubTarget(dataset, source)


@click.group()
def leaderboard() -> None:
    """Leaderboard: verify submissions, check pull requests, build the pages."""


@leaderboard.command()
@click.argument("submission", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Data set with the annotations; videos are not needed.")
@click.option(
    "--among",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of accepted submissions to compare the answers with; default: SUBMISSION's parent folder.",
)
@click.option("--record", is_flag=True, help="Write the verdict to a file beside the submission.")
@click.option(
    "--sign",
    "key",
    type=click.Path(path_type=Path),
    metavar="KEY",
    help="Sign the recorded verdict with this SSH key (ssh-keygen); unsigned verdicts are not ranked.",
)
@click.option(
    "--reviewed", default="", metavar="REASON", help="Accept what needs a review, for this reason, which is recorded."
)
@click.option("--reproduced", is_flag=True, help="Record that your own run gave the same answers.")
@json_option
def verify(
    submission: Path,
    data: Path | None,
    among: Path | None,
    record: bool,
    key: Path | None,
    reviewed: str,
    reproduced: bool,
    as_json: bool,
) -> None:
    """Check SUBMISSION and score its raw answers again; any difference rejects it and is printed with its place.

    The exit code is 1 if the submission is rejected, or if a maintainer has to review it: for answers like another
    submission's, a perfect score, answers without tokens, or a name like another's.
    """
    from s3harness.leaderboard.collect import answers_among
    from s3harness.leaderboard.verdicts import as_reproduced
    from s3harness.leaderboard.verdicts import write_verdict as write
    from s3harness.leaderboard.verify import verify as verify_folder

    if key is not None and not record:
        raise UsageError("--sign signs the verdict that --record writes: give both options")
    # A reproduction is judged by the maintainer's truth, never by that which the submitter packed.
    if reproduced and data is None:
        raise UsageError("--reproduced needs the data set's annotations: add --data DIR")
    # A replay of another entry is found by comparison with its neighbours.
    others = answers_among(among or submission.resolve().parent, submission)
    verdict = verify_folder(submission, data, others, reviewed)
    if reproduced:
        verdict = as_reproduced(verdict)
    written = write(submission, verdict, key) if record else None
    if as_json:
        print_json(
            asdict(verdict) | {"accepted": verdict.accepted, "needs_review": verdict.needs_review},
        )
    else:
        _print(verdict)
        if written:
            unsigned = "" if key else "; unsigned, so not ranked: use --sign KEY, or build with --data DIR"
            click.echo(f"recorded in {written}{unsigned}")
    if not verdict.accepted:
        click.get_current_context().exit(1)


def _print(verdict: Verdict) -> None:
    from s3harness.leaderboard.findings import printable

    # printable() everywhere: the texts are a stranger's, and may hold control characters.
    for note in verdict.notes:
        click.echo(printable(note))
    for finding in verdict.findings[:SHOWN]:
        click.echo(str(finding))
    if len(verdict.findings) > SHOWN:
        click.echo(f"… and {len(verdict.findings) - SHOWN} more (--json shows all)")
    for review in verdict.reviews:
        click.echo(f"review: {review}")
    for resemblance in verdict.resemblances:
        click.echo(printable(f"review: {resemblance}"))
        for item, mine, other in resemblance.pairs:
            click.echo(printable(f"    {item}"))
            click.echo(printable(f"      this one:  {mine}"))
            click.echo(printable(f"      the other: {other}"))
    if verdict.findings:
        click.echo(f"Rejected: {count(len(verdict.findings), 'finding')}.")
        return
    if verdict.needs_review:
        click.echo("Needs review: check the points above; if they are in order, verify again with --reviewed REASON.")
        return
    counts = f"{verdict.n_scores} scores of {verdict.n_items} items from {verdict.n_responses} raw answers"
    by = "the submission's own annotations" if verdict.tier == "claimed" else "the annotations in --data"
    click.echo(f"Accepted as {verdict.tier}: {counts} equal those computed here with {by}.")
    if verdict.tier == "claimed":
        click.echo("Claimed entries are not ranked; verify with the data set's own annotations: --data DIR.")


@leaderboard.command("check-pull-request")
@click.argument("base")
@click.argument("head")
@click.option(
    "--repository",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    help="Repository that holds both commits; default: the working directory.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder to write the submission into, as OUT/NAME, which must not exist.",
)
@json_option
def check_pull_request(base: str, head: str, repository: Path, out: Path, as_json: bool) -> None:
    """Extract the one new submission that merging the commit HEAD into the commit BASE would add.

    Nothing is checked out and no code of HEAD is run: its files are read from git's object store. A pull request is
    refused if it changes, renames or removes any file, adds anything but one new folder of plain files below
    submissions/, or is too large. The folder's path is printed.
    """
    from s3harness.leaderboard.pull_request import take_submission

    folder = take_submission(repository, base, head, out)
    print_json({"folder": str(folder), "name": folder.name}) if as_json else click.echo(folder)


@leaderboard.command()
@click.option(
    "--submissions",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("leaderboard/submissions"),
    show_default=True,
    help="Folder of submissions.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Data set whose annotations verify the submissions without a signed verdict now.",
)
@click.option(
    "--allowed-signers",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Maintainers' public keys (ssh-keygen's allowed_signers file), whose signed verdicts are accepted.",
)
@click.option(
    "--reviewed", multiple=True, metavar="NAME", help="Rank this submission although it needs a review; repeatable."
)
@click.option(
    "--published",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of tables that papers published; default: the benchmark's paper.",
)
@click.option(
    "--released",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Output of s3harness score-release --all --json, to list each released model.",
)
@click.option(
    "--samples",
    is_flag=True,
    help="Also export every answered item of submissions with truth (Every Eval Ever, JSON lines).",
)
@hub_options
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("site"), show_default=True, help="Folder of the pages."
)
def build(
    submissions: Path,
    data: Path | None,
    allowed_signers: Path | None,
    reviewed: tuple[str, ...],
    published: Path | None,
    released: Path | None,
    out: Path,
    **exports: Any,
) -> None:
    """Build the pages: plain files, for a static host or to open from the disk.

    Only verified submissions are ranked: those with a verdict that a maintainer signed (--allowed-signers), and those
    that this build verifies (--data). Others are listed as claimed, without a rank.
    """
    from s3harness.leaderboard.collect import collect
    from s3harness.leaderboard.entries import published as published_tables
    from s3harness.leaderboard.entries import released as released_entries
    from s3harness.leaderboard.site import build_site
    from s3harness.package_data import published_directory

    hub = hub_target(exports["hub_dataset"], exports["hub_source"])
    collected = collect(submissions, data, allowed_signers, reviewed)
    # The released models are no submissions, but scored from their raw answers like them.
    ranked = [*collected.ranked, *(released_entries(released) if released else ())]
    tables = published_tables(published or published_directory())
    index = build_site(ranked, tables, out, claimed=collected.claimed, with_samples=exports["samples"], hub=hub)
    _print_collected(collected, is_verifying=bool(data))
    click.echo(f"{index}: {len(ranked)} ranked {'entry' if len(ranked) == 1 else 'entries'}")


def _print_collected(collected: Collected, *, is_verifying: bool) -> None:
    for name, reason in collected.left_out.items():
        click.echo(f"left out: {name}: {reason}")
    names = ", ".join(entry.slug for entry in collected.claimed[:SHOWN])
    if names:
        remedy = "" if is_verifying else "; to rank them, verify them with --data DIR or --allowed-signers FILE"
        click.echo(f"claimed, not ranked: {names}{remedy}")
