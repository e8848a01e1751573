"""Does an ablation of the frame rate match what sampling theory says of each sign?

    s3harness data synth --out DATA --videos 60 --seed 7
    s3harness sweep --backend kinematics --tasks 1 --fps 1,2,4,10 --data DATA --out SWEEP
    python benchmarks/sampling_theory.py --data DATA --sweep SWEEP

A movement that repeats f times a second is shown as what it is by more than 2·f frames a second; with fewer, something
moves, but its pace is folded down to a slower one. A posture is shown by any frame. The synthetic data say of each sign
how many frames a second it takes (``needs_fps`` in features.csv). The table has the sign's median need, what the sweep
scored at each rate (balanced accuracy, 0.5 for a constant answer), and the gain from the rates below the need to those
above it. The last lines say whether quick signs gain more from more frames than postures do.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from scipy.stats import spearmanr

QUICK_FPS = 2.0
"""A sign that takes more frames a second than the tasks show is quick."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sweep", type=Path, required=True)
    said = parser.parse_args()
    needs, scores = _needs(said.data / "features.csv"), _scores(said.sweep / "sweep.json")
    rates = sorted({rate for of_sign in scores.values() for rate in of_sign})
    print(f"| sign | needs | {' | '.join(f'{rate:g} fps' for rate in rates)} | gain |")
    print(f"| --- | ---: | {' | '.join('---:' for _ in rates)} | ---: |")
    gains: list[tuple[float, float]] = []
    for sign in sorted(scores, key=lambda name: needs.get(name, 0.0)):
        of_sign, need = scores[sign], needs.get(sign, 0.0)
        gain = of_sign[rates[-1]] - of_sign[rates[0]]
        gains.append((need, gain))
        cells = " | ".join(f"{of_sign[rate]:.2f}" for rate in rates)
        print(f"| {sign} | {_said(need)} | {cells} | {gain:+.2f} |")
    _print_trend(gains, rates)


def _print_trend(gains: list[tuple[float, float]], rates: list[float]) -> None:
    quick = [gain for need, gain in gains if need > QUICK_FPS]
    slow = [gain for need, gain in gains if need <= QUICK_FPS]
    print(
        f"\nmean gain from {rates[0]:g} to {rates[-1]:g} fps: quick signs {mean(quick):+.3f}, others {mean(slow):+.3f}"
    )
    trend = spearmanr(*np.array(gains).T)
    print(f"rank correlation of need and gain: {trend.statistic:.2f} (p = {trend.pvalue:.3f}, {len(gains)} signs)")


def _needs(path: Path) -> dict[str, float]:
    """Sign → the median of the frames a second that its occurrences take; 0 for what is heard or takes any frame."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["present"] == "yes" and row.get("needs_fps"):
                found[row["feature"]].append(float(row["needs_fps"]))
    return {sign: median(of_sign) for sign, of_sign in found.items()}


def _scores(path: Path) -> dict[str, dict[float, float]]:
    """Sign → frames a second → balanced accuracy, of the signs that are defined at every rate."""
    points: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    found: defaultdict[str, dict[float, float]] = defaultdict(dict)
    for point in points:
        for score in point["features"]:
            if score["value"] is not None and not score["metric"].endswith("(F1)"):
                found[score["metric"]][point["setting"]["fps"]] = score["value"]
    return {sign: of_sign for sign, of_sign in found.items() if len(of_sign) == len(points)}


def _said(need: float) -> str:
    return f"{need:.1f} fps" if need > QUICK_FPS else "any"


if __name__ == "__main__":
    main()
