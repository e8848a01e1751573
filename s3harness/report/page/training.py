"""Page of a training: one HTML file with the curves of its log, held-out checks, the gate, probes and the run card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from s3harness.dataset.run_card import FILE as CARD
from s3harness.errors import UsageError
from s3harness.files import parse_json, write_text
from s3harness.report.page.html import static_page
from s3harness.report.plot import PlotPoint, Scale, line_chart
from s3harness.report.table import number, task_title
from s3harness.training.monitor import FILE, read_log
from s3harness.training.reward_probes import VIEWS
from s3harness.training.session import GATE

CURVES: Mapping[str, str] = {
    "loss": "nats a token",
    "reward": "reward",
    "kl": "KL divergence from the first model, nats a token",
    "entropy": "entropy, nats a token",
    "length": "tokens of an answer",
    "no_spread": "share of groups without a difference of rewards",
    "gradient": "norm of the gradient",
    "learning_rate": "learning rate",
}
"""Number in the log → title of its chart."""
OF_TASKS: Mapping[str, str] = {
    "reward": "reward by task",
    "commonest": "share of the commonest answer",
    "commonest_true": "share of the commonest true answer",
    "coverage": "share of readable answers",
    "length": "characters of an answer",
    "repetition": "share of repeated words",
    "cut": "share of truncated answers",
}
"""Statistic of a task's answers → title of its chart."""
SHARES = ("commonest", "commonest_true", "coverage", "repetition", "cut", "no_spread")
"""Numbers from 0 to 1, whose charts share this scale."""
WIDEST = 120
"""Points of a curve beyond which means of neighbouring steps are drawn."""
BEST = 3
"""Rows of the gate for each reward."""

Lines = Sequence[Mapping[str, Any]]
Curves = Sequence[tuple[str, Sequence[PlotPoint]]]


def write_training_page(directory: Path, out: Path) -> Path:
    """Write the page of a training directory and return its path; :class:`UsageError` if it has no log."""
    log = read_log(directory)
    if not log:
        raise UsageError(f"{directory} has no {FILE}; name the --out directory of a training")
    card, gate = (_read(directory / name) for name in (CARD, GATE))
    probes: Lines = next((line["probes"] for line in reversed(log) if "probes" in line), [])
    text = static_page(
        "training.html",
        stage=str(card.get("stage", "")),
        steps=max(line["step"] for line in log),
        is_finished=bool(card),
        warnings=list(_warnings(log, card, gate, probes)),
        curves=[*_curves(log), *_task_curves(log)],
        held_out=_held_out(log),
        probes=[_probe_row(probe) for probe in probes],
        gate=_gate_rows(gate),
        limit=f"{gate.get('limit', 0):.0%}",
        card=_card_rows(card),
    )
    write_text(out, text)
    return out


def _read(path: Path) -> Mapping[str, Any]:
    """Return the data of a file, empty if there is none: a training that goes on has no card yet."""
    try:
        data = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    return data if isinstance(data, dict) else {}


def _warnings(log: Lines, card: Mapping[str, Any], gate: Mapping[str, Any], probes: Lines) -> Iterable[str]:
    if gate.get("refused"):
        yield f"The gate refuses {', '.join(gate['refused'])}: a worthless answer earns nearly as much as the truth."
    yield from (f"Step {line['step']}: {line['collapse']}." for line in log if "collapse" in line)
    without = [line["step"] for line in log if line.get("no_spread") == 1.0]
    if without:
        yield (
            f"In {len(without)} steps (first {without[0]}) the rewards of no group differed: nothing was learnt there."
        )
    for probe in probes:
        if probe["loses"] is False:
            yield f"No loss of reward with {VIEWS[probe['view']]}: no evidence that the model looks there."
    looks = card.get("result", {}).get("looks") or {}
    if looks.get("looks") is False:
        yield "The loss is no higher with grey frames: no evidence that the model uses the frames."


def _curves(log: Lines) -> list[str]:
    curves = {name: [(line["step"], line[name]) for line in log if line.get(name) is not None] for name in CURVES}
    return [_chart(title, name, {"": curves[name]}) for name, title in CURVES.items() if curves[name]]


def _task_curves(log: Lines) -> list[str]:
    tasks = dict.fromkeys(task for line in log for task in line.get("tasks", {}))
    charts = []
    for name, title in OF_TASKS.items():
        series = {
            _short(task): [
                (line["step"], value)
                for line in log
                if (value := line.get("tasks", {}).get(task, {}).get(name)) is not None
            ]
            for task in tasks
        }
        if any(series.values()):
            charts.append(_chart(title, name, series))
    constant = {
        _short(task): [
            (line["step"], len(stats["constant"]))
            for line in log
            if "constant" in (stats := line.get("tasks", {}).get(task, {}))
        ]
        for task in tasks
    }
    return [*charts, _chart("constant questions", "constant", constant)] if any(constant.values()) else charts


def _held_out(log: Lines) -> list[str]:
    checks = [(line["step"], line["held_out"]) for line in log if "held_out" in line]
    charts = []
    for task in dict.fromkeys(task for _, scores in checks for task in scores):
        scores = [(step, scores[task]) for step, scores in checks if scores.get(task, {}).get("value") is not None]
        if not scores:
            continue
        points = [_point(step, score) for step, score in scores]
        charts.append(_drawn(f"{task_title(task)}: {scores[0][1]['metric']}", [("", points)]))
    return charts


def _point(step: int, score: Mapping[str, Any]) -> PlotPoint:
    low, high = score["interval"] or (None, None)
    return PlotPoint(step, score["value"], low, high, score["floor"])


def _chart(title: str, name: str, series: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    curves = [(key, [PlotPoint(step, value) for step, value in _thinned(points)]) for key, points in series.items()]
    return _drawn(title, [curve for curve in curves if curve[1]], unit=name in SHARES)


def _drawn(title: str, curves: Curves, *, unit: bool = False) -> str:
    points = [point for _, curve in curves for point in curve]
    values = [x for p in points for x in (p.y, p.low, p.high, p.floor) if x is not None]
    low, high = (0.0, 1.0) if unit else (min(values), max(values))
    # A curve that stays as it is needs an axis of some length.
    room = 0.0 if unit else (high - low) * 0.05 or abs(high) * 0.1 or 1.0
    steps = [point.x for point in points]
    x = Scale(title="step", low=min(steps), high=max(1, *steps))
    return line_chart(title, x, Scale(title="", low=low - room, high=high + room), curves)


def _thinned(points: Sequence[tuple[int, float]]) -> list[tuple[float, float]]:
    """Return at most :data:`WIDEST` points, each the mean of equally many neighbouring ones."""
    each = -(-len(points) // WIDEST) if points else 1
    groups = [points[start : start + each] for start in range(0, len(points), each)]
    return [(sum(step for step, _ in g) / len(g), sum(value for _, value in g) / len(g)) for g in groups]


def _probe_row(probe: Mapping[str, Any]) -> dict[str, Any]:
    verdict, kind = {
        True: ("loses the reward", "right"),
        False: ("DOES NOT LOSE the reward", "wrong"),
        None: ("too few patients", ""),
    }[probe["loses"]]
    interval = "" if probe["low"] is None else f" ({number(probe['low'])} to {number(probe['high'])})"
    return {
        "view": VIEWS[probe["view"]],
        "reward": number(probe["reward"]),
        "changed_reward": number(probe["changed_reward"]),
        "loss": f"{number(probe['loss'])}{interval}",
        "verdict": verdict,
        "kind": kind,
        "samples": probe["samples"],
        "patients": probe["patients"],
    }


def _gate_rows(gate: Mapping[str, Any]) -> list[dict[str, Any]]:
    shown: dict[str, int] = {}
    rows = []
    for payment in gate.get("payments", []):
        shown[payment["reward"]] = shown.get(payment["reward"], 0) + 1
        if payment["refused"] or shown[payment["reward"]] <= BEST:
            share = payment["share"]
            rows.append(
                {
                    **payment,
                    "paid": number(payment["paid"]),
                    "truth": number(payment["truth"]),
                    "share": "–" if share is None else f"{share:.0%}",
                    "refused": "refused" if payment["refused"] else "",
                }
            )
    return rows


def _card_rows(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a reader asks of a training first; the file beside the weights has all."""
    if not card:
        return []
    data, trained = card["data"], card["set"]
    return [
        ("base model", str(card.get("base", "–"))),
        ("trainer", f"{card['trainer']['name']} ({card['trainer']['package']})" if "trainer" in card else "–"),
        ("data", f"{data['name']} {data['version']}, licence {data['licence']}"),
        ("training set", f"{trained['samples']} samples, {str(trained['fingerprint'])[:12]}"),
        ("patients", f"{card['patients']['training']} trained on, {card['patients']['held_out']} held out"),
        ("rewards", ", ".join(f"{r['name']} × {r['weight']:g}" for r in card["rewards"]) or "none"),
        ("clips", f"{card.get('clips', '–')}, sound {card.get('audio', '–')}"),
        ("seconds", f"{card.get('seconds', '–')}"),
    ]


def _short(task: str) -> str:
    return task.rpartition("/")[2].split("_")[0]
