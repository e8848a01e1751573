"""The processes of one training: several of them run the same command, and one of them writes.

``torchrun`` and ``accelerate launch`` start the command once for each GPU, and tell each process its rank and their
number in the environment.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from s3harness.errors import UsageError


@dataclass(frozen=True, slots=True)
class Processes:
    """One process among ``count``; the one of rank 0 writes files and reports to the user."""

    rank: int = 0
    count: int = 1

    @classmethod
    def of_environment(cls) -> Processes:
        """Return the place of this process; :class:`UsageError` if the variables are no numbers."""
        try:
            return cls(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))
        except ValueError as error:
            raise UsageError(
                f"RANK and WORLD_SIZE are numbers that torchrun or accelerate launch sets: {error}; unset them for a "
                "single process"
            ) from error

    @property
    def is_main(self) -> bool:
        """Return true for the process that writes."""
        return self.rank == 0
