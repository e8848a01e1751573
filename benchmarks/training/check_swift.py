"""Check an export with ms-swift itself: ``python check_swift.py EXPORT``, where ms-swift and s3harness are installed.

Its argument parser reads the launch scripts, its loader the rows, and its registry the rewards, which pay the truth.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from swift.arguments import RLHFArguments, SftArguments
from swift.dataset import load_dataset
from swift.rewards import orms
from swift.utils import import_external_file
from transformers import HfArgumentParser

SCRIPTS = (("sft.sh", SftArguments), ("grpo.sh", RLHFArguments))


def main() -> None:
    """Check the export in the folder that is named, and end with an error at the first difference."""
    os.chdir(sys.argv[1])
    for script, arguments in SCRIPTS:
        options = _options(Path(script).read_text(encoding="utf-8"))
        parsed, unknown = HfArgumentParser(arguments).parse_known_args(options)
        assert not unknown, f"{script}: ms-swift does not know {unknown}"
        rows: Any = load_dataset(parsed.dataset, strict=True, remove_unused_columns=False)[0]
        last = "assistant" if script == "sft.sh" else "user"
        assert len(rows) and {row["messages"][-1]["role"] for row in rows} == {last}, script
        print(f"{script}: {len(options)} arguments, {len(rows)} rows")
    import_external_file(parsed.external_plugins[0])
    answered = [json.loads(line) for line in Path("sft.jsonl").read_text(encoding="utf-8").splitlines()]
    texts, samples = [row["messages"][-1]["content"] for row in answered], [row["sample"] for row in answered]
    for name in parsed.reward_funcs:
        paid = [amount for amount in orms[name](None)(texts, sample=samples) if amount is not None]
        assert orms[name].__name__ == name and paid, name
        print(f"{name}: {sum(paid) / len(paid):.3f} for the truth of {len(paid)} samples")


def _options(script: str) -> list[str]:
    """Return the arguments of a script after the name of the model."""
    words = shlex.split(script[script.index("exec ") :].replace("\\\n", " "))
    return words[words.index("--model") + 2 : -1]


if __name__ == "__main__":
    main()
