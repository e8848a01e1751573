"""Options of the training commands, and the training sets and rewards that they select."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import default_data, parse_options, split_names

if TYPE_CHECKING:
    from s3harness.specs.models import ModelCard
    from s3harness.training.gate import GateReport
    from s3harness.training.rewards import Reward
    from s3harness.training.training_set import SetSettings, TrainingSet


AUTHORS = "authors"
REWARD_NAMES = "strict, paper, authors, format, length, overlap, or any metric (METRIC, TASK:METRIC)"
AUTHORS_COLLAPSE = (
    "the authors' rewards pay worthless answers (see train gate), so that training with them collapses; name strict, "
    "paper or metrics, or add --accept-collapse to show it"
)


def reward_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of the rewards that a model is trained by."""
    command = click.option(
        "--accept-collapse",
        is_flag=True,
        help="Use rewards that the gate refuses, and go on when the answers collapse.",
    )(command)
    return click.option(
        "--rewards", default="strict", show_default=True, metavar="NAME[=WEIGHT],…", help=f"Rewards: {REWARD_NAMES}."
    )(command)


def check_authors(rewards: str, *, accept_collapse: bool) -> None:
    """Raise :class:`click.BadParameter` for the authors' rewards, unless their collapse is accepted."""
    if AUTHORS in names_of(rewards) and not accept_collapse:
        raise click.BadParameter(AUTHORS_COLLAPSE, param_hint="--rewards")


def set_options(command: Callable[..., None], *, card: str = "--model") -> Callable[..., None]:
    """Add the options of a training set; ``card`` is the option that names the model's card."""
    # Where --model is taken, it is the directory of the weights.
    default = "video alone" if card == "--model" else "derived from the files of the weights"
    options = (
        click.option(
            "--data",
            type=click.Path(path_type=Path),
            default=default_data,
            show_default="$S3HARNESS_DATA or ./data",
            help="Data set directory; its videos may be absent.",
        ),
        click.option("--tasks", help="Comma-separated tasks, by name or number; default: all seven."),
        click.option(card, "model", help=f"Card of the model to train, for its modalities; default: {default}."),
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
        click.option(
            "--mix",
            metavar="even|TASK=SHARE,…",
            help="Shares of the tasks: even, or relative numbers; default: as many samples as there are.",
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


def training_set_of(arguments: dict[str, Any], weights: Path | None = None) -> TrainingSet:
    """Build the training set that the options of :func:`set_options` describe.

    Without a card it is that of an evaluation of the ``weights``, which derives their card from their own files.
    """
    from s3harness.training.training_set import build_training_set

    settings = settings_of(arguments)
    card = _derived_card(weights) if weights is not None and settings.model is None else None
    return build_training_set(arguments["data"], settings, card)


def _derived_card(weights: Path) -> ModelCard | None:
    from s3harness.specs.resolution import of_directory

    # Another trainer's weights may be of another kind, and ours names what is missing in the directory.
    if not (weights / "config.json").is_file():
        return None
    derived = of_directory(weights)
    for note in derived.notes:
        click.echo(note, err=True)
    return derived.card


def settings_of(arguments: dict[str, Any]) -> SetSettings:
    """Build the settings of a training set from the options."""
    from s3harness.training.training_set import SetSettings

    settings = {name: value for name, value in arguments.items() if name != "data"}
    settings["sampling"] = parse_options(arguments["sampling"], "--sampling")
    settings["mix"] = _weights(arguments["mix"], "--mix") if arguments["mix"] else {}
    return SetSettings(**{**settings, "tasks": tuple(split_names(arguments["tasks"]))})


def rewards_of(text: str, training_set: TrainingSet) -> Sequence[Reward]:
    """Return the rewards of ``--rewards``, NAME or NAME=WEIGHT each, with floors fitted on the training set."""
    from s3harness.training.gate import fit_floors
    from s3harness.training.presets import rewards_named

    return fit_floors(rewards_named(_weights(text), training_set), training_set)


def protocol_of(protocol: str | None, rewards: str) -> str:
    """Return the protocol: by default strict, or paper for the authors' rewards."""
    # The authors' formulas parse the answers that the authors' prompts ask for.
    return protocol or ("paper" if AUTHORS in names_of(rewards) else "strict")


def names_of(rewards: str) -> list[str]:
    """Return the names in ``--rewards`` without their weights."""
    return [pair.partition("=")[0] for pair in split_names(rewards)]


def _weights(text: str, option: str = "--rewards") -> dict[str, float]:
    """Parse NAME or NAME=WEIGHT, separated by commas."""
    weights: dict[str, float] = {}
    for pair in split_names(text):
        name, equals, weight = pair.partition("=")
        if name in weights:
            raise click.BadParameter(f"{name} is named twice", param_hint=option)
        try:
            weights[name] = float(weight) if equals else 1.0
        except ValueError as error:
            raise click.BadParameter(f"{pair!r} is not NAME=WEIGHT", param_hint=option) from error
    if not weights:
        raise click.BadParameter("nothing is named; name NAME or NAME=WEIGHT", param_hint=option)
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


def passed_gate(rewards: Sequence[Reward], training_set: TrainingSet, *, accept_collapse: bool) -> GateReport:
    """Return the gate's report; print it and exit with code 1 if a reward is refused, unless that is accepted."""
    report = gate_report(rewards, training_set)
    if report.refused:
        from s3harness.report.training import print_gate

        print_gate(report, every=False)
        if not accept_collapse:
            exit_if_refused(report)
        click.echo(
            f"s3harness: {', '.join(report.refused)} would be refused, and is used (--accept-collapse); the answers of "
            "the model are expected to collapse",
            err=True,
        )
    return report


def new_folder(out: Path) -> None:
    """Make the folder, which must be new or empty; :class:`click.BadParameter` if it is not."""
    # Files of an earlier export, left between the new ones, would be trained on.
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise click.BadParameter(f"{out} exists and is not an empty folder; choose another", param_hint="--out")
    out.mkdir(parents=True, exist_ok=True)
