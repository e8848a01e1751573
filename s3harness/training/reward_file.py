"""The rewards of an export as a file (``rewards.json``), from which another trainer loads the same rewards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from s3harness.errors import UsageError
from s3harness.files import parse_json
from s3harness.specs.tasks import MetricSpec, TaskSpec
from s3harness.training.paper_rewards import AuthorsReward
from s3harness.training.rewards import MetricReward, Reward, metric_reward, reward_function
from s3harness.training.shaping import FormatReward, LengthReward, OverlapReward

SCHEMA = "s3harness/rewards/v1"


def rewards_as_json(rewards: Sequence[Reward]) -> dict[str, Any]:
    """Return JSON-able data of rewards, for :func:`rewards_from_json`: specs, metrics, weights, floors and limits."""
    # Whole specs, not names: rewards must stay as they were exported if a built-in task changes.
    specs = {spec.name: dict(spec.data) for reward in rewards for spec in _specs_of(reward)}
    return {"schema": SCHEMA, "specs": specs, "rewards": [_row(reward) for reward in rewards]}


def rewards_from_json(data: Mapping[str, Any]) -> list[Reward]:
    """Return the rewards of :func:`rewards_as_json`; :class:`UsageError` for any other data."""
    try:
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema {data['schema']!r} is not {SCHEMA!r}")
        specs = {name: TaskSpec(spec) for name, spec in data["specs"].items()}
        # Files of the first version hold metrics alone, without a kind.
        return [_KINDS[row.get("kind", "metric")](specs, row) for row in data["rewards"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"no rewards can be read, use a file that train export wrote: {error!r}") from error


def load_rewards(path: Path) -> list[Reward]:
    """Return the rewards of a ``rewards.json``; :class:`UsageError` if it cannot be read."""
    try:
        data = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: no rewards can be read: {error}") from error
    return rewards_from_json(data)


def load_reward_functions(path: Path) -> dict[str, Callable[..., list[float | None]]]:
    """Return name → reward function (:func:`~s3harness.training.rewards.reward_function`) of a ``rewards.json``."""
    return {reward.name: reward_function(reward) for reward in load_rewards(path)}


def _specs_of(reward: Reward) -> Sequence[TaskSpec]:
    if isinstance(reward, MetricReward):
        return reward.spec, reward.reader
    return (reward.spec,) if isinstance(reward, FormatReward | LengthReward | OverlapReward) else ()


def _row(reward: Reward) -> dict[str, Any]:
    common = {"task": reward.task, "weight": reward.weight}
    match reward:
        case MetricReward(metric=metric, floors=floors):
            return common | {"metric": metric.name, "params": dict(metric.params), "floors": dict(floors)}
        case LengthReward(limits=limits):
            return common | {"kind": "length", "limits": dict(limits)}
        case FormatReward():
            return common | {"kind": "format"}
        case OverlapReward():
            return common | {"kind": "overlap"}
        case AuthorsReward(kind=item):
            return common | {"kind": "authors", "item": item}
    raise UsageError(f"the reward {reward.name} cannot be written to a file; leave it out of the export")


_Specs = Mapping[str, TaskSpec]
_Row = Mapping[str, Any]


def _metric(specs: _Specs, row: _Row) -> Reward:
    spec = specs[row["task"]]
    metric = MetricSpec(row["metric"], row["metric"], row["params"], True)
    return metric_reward(specs, spec, metric, weight=float(row["weight"]), floors=row["floors"])


_KINDS: Mapping[str, Callable[[_Specs, _Row], Reward]] = {
    "metric": _metric,
    "format": lambda specs, row: FormatReward(spec=specs[row["task"]], weight=float(row["weight"])),
    "length": lambda specs, row: LengthReward(
        spec=specs[row["task"]], limits=row["limits"], weight=float(row["weight"])
    ),
    "overlap": lambda specs, row: OverlapReward(spec=specs[row["task"]], weight=float(row["weight"])),
    "authors": lambda specs, row: AuthorsReward(row["task"], row["item"], float(row["weight"])),
}
