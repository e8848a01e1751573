"""``s3harness train``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import identifier_options, json_option, print_json
from s3harness.cli.train_model import grpo, sft, warmup
from s3harness.cli.training_options import (
    chosen_rewards,
    end_if_refused,
    examined,
    made_of,
    metric_rewards_of,
    new_folder,
    set_options,
)

if TYPE_CHECKING:
    from s3harness.training.samples import TrainingSet


@click.group()
def train() -> None:
    """Training sets from annotations, rewards from metrics, and the gate that rewards must pass.

    The prompts, samplers and answers are those of the evaluation. Patients held out are in no training set.
    """


@train.command()
@set_options
@click.option("--protocol", default="strict", show_default=True, help="What is asked: strict, or paper as the authors.")
@json_option
def data(*, as_json: bool, **said: Any) -> None:
    """Show what a model would be trained on: samples by task, patients, what is left out and why."""
    from s3harness.report.training import print_summary, summary

    told = summary(made_of(said))
    if as_json:
        print_json(told)
    else:
        print_summary(told)


@train.command()
@set_options
@click.option("--protocol", help="strict, or paper as the authors; paper for the authors' rewards if absent.")
@click.option(
    "--rewards", default="strict", show_default=True, metavar="strict|authors|NAME=WEIGHT,…", help="What is examined."
)
@click.option("--all", "every", is_flag=True, help="Every candidate, not only the three that are paid best.")
@json_option
def gate(*, rewards: str, protocol: str | None, every: bool, as_json: bool, **said: Any) -> None:
    """Score answers that deserve nothing by each reward, on the training samples.

    A reward that pays any of them 80 % or more of what it pays the truth is refused, and the exit code is 1. strict
    are the tasks' primary metrics, authors the formulas of the published training; NAME is any metric of a task, or
    TASK:METRIC.
    """
    from s3harness.report.training import gate_as_json, print_gate
    from s3harness.training.gate import LIMIT

    made = made_of({**said, "protocol": protocol or ("paper" if rewards == "authors" else "strict")})
    report = examined(chosen_rewards(rewards, made), made)
    if as_json:
        print_json(gate_as_json(report, LIMIT))
    else:
        print_gate(report, every=every)
    end_if_refused(report)


@train.command()
@set_options
@click.option("--protocol", default="strict", show_default=True, help="What is asked: strict, or paper as the authors.")
@click.option("--format", "form", type=click.Choice(["ms-swift", "trl"]), required=True, help="Whose rows.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new or empty folder.")
@click.option(
    "--rewards",
    default="strict",
    show_default=True,
    metavar="strict|NAME=WEIGHT,…",
    help="Metrics to export as rewards.",
)
@click.option(
    "--media", type=click.Choice(["frames", "mp4"]), help="Write the clips too, so; without it rows only name them."
)
@click.option("--cache", "cache_dir", type=click.Path(path_type=Path), help="Where decoded frames are kept.")
@identifier_options
def export(*, form: str, out: Path, rewards: str, media: str | None, cache_dir: Path | None, **said: Any) -> None:
    """Write a training set for another trainer: sft.jsonl, grpo.jsonl, the rewards and the run card.

    For ms-swift a reward plugin is written too, which needs s3harness installed beside ms-swift. Paths in the rows are
    relative: train in the folder. The rewards must pass the gate. Media are written with --media alone; they show the
    patients.
    """
    from s3harness.guard.outgoing import Consent
    from s3harness.training.card import write_card
    from s3harness.training.export import FORMATS, check_media, write_rewards, write_rows
    from s3harness.training.identifiers import check_training

    if rewards == "authors":
        raise click.BadParameter("the authors' rewards are there to be examined (train gate)", param_hint="--rewards")
    check_media(form, media or FORMATS[form])
    consent = Consent(said.pop("allow_identifiers"), said.pop("reviewed"))
    made = made_of(said)
    identifiers = check_training(said["data"], made, consent)
    chosen = metric_rewards_of(rewards, made)
    report = examined(chosen, made)
    if report.refused:
        from s3harness.report.training import print_gate

        print_gate(report, every=False)
        end_if_refused(report)
    new_folder(out)
    write_rows(out, made, form, media or FORMATS[form])
    write_rewards(out, chosen, form)
    write_card(out, said["data"], made, chosen, **({"identifiers": identifiers} if identifiers else {}))
    clips = _write_media(out, made, media, cache_dir) if media else 0
    click.echo(f"{len(made.samples)} samples and {clips or 'no'} clips written to {out}")
    if not media:
        click.echo("the rows name media that are not there; --media writes them", err=True)


def _write_media(out: Path, made: TrainingSet, media: str, cache_dir: Path | None) -> int:
    from s3harness.media.options import MediaOptions
    from s3harness.run.worker_spec import media_store
    from s3harness.training.media import write_media

    def done(clips: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{clips} clips", err=True, nl=False)

    return write_media(out, made, media, media_store(cache_dir, None, MediaOptions()), done)


for _command in (warmup, sft, grpo):
    train.add_command(_command)
