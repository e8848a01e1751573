"""``s3harness train``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import count, identifier_options, json_option, print_json
from s3harness.cli.train_model import grpo, sft, warmup
from s3harness.cli.train_plan import plan
from s3harness.cli.train_report import report
from s3harness.cli.training_options import (
    REWARD_NAMES,
    check_authors,
    exit_if_refused,
    gate_report,
    new_folder,
    passed_gate,
    protocol_of,
    reward_options,
    rewards_of,
    set_options,
    training_set_of,
)

if TYPE_CHECKING:
    from s3harness.training.training_set import TrainingSet


@click.group()
def train() -> None:
    """Train a model on annotations, or by rewards made of metrics, which must pass a gate.

    Prompts, sampling and answer formats are those of the evaluation. Held-out patients are in no training set.
    """


@train.command()
@set_options
@click.option(
    "--protocol", default="strict", show_default=True, help="Prompts and sampling: strict, or paper (the authors')."
)
@json_option
def data(*, as_json: bool, **arguments: Any) -> None:
    """Show the training set: samples by task, patients, and the items left out with the reason."""
    from s3harness.report.training import print_summary, summary

    overview = summary(training_set_of(arguments))
    if as_json:
        print_json(overview)
    else:
        print_summary(overview)


@train.command()
@set_options
@click.option("--protocol", help="Prompts and sampling: strict or paper; default: strict, for --rewards authors paper.")
@click.option(
    "--rewards",
    default="strict",
    show_default=True,
    metavar="NAME[=WEIGHT],…",
    help=f"Rewards to test: {REWARD_NAMES}.",
)
@click.option("--all", "every", is_flag=True, help="Show every candidate answer, not only the three best paid.")
@json_option
def gate(*, rewards: str, protocol: str | None, every: bool, as_json: bool, **arguments: Any) -> None:
    """Score worthless answers by each reward, on the training samples.

    A reward that pays any of them 80 % or more of what it pays the truth is refused, and the exit code is 1. strict
    stands for the tasks' primary metrics, paper for the measures of the published training, authors for the formulas of
    its code; format and length are tested in the sum of a task's rewards.
    """
    from s3harness.report.training import print_gate
    from s3harness.training.gate import gate_as_json

    training_set = training_set_of({**arguments, "protocol": protocol_of(protocol, rewards)})
    payments = gate_report(rewards_of(rewards, training_set), training_set)
    if as_json:
        print_json(gate_as_json(payments))
    else:
        print_gate(payments, every=every)
    exit_if_refused(payments)


@train.command()
@set_options
@click.option("--protocol", help="Prompts and sampling: strict or paper; default: strict, for --rewards authors paper.")
@click.option("--format", "form", type=click.Choice(["ms-swift", "trl"]), required=True, help="Format of the rows.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write, new or empty.")
@reward_options
@click.option(
    "--media", type=click.Choice(["frames", "mp4"]), help="Also write the clips in this form; default: only name them."
)
@click.option("--cache", "cache_dir", type=click.Path(path_type=Path), help="Cache directory for decoded frames.")
@identifier_options
def export(*, form: str, out: Path, rewards: str, media: str | None, cache_dir: Path | None, **arguments: Any) -> None:
    """Write a training set for another trainer: sft.jsonl, grpo.jsonl, the rewards and the run card.

    For ms-swift it also writes a reward plugin, which needs s3harness installed beside ms-swift, and the scripts sft.sh
    and grpo.sh with the settings of the published training. Paths in the rows are
    relative: train in the folder. The rewards must pass the gate. Clips are written only with --media; they show the
    patients.
    """
    from s3harness.guard.outgoing_check import Consent
    from s3harness.training.card import write_card
    from s3harness.training.export import FORMATS, check_media, write_rewards, write_rows
    from s3harness.training.identifiers import check_training

    accept_collapse = arguments.pop("accept_collapse")
    check_authors(rewards, accept_collapse=accept_collapse)
    check_media(form, media or FORMATS[form])
    consent = Consent(arguments.pop("allow_identifiers"), arguments.pop("reviewed"))
    training_set = training_set_of({**arguments, "protocol": protocol_of(arguments["protocol"], rewards)})
    # Every check before the first file, so that a refusal leaves no half-written folder.
    identifiers = check_training(arguments["data"], training_set, consent)
    chosen = rewards_of(rewards, training_set)
    passed_gate(chosen, training_set, accept_collapse=accept_collapse)
    new_folder(out)
    write_rows(out, training_set, form, media or FORMATS[form])
    write_rewards(out, chosen, form)
    write_card(out, arguments["data"], training_set, chosen, **({"identifiers": identifiers} if identifiers else {}))
    clips = _write_media(out, training_set, media, cache_dir) if media else 0
    samples = count(len(training_set.samples), "sample")
    click.echo(f"{samples} and {count(clips, 'clip') if clips else 'no clips'} written to {out}")
    if not media:
        click.echo("the clips that the rows name were not written; add --media to write them", err=True)


def _write_media(out: Path, training_set: TrainingSet, media: str, cache_dir: Path | None) -> int:
    from s3harness.media.options import MediaOptions
    from s3harness.run.worker_spec import media_store
    from s3harness.training.media import write_media

    def done(clips: int) -> None:
        # A carriage return updates the line of a terminal, and would fill a log file.
        if sys.stderr.isatty():
            click.echo(f"\r{clips} clips", err=True, nl=False)

    return write_media(out, training_set, media, media_store(cache_dir, None, MediaOptions()), done)


for _command in (plan, warmup, sft, grpo, report):
    train.add_command(_command)
