"""``s3harness train warmup``, ``sft`` and ``grpo``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from s3harness.cli.options import count, identifier_options, json_option, parse_options, print_json
from s3harness.cli.training_options import (
    check_authors,
    passed_gate,
    protocol_of,
    reward_options,
    rewards_of,
    set_options,
    training_set_of,
)

if TYPE_CHECKING:
    from s3harness.training.gate import GateReport
    from s3harness.training.job import Stage
    from s3harness.training.rewards import Reward
    from s3harness.training.training_set import TrainingSet


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a training run."""
    options = (
        click.option(
            "--model",
            "weights",
            type=click.Path(path_type=Path, file_okay=False),
            required=True,
            help="Directory of the initial weights.",
        ),
        click.option(
            "--out", type=click.Path(path_type=Path), required=True, help="Directory for checkpoints and the result."
        ),
        click.option("--resume", is_flag=True, help="Continue from the last checkpoint in --out."),
        click.option("--trainer", default="trl", show_default=True, help="Registered trainer."),
        click.option(
            "-o", "options", multiple=True, metavar="KEY=VALUE", help="Trainer option, name=value; repeatable."
        ),
        click.option(
            "--check-every",
            type=click.IntRange(min=0),
            default=50,
            show_default=True,
            help="Steps between checks on held-out patients; 0: no checks.",
        ),
        click.option(
            "--check-videos",
            type=click.IntRange(min=1),
            default=24,
            show_default=True,
            help="Number of held-out videos in a check.",
        ),
        click.option(
            "--cache", "cache_dir", type=click.Path(path_type=Path), help="Cache directory for decoded frames."
        ),
        click.option(
            "--protocol", help="Prompts and sampling: strict or paper; default: strict, for --rewards authors paper."
        ),
        identifier_options,
    )
    # Decorators apply from the bottom up: reversed, so that --help lists the options in this order.
    for option in reversed(options):
        command = option(command)
    return set_options(command, card="--card")  # --model is already the directory of the weights here


@click.command()
@run_options
@json_option
def warmup(*, as_json: bool, **arguments: Any) -> None:
    """Train the vision encoder of a model to classify the signs in single frames.

    This is for a model whose vision encoder was never trained: without it, SFT of such a model ignores the frames.
    """
    _run("warmup", arguments, (), as_json)


@click.command()
@run_options
@json_option
def sft(*, as_json: bool, **arguments: Any) -> None:
    """Fine-tune a model on the annotators' answers, and check that it uses the clips.

    Clips are given as in an evaluation. At the end, the loss without frames, and without sound, must be higher. Several
    processes train together where torchrun or accelerate launch starts the command.
    """
    _run("sft", arguments, (), as_json)


@click.command()
@run_options
@reward_options
@json_option
def grpo(*, rewards: str, accept_collapse: bool, as_json: bool, **arguments: Any) -> None:
    """Fine-tune a model by reinforcement learning (GRPO), with metrics as rewards.

    The gate tests the rewards first: one that pays a worthless answer 80 % or more of what it pays the truth is
    refused, and its table printed. Training stops if the answers collapse. Both are only warnings with
    --accept-collapse. At the end the answers to grey, mirrored and other patients' clips must earn less.
    """
    check_authors(rewards, accept_collapse=accept_collapse)
    arguments["protocol"] = protocol_of(arguments["protocol"], rewards)
    training_set = training_set_of(_of_set(arguments), arguments["weights"])
    chosen = rewards_of(rewards, training_set)
    gate = passed_gate(chosen, training_set, accept_collapse=accept_collapse)
    # With the set that the gate examined, which need not be built again.
    _run("grpo", {**arguments, "accept_collapse": accept_collapse}, chosen, as_json, training_set, gate)


def _of_set(arguments: dict[str, Any]) -> dict[str, Any]:
    """Select the options of the training set from those of a training run."""
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
    of_set = {name: value for name, value in arguments.items() if name not in own}
    return {**of_set, "protocol": arguments["protocol"] or "strict"}


def _run(
    stage: Stage,
    arguments: dict[str, Any],
    rewards: Sequence[Reward],
    as_json: bool,
    training_set: TrainingSet | None = None,
    gate: GateReport | None = None,
) -> None:
    from s3harness.guard.outgoing_check import Consent
    from s3harness.training.session import TrainingSettings, run_training

    settings = TrainingSettings(
        stage=stage,
        trainer=arguments["trainer"],
        model=arguments["weights"],
        data=arguments["data"],
        out=arguments["out"],
        check_every=arguments["check_every"],
        check_videos=arguments["check_videos"],
        resume=arguments["resume"],
        options=parse_options(arguments["options"]),
        cache_dir=arguments["cache_dir"],
        consent=Consent(arguments["allow_identifiers"], arguments["reviewed"]),
        accept_collapse=arguments.get("accept_collapse", False),
        gate=gate,
    )
    if training_set is None:  # grpo has built it already, for the gate
        training_set = training_set_of(_of_set(arguments), arguments["weights"])
    card = run_training(settings, training_set, rewards, lambda line: click.echo(line, err=True))
    # Of several processes that train together, the main one alone has a card to show.
    if not card:
        return
    if as_json:
        print_json(card)
    else:
        patients = count(card["patients"]["training"], "patient")
        click.echo(f"{arguments['out']}: trained on {patients} for {card['seconds']:.0f} s")
