"""Options of the commands that train or prepare to, and what comes of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import default_data, parse_options, split_names

if TYPE_CHECKING:
    from s3harness.training.gate import GateReport
    from s3harness.training.rewards import MetricReward, Reward
    from s3harness.training.samples import SetSettings, TrainingSet


def set_options(command: Callable[..., None], *, card: str = "--model") -> Callable[..., None]:
    """Give a command the options that say what is trained on; ``card`` is what names the model's card."""
    options = (
        click.option(
            "--data",
            type=click.Path(path_type=Path),
            default=default_data,
            show_default="$S3HARNESS_DATA or ./data",
            help="The data set directory; its videos need not be there.",
        ),
        click.option("--tasks", help="Comma-separated tasks, by name or number; all seven if absent."),
        click.option(card, "model", help="The card of the model to train: whether it hears. It only sees if absent."),
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
        click.option(
            "--sampling",
            multiple=True,
            metavar="KEY=VALUE",
            help="Sample otherwise: fps, window_s, max_frames, …; say the same when you run. Repeatable.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def made_of(said: dict[str, Any]) -> TrainingSet:
    """The training set that the options of :func:`set_options` say."""
    from s3harness.training.samples import build_training_set

    return build_training_set(said["data"], settings_of(said))


def settings_of(said: dict[str, Any]) -> SetSettings:
    """The settings of a training set that the options say."""
    from s3harness.training.samples import SetSettings

    named = {name: value for name, value in said.items() if name != "data"}
    named["sampling"] = parse_options(said["sampling"], "--sampling")
    return SetSettings(**{**named, "tasks": tuple(split_names(said["tasks"]))})


def chosen_rewards(text: str, made: TrainingSet) -> Sequence[Reward]:
    """The rewards that ``--rewards`` says: strict, authors, or metrics by name with weights."""
    if text == "authors":
        from s3harness.training.paper_rewards import authors_rewards

        return [reward for reward in authors_rewards(made.specs) if made.of_task(reward.task)]
    return metric_rewards_of(text, made)


def metric_rewards_of(text: str, made: TrainingSet) -> Sequence[MetricReward]:
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


def examined(rewards: Sequence[Reward], made: TrainingSet) -> GateReport:
    """What the gate makes of them."""
    from s3harness.training.gate import examine

    return examine(rewards, made)


def end_if_refused(report: GateReport) -> None:
    """Exit code 1, and why, if a reward is refused."""
    if report.refused:
        names = ", ".join(report.refused)
        click.echo(
            f"s3harness: refused: {names}; answers that deserve nothing are paid 80 % of the truth, or more", err=True
        )
        sys.exit(1)


def new_folder(out: Path) -> None:
    """Make the folder, which must be new or empty."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise click.BadParameter(f"{out} is there already and not empty; choose another", param_hint="--out")
    out.mkdir(parents=True, exist_ok=True)
