"""``s3harness train``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import count, identifier_options, json_option, print_json
from s3harness.cli.train_model import grpo, sft, warmup
from s3harness.cli.training_options import (
    AUTHORS_ONLY_IN_GATE,
    chosen_rewards,
    exit_if_refused,
    gate_report,
    metric_rewards_of,
    new_folder,
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
    "--rewards", default="strict", show_default=True, metavar="strict|authors|NAME=WEIGHT,…", help="Rewards to test."
)
@click.option("--all", "every", is_flag=True, help="Show every candidate answer, not only the three best paid.")
@json_option
def gate(*, rewards: str, protocol: str | None, every: bool, as_json: bool, **arguments: Any) -> None:
    """Score worthless answers by each reward, on the training samples.

    A reward that pays any of them 80 % or more of what it pays the truth is refused, and the exit code is 1. strict
    stands for the tasks' primary metrics, authors for the formulas of the published training; NAME is any metric of a
    task, or TASK:METRIC.
    """
    from s3harness.report.training import gate_as_json, print_gate
    from s3harness.training.gate import LIMIT

    # The authors' formulas parse the answers that the authors' prompts ask for.
    protocol = protocol or ("paper" if rewards == "authors" else "strict")
    training_set = training_set_of({**arguments, "protocol": protocol})
    report = gate_report(chosen_rewards(rewards, training_set), training_set)
    if as_json:
        print_json(gate_as_json(report, LIMIT))
    else:
        print_gate(report, every=every)
    exit_if_refused(report)


@train.command()
@set_options
@click.option(
    "--protocol", default="strict", show_default=True, help="Prompts and sampling: strict, or paper (the authors')."
)
@click.option("--format", "form", type=click.Choice(["ms-swift", "trl"]), required=True, help="Format of the rows.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write, new or empty.")
@click.option(
    "--rewards",
    default="strict",
    show_default=True,
    metavar="strict|NAME=WEIGHT,…",
    help="Metrics to export as rewards.",
)
@click.option(
    "--media", type=click.Choice(["frames", "mp4"]), help="Also write the clips in this form; default: only name them."
)
@click.option("--cache", "cache_dir", type=click.Path(path_type=Path), help="Cache directory for decoded frames.")
@identifier_options
def export(*, form: str, out: Path, rewards: str, media: str | None, cache_dir: Path | None, **arguments: Any) -> None:
    """Write a training set for another trainer: sft.jsonl, grpo.jsonl, the rewards and the run card.

    For ms-swift it also writes a reward plugin, which needs s3harness installed beside ms-swift. Paths in the rows are
    relative: train in the folder. The rewards must pass the gate. Clips are written only with --media; they show the
    patients.
    """
    from s3harness.guard.outgoing_check import Consent
    from s3harness.training.card import write_card
    from s3harness.training.export import FORMATS, check_media, write_rewards, write_rows
    from s3harness.training.identifiers import check_training

    if rewards == "authors":
        raise click.BadParameter(AUTHORS_ONLY_IN_GATE, param_hint="--rewards")
    check_media(form, media or FORMATS[form])
    consent = Consent(arguments.pop("allow_identifiers"), arguments.pop("reviewed"))
    training_set = training_set_of(arguments)
    # Every check before the first file, so that a refusal leaves no half-written folder.
    identifiers = check_training(arguments["data"], training_set, consent)
    chosen = metric_rewards_of(rewards, training_set)
    report = gate_report(chosen, training_set)
    if report.refused:
        from s3harness.report.training import print_gate

        print_gate(report, every=False)
        exit_if_refused(report)
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


for _command in (warmup, sft, grpo):
    train.add_command(_command)
