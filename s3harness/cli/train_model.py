"""``s3harness train warmup``, ``sft`` and ``grpo``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import identifier_options, json_option, parse_options, print_json
from s3harness.cli.training_options import end_if_refused, examined, made_of, metric_rewards_of, set_options

if TYPE_CHECKING:
    from s3harness.training.job import Stage
    from s3harness.training.rewards import Reward
    from s3harness.training.samples import TrainingSet


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a training run."""
    options = (
        click.option(
            "--model",
            "weights",
            type=click.Path(path_type=Path, file_okay=False),
            required=True,
            help="The directory of the weights to begin with.",
        ),
        click.option(
            "--out", type=click.Path(path_type=Path), required=True, help="The directory of what comes of it."
        ),
        click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --out."),
        click.option("--trainer", default="trl", show_default=True, help="Who trains: a registered trainer."),
        click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="An option of the trainer; repeatable."),
        click.option(
            "--check-every",
            type=click.IntRange(min=0),
            default=50,
            show_default=True,
            help="Ask held-out patients every so many steps; never if 0.",
        ),
        click.option(
            "--check-videos",
            type=click.IntRange(min=1),
            default=24,
            show_default=True,
            help="How many of their videos.",
        ),
        click.option("--cache", "cache_dir", type=click.Path(path_type=Path), help="Where decoded frames are kept."),
        click.option("--protocol", default="strict", show_default=True, help="What is asked: strict, or paper."),
        identifier_options,
    )
    for option in reversed(options):
        command = option(command)
    return set_options(command, card="--card")


@click.command()
@run_options
@json_option
def warmup(*, as_json: bool, **said: Any) -> None:
    """Teach the vision part of a model to tell which signs are on, picture by picture.

    For a model whose vision was never trained. Without it, SFT of such a model learns nothing from what is shown.
    """
    _run("warmup", said, (), as_json)


@click.command()
@run_options
@json_option
def sft(*, as_json: bool, **said: Any) -> None:
    """Fine-tune a model on the annotators' answers, and check that it looks.

    Frames are shown as images, each after its time in words. At the end the loss must be worse without the pictures.
    """
    _run("sft", said, (), as_json)


@click.command()
@run_options
@click.option(
    "--rewards", default="strict", show_default=True, metavar="strict|NAME=WEIGHT,…", help="Metrics to be paid by."
)
@json_option
def grpo(*, rewards: str, as_json: bool, **said: Any) -> None:
    """Fine-tune a model by rewards, which are metrics.

    Before a step is taken the gate examines them: one that pays an answer that deserves nothing 80 % or more of what it
    pays the truth is refused, with the table. Training stops where the answers have collapsed.
    """
    if rewards == "authors":
        raise click.BadParameter("the authors' rewards are there to be examined (train gate)", param_hint="--rewards")
    made = made_of(_of_set(said))
    chosen = metric_rewards_of(rewards, made)
    report = examined(chosen, made)
    if report.refused:
        from s3harness.report.training import print_gate

        print_gate(report, every=False)
    end_if_refused(report)
    _run("grpo", said, chosen, as_json, made)


def _of_set(said: dict[str, Any]) -> dict[str, Any]:
    own: tuple[str, ...] = (
        "weights",
        "out",
        "resume",
        "trainer",
        "options",
        "check_every",
        "check_videos",
        "cache_dir",
    )
    own += ("allow_identifiers", "reviewed")
    return {name: value for name, value in said.items() if name not in own}


def _run(
    stage: Stage, said: dict[str, Any], rewards: Sequence[Reward], as_json: bool, made: TrainingSet | None = None
) -> None:
    from s3harness.guard.outgoing import Consent
    from s3harness.training.session import TrainingSettings, run_training

    settings = TrainingSettings(
        stage,
        said["trainer"],
        said["weights"],
        said["data"],
        said["out"],
        said["check_every"],
        said["check_videos"],
        said["resume"],
        parse_options(said["options"]),
        said["cache_dir"],
        Consent(said["allow_identifiers"], said["reviewed"]),
    )
    card = run_training(settings, made or made_of(_of_set(said)), rewards, lambda line: click.echo(line, err=True))
    if as_json:
        print_json(card)
    else:
        click.echo(f"{said['out']}: trained on {card['patients']['training']} patients for {card['seconds']:.0f} s")
