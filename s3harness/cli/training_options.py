"""Options of the training commands, and the training sets and rewards that they select."""

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
    from s3harness.training.training_set import SetSettings, TrainingSet


AUTHORS_ONLY_IN_GATE = "the authors' rewards can only be tested, with train gate; name strict or metrics"


def set_options(command: Callable[..., None], *, card: str = "--model") -> Callable[..., None]:
    """Add the options of a training set; ``card`` is the option that names the model's card."""
    options = (
        click.option(
            "--data",
            type=click.Path(path_type=Path),
            default=default_data,
            show_default="$S3HARNESS_DATA or ./data",
            help="Data set directory; its videos may be absent.",
        ),
        click.option("--tasks", help="Comma-separated tasks, by name or number; default: all seven."),
        click.option(card, "model", help="Card of the model to train, for its modalities; default: video alone."),
        click.option("--split", help="Train on the patients of this split; default: on all but the held-out ones."),
        click.option("--held-out", type=float, default=0.2, show_default=True, help="Share of the patients held out."),
        click.option("--seed", type=int, default=0, show_default=True, help="Seed of all random choices."),
        click.option(
            "--jitters",
            type=click.IntRange(1, 100),
            default=1,
            show_default=True,
            help="Number of positions at which the clip around an onset or offset is cut.",
        ),
        click.option(
            "--mirror/--no-mirror", default=True, show_default=True, help="Add mirror images, with sides swapped."
        ),
        click.option(
            "--balance",
            default="repeat",
            show_default=True,
            help="Balance the answers: repeat rare ones, drop common ones, or none.",
        ),
        click.option("--leave-out-constant", is_flag=True, help="Leave out questions with one and the same answer."),
        click.option(
            "--sampling",
            multiple=True,
            metavar="KEY=VALUE",
            help="Sampling option, name=value (fps, window_s, …), the same as in later runs; repeatable.",
        ),
    )
    # Decorators apply from the bottom up: reversed, so that --help lists the options in this order.
    for option in reversed(options):
        command = option(command)
    return command


def training_set_of(arguments: dict[str, Any]) -> TrainingSet:
    """Build the training set that the options of :func:`set_options` describe."""
    from s3harness.training.training_set import build_training_set

    return build_training_set(arguments["data"], settings_of(arguments))


def settings_of(arguments: dict[str, Any]) -> SetSettings:
    """Build the settings of a training set from the options."""
    from s3harness.training.training_set import SetSettings

    settings = {name: value for name, value in arguments.items() if name != "data"}
    settings["sampling"] = parse_options(arguments["sampling"], "--sampling")
    return SetSettings(**{**settings, "tasks": tuple(split_names(arguments["tasks"]))})


def chosen_rewards(text: str, training_set: TrainingSet) -> Sequence[Reward]:
    """Return the rewards of ``--rewards``: strict, authors, or metrics by name with weights."""
    if text == "authors":
        from s3harness.training.paper_rewards import authors_rewards

        return [reward for reward in authors_rewards(training_set.specs) if training_set.of_task(reward.task)]
    return metric_rewards_of(text, training_set)


def metric_rewards_of(text: str, training_set: TrainingSet) -> Sequence[MetricReward]:
    """Return metrics as rewards, with their floors fitted on the training set.

    The preset ``strict`` is limited to the tasks that have samples; a metric that is named is not.
    """
    from s3harness.training.gate import fitted
    from s3harness.training.rewards import metric_rewards, strict_rewards

    if text == "strict":
        # A preset names no task, so a task without samples is no error in it.
        rewards = [reward for reward in strict_rewards(training_set.specs) if training_set.of_task(reward.task)]
        return fitted(rewards, training_set)
    return fitted(metric_rewards(training_set.specs, _weights(text)), training_set)


def _weights(text: str) -> dict[str, float]:
    weights = {}
    for pair in split_names(text):
        name, equals, weight = pair.partition("=")
        try:
            weights[name] = float(weight) if equals else 1.0
        except ValueError as error:
            raise click.BadParameter(f"{pair!r} is not NAME=WEIGHT", param_hint="--rewards") from error
    if not weights:
        raise click.BadParameter("no reward is named; name strict or metrics, NAME=WEIGHT", param_hint="--rewards")
    return weights


def gate_report(rewards: Sequence[Reward], training_set: TrainingSet) -> GateReport:
    """Test the rewards with worthless answers to the samples of a training set."""
    from s3harness.training.gate import examine

    return examine(rewards, training_set)


def exit_if_refused(report: GateReport) -> None:
    """Print the rewards that the gate refused, if any, and exit with code 1."""
    if report.refused:
        names = ", ".join(report.refused)
        click.echo(
            f"s3harness: refused: {names}: a worthless answer gets 80 % or more of the reward of the truth", err=True
        )
        sys.exit(1)


def new_folder(out: Path) -> None:
    """Make the folder, which must be new or empty; :class:`click.BadParameter` if it is not."""
    # Files of an earlier export, left between the new ones, would be trained on.
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise click.BadParameter(f"{out} exists and is not an empty folder; choose another", param_hint="--out")
    out.mkdir(parents=True, exist_ok=True)
