"""Options of the trainer (``-o name=value``)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import s3harness
from s3harness.options import text, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class SwiftOptions:
    """``command`` is ms-swift's, by name or path; ``gpus`` are the processes that it starts, one for each.

    ``steps`` ends a training after as many steps (0: as the launch script has it). ``args`` are further arguments of
    ``swift sft`` or ``swift rlhf`` as in a shell; they replace those of the launch script, of which ``without`` names
    some to be left out, separated by commas. ``merge`` false leaves the
    adapter apart from the model.
    """

    command: Annotated[str, text] = "swift"
    gpus: Annotated[int, whole(1)] = 1
    steps: Annotated[int, whole(0)] = 0
    args: Annotated[str, text] = ""
    without: Annotated[str, text] = ""
    merge: bool = True

    def arguments(self) -> list[str]:
        """Return the arguments to add to those of the launch script; :class:`s3harness.UsageError` for a wrong one."""
        try:
            further = shlex.split(self.args)
        except ValueError as error:
            raise s3harness.UsageError(f"-o args: {error}") from error
        if owned := sorted(OWNED & set(_names(further))):
            raise s3harness.UsageError(
                f"-o args: --{', --'.join(owned)} {'is' if len(owned) == 1 else 'are'} of s3harness: a checkpoint that "
                "lies elsewhere could not be continued, and rows of another kind have no held-out patients"
            )
        return [*(("--max_steps", str(self.steps)) if self.steps else ()), *further]


OWNED = frozenset(
    {"model", "dataset", "output_dir", "external_plugins", "reward_funcs", "reward_weights", "val_dataset"}
)
"""Arguments of ms-swift that the training set, the rewards and ``--out`` decide."""


def _names(arguments: list[str]) -> Iterator[str]:
    for argument in arguments:
        if argument.startswith("--"):
            yield argument[2:].split("=")[0]
