"""``s3harness train``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import default_data, json_option, print_json, split_names

if TYPE_CHECKING:
    from s3harness.training.gate import GateReport
    from s3harness.training.rewards import MetricReward, Reward
    from s3harness.training.samples import SetSettings, TrainingSet


@click.group()
def train() -> None:
    """Training sets from annotations, rewards from metrics, and the gate that rewards must pass.

    The prompts, samplers and answers are those of the evaluation. Patients held out are in no training set.
    """


def set_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say what is trained on."""
    options = (
        click.option(
            "--data",
            type=click.Path(path_type=Path),
            default=default_data,
            show_default="$S3HARNESS_DATA or ./data",
            help="The data set directory; its videos need not be there.",
        ),
        click.option("--tasks", help="Comma-separated tasks, by name or number; all seven if absent."),
        click.option("--model", help="The card of the model to train: whether it hears. It only sees if absent."),
        click.option("--split", help="Train on the patients of this split; on all but those held out if absent."),
        click.option(
            "--held-out", type=float, default=0.2, show_default=True, help="Share of the patients that is held out."
        ),
        click.option("--seed", type=int, default=0, show_default=True),
        click.option(
            "--jitters",
            type=click.IntRange(1, 100),
            default=1,
            show_default=True,
            help="Places at which a clip around a moment is cut.",
        ),
        click.option(
            "--mirror/--no-mirror", default=True, show_default=True, help="Add mirror images, sides exchanged."
        ),
        click.option(
            "--balance",
            default="repeat",
            show_default=True,
            help="Every answer equally common: repeat the rarer, drop of the commoner, or none.",
        ),
        click.option("--leave-out-constant", is_flag=True, help="Leave out questions that have only one answer here."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@train.command()
@set_options
@click.option("--protocol", default="strict", show_default=True, help="What is asked: strict, or paper as the authors.")
@json_option
def data(*, as_json: bool, **said: Any) -> None:
    """Show what a model would be trained on: samples by task, patients, what is left out and why."""
    from s3harness.report.training import print_summary, summary

    told = summary(_made(said))
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

    made = _made({**said, "protocol": protocol or ("paper" if rewards == "authors" else "strict")})
    report = _examined(_rewards(rewards, made), made)
    if as_json:
        print_json(gate_as_json(report, LIMIT))
    else:
        print_gate(report, every=every)
    _end(report)


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
def export(*, form: str, out: Path, rewards: str, media: str | None, cache_dir: Path | None, **said: Any) -> None:
    """Write a training set for another trainer: sft.jsonl, grpo.jsonl, the rewards and the run card.

    For ms-swift a reward plugin is written too, which needs s3harness installed beside ms-swift. Paths in the rows are
    relative: train in the folder. The rewards must pass the gate. Media are written with --media alone; they show the
    patients.
    """
    from s3harness.training.card import write_card
    from s3harness.training.export import FORMATS, check_media, write_rewards, write_rows

    if rewards == "authors":
        raise click.BadParameter("the authors' rewards are there to be examined (train gate)", param_hint="--rewards")
    check_media(form, media or FORMATS[form])
    made = _made(said)
    chosen = _metric_rewards(rewards, made)
    report = _examined(chosen, made)
    if report.refused:
        from s3harness.report.training import print_gate

        print_gate(report, every=False)
        _end(report)
    _new_folder(out)
    write_rows(out, made, form, media or FORMATS[form])
    write_rewards(out, chosen, form)
    write_card(out, said["data"], made, chosen)
    clips = _write_media(out, made, media, cache_dir) if media else 0
    click.echo(f"{len(made.samples)} samples and {clips or 'no'} clips written to {out}")
    if not media:
        click.echo("the rows name media that are not there; --media writes them", err=True)


def _made(said: dict[str, Any]) -> TrainingSet:
    from s3harness.training.samples import build_training_set

    return build_training_set(said["data"], settings_of(said))


def settings_of(said: dict[str, Any]) -> SetSettings:
    """The settings of a training set that the options say."""
    from s3harness.training.samples import SetSettings

    named = {name: value for name, value in said.items() if name != "data"}
    return SetSettings(**{**named, "tasks": tuple(split_names(said["tasks"]))})


def _rewards(text: str, made: TrainingSet) -> Sequence[Reward]:
    if text == "authors":
        from s3harness.training.authors import authors_rewards

        return [reward for reward in authors_rewards(made.specs) if made.of_task(reward.task)]
    return _metric_rewards(text, made)


def _metric_rewards(text: str, made: TrainingSet) -> Sequence[MetricReward]:
    """The rewards of metrics, their floors fitted; a preset is of those tasks alone that have samples."""
    from s3harness.training.gate import fitted
    from s3harness.training.rewards import metric_rewards, strict_rewards

    if text == "strict":
        return fitted([reward for reward in strict_rewards(made.specs) if made.of_task(reward.task)], made)
    return fitted(metric_rewards(made.specs, _weights(text)), made)


def _weights(text: str) -> dict[str, float]:
    weights = {}
    for pair in split_names(text):
        name, equals, weight = pair.partition("=")
        try:
            weights[name] = float(weight) if equals else 1.0
        except ValueError as error:
            raise click.BadParameter(f"{pair!r} is not NAME=WEIGHT", param_hint="--rewards") from error
    if not weights:
        raise click.BadParameter("no reward is named", param_hint="--rewards")
    return weights


def _examined(rewards: Sequence[Reward], made: TrainingSet) -> GateReport:
    from s3harness.training.gate import examine

    return examine(rewards, made)


def _end(report: GateReport) -> None:
    """Exit code 1, and why, if a reward is refused."""
    if report.refused:
        names = ", ".join(report.refused)
        click.echo(
            f"s3harness: refused: {names}; answers that deserve nothing are paid 80 % of the truth, or more", err=True
        )
        sys.exit(1)


def _new_folder(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise click.BadParameter(f"{out} is there already and not empty; choose another", param_hint="--out")
    out.mkdir(parents=True, exist_ok=True)


def _write_media(out: Path, made: TrainingSet, media: str, cache_dir: Path | None) -> int:
    from s3harness.media.options import MediaOptions
    from s3harness.run.recipe import media_store
    from s3harness.training.media import write_media

    def done(clips: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{clips} clips", err=True, nl=False)

    return write_media(out, made, media, media_store(cache_dir, None, MediaOptions()), done)
