"""``s3harness train plan``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from s3harness.cli.options import json_option, parse_options, print_json
from s3harness.cli.training_options import set_options, training_set_of


def _options_of_the_set(command: Callable[..., None]) -> Callable[..., None]:
    # --model is the directory of the weights here.
    return set_options(command, card="--card")


@click.command()
@click.option(
    "--stage", type=click.Choice(["sft", "grpo"]), default="sft", show_default=True, help="Stage of training."
)
@click.option(
    "--model",
    "weights",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory of the initial weights, or of their config.json alone; default: the card's, in the hub's cache.",
)
@click.option("--trainer", default="trl", show_default=True, help="Registered trainer.")
@click.option("-o", "options", multiple=True, metavar="KEY=VALUE", help="Trainer option, name=value; repeatable.")
@click.option(
    "--strategy",
    default="fsdp2",
    show_default=True,
    help="How the model is spread over the GPUs; of the trainer trl: ddp, fsdp2, zero2 or zero3.",
)
@click.option("--gpus", type=click.IntRange(min=1), default=8, show_default=True, help="Number of GPUs.")
@click.option("--gpu", default="h100", show_default=True, help="Kind of the GPUs, as in h100 or a100:40GB.")
@click.option(
    "--tokens-per-s", type=click.FloatRange(min=0, min_open=True), help="Tokens that a GPU trains on in a second."
)
@click.option(
    "--write", type=click.Path(path_type=Path, file_okay=False), help="Write the launcher's configuration there."
)
@click.option(
    "--protocol", default="strict", show_default=True, help="Prompts and sampling: strict, or paper (the authors')."
)
@_options_of_the_set
@json_option
def plan(*, as_json: bool, write: Path | None, **arguments: Any) -> None:
    """Estimate the memory of each GPU and the hours of a training, and print how to launch it.

    Nothing is loaded: the numbers come from the model's configuration and the training set. Exit code 1 if it does not
    fit.
    """
    from s3harness.report.training import plan_as_json, print_plan
    from s3harness.training.plan import PlanRequest, gpu_named
    from s3harness.training.session import card_of, plan_training

    own = ("stage", "weights", "trainer", "options", "strategy", "gpus", "gpu", "tokens_per_s")
    weights: Path | None = arguments["weights"]
    # A config.json alone does not tell in which form the processor takes clips.
    is_whole = weights is not None and any(weights.glob("*.safetensors"))
    of_set = {name: value for name, value in arguments.items() if name not in own}
    training_set = training_set_of(of_set, weights if is_whole else None)
    request = PlanRequest(
        stage=arguments["stage"],
        model=weights,
        card=card_of(training_set, [weights] if weights else []),
        training_set=training_set,
        options=parse_options(arguments["options"]),
        strategy=arguments["strategy"],
        gpus=arguments["gpus"],
        gpu=gpu_named(arguments["gpu"]),
        tokens_per_s=arguments["tokens_per_s"],
    )
    result = plan_training(arguments["trainer"], request)
    if write is not None:
        write.mkdir(parents=True, exist_ok=True)
        for name, content in result.files.items():
            (write / name).write_text(content, encoding="utf-8")
    if as_json:
        print_json(plan_as_json(result))
    else:
        print_plan(result)
    if not result.fits:
        click.get_current_context().exit(1)
