"""Strategies and their controls on Task 4: error against frames and tokens, each paired with one question an item.

    python benchmarks/strategies.py DATA OUT [BACKEND] [-o NAME=VALUE …]

DATA is a data set that nothing was tuned on; the backend is ``noisy_oracle`` unless another is named. Prints a table:
the mean absolute error, its difference from ``single`` with an interval over patients and a corrected p-value, and the
turns, frames and tokens an item.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import mean

STRATEGIES = {
    "single": ("single", {}),
    "zoom": ("zoom", {}),
    "random_look": ("random_look", {}),
    "vote": ("vote", {"k": 5}),
    "again": ("again", {}),
}


def run(data: Path, out: Path, backend: str, words: list[str], strategy: str, options: dict[str, object]) -> None:
    """Run Task 4, unless it is done."""
    chosen = [word for name, value in options.items() for word in ("--strategy-option", f"{name}={value}")]
    command = ["s3harness", "run", "--backend", backend, "--data", str(data), "--tasks", "4", "--out", str(out)]
    subprocess.run([*command, "--resume", "--strategy", strategy, *chosen, *words], check=True, capture_output=True)


def cost(out: Path) -> tuple[float, float, float]:
    """Return turns, frames and tokens an item; a run without a strategy has one turn, whose frames are those sent."""
    lines = [json.loads(line) for line in (out / "responses.jsonl").read_text().splitlines()]
    spent = [line["conversation"] for line in lines if "conversation" in line]
    if not spent:
        tokens = [line.get("prompt_tokens", 0) + line.get("completion_tokens", 0) for line in lines]
        return 1.0, float("nan"), mean(tokens)
    return tuple(mean(each[name] for each in spent) for name in ("turns", "frames", "tokens"))


def main(data: Path, out: Path, backend: str = "noisy_oracle", *words: str) -> None:
    """Run all strategies and print the table."""
    for name, (strategy, options) in STRATEGIES.items():
        run(data, out / name, backend, list(words), strategy, options)
    print("| strategy | MAE, s | minus single, s (95 %) | p | turns | frames | tokens |")
    print("|---|---|---|---|---|---|---|")
    for name in STRATEGIES:
        scores = json.loads((out / name / "scores.json").read_text())["scores"]
        error = next(score["value"] for score in scores if score["primary"])
        turns, frames, tokens = cost(out / name)
        row = f"| `{name}` | {error:.2f} | {difference(out, name)} | {turns:.1f} | {frames:.0f} | {tokens:.0f} |"
        print(row.replace("nan", "–"))


def difference(out: Path, name: str) -> str:
    """Return the paired difference from ``single`` with its interval, and the p-value."""
    if name == "single":
        return "– | –"
    command = ["s3harness", "compare", str(out / "single"), str(out / name), "--json"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    pair = json.loads(text)["tasks"][0]
    if pair["low"] is None:
        return f"{pair['difference']:+.2f} (no interval: {pair['note'] or 'no answer differs'}) | –"
    if pair["low"] is None:
        return f"{pair['difference']:+.2f} (no interval: {pair['note'] or 'no answer differs'}) | –"
    return f"{pair['difference']:+.2f} ({pair['low']:+.2f} to {pair['high']:+.2f}) | {pair['p']:.4f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
