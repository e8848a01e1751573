"""The dataset ``synthetic``: a data set made after a JSON file of options."""

from __future__ import annotations

from pathlib import Path

from s3harness import UsageError, parse_json
from s3harness_synth.dataset import synthesize
from s3harness_synth.options import parse_options


def import_synthetic(source: Path, out: Path, **options: object) -> None:
    """Make the data set that the JSON file ``source`` describes, at ``out``; ``options`` replace values of the file.

    The file holds the options of :func:`~s3harness_synth.dataset.synthesize`, such as ``{"videos": 12, "seed": 0}``.

    Raises:
        UsageError: the file cannot be read, an option is wrong, or ``out`` exists and is not an empty directory.

    """
    try:
        values = parse_json(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{source}: a JSON file with the options of a synthetic data set is expected: {error}"
        raise UsageError(message) from error
    if not isinstance(values, dict):
        raise UsageError(f'{source}: an object of options is expected, such as {{"videos": 12, "seed": 0}}')
    synthesize(out, **parse_options(values | options))
