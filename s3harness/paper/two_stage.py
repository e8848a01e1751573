"""The paper's two-stage results, and the confusion tables of the released videos that could give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from s3harness.paper.layout import model_key

ROUNDING = 0.0051
"""Tolerance for a number printed with two decimals: half a unit of the last, and a little for binary fractions."""

TWO_STAGE: Mapping[str, tuple[float, float, float, float]] = {
    "InternVL3_5-8B": (0.70, 0.98, 0.81, 0.69),
    "Qwen2.5-VL-7B": (0.69, 0.96, 0.81, 0.68),
    "Qwen3-VL-8B": (0.68, 1.00, 0.81, 0.68),
    "InternVL3_5-38B": (0.69, 0.95, 0.80, 0.67),
    "Qwen2.5-VL-32B": (0.73, 0.96, 0.83, 0.73),
    "Qwen3-VL-32B": (0.71, 0.98, 0.83, 0.72),
    "Qwen2.5-VL-72B": (0.72, 0.91, 0.80, 0.69),
    "Qwen2.5-Omni-7B": (0.88, 1.00, 0.93, 0.88),
    "Qwen3-Omni-30B": (0.91, 0.98, 0.94, 0.89),
    "Lingshu-32B": (0.70, 0.93, 0.80, 0.68),
    "seizure_omni_sft": (0.93, 0.99, 0.96, 0.91),
    "seizure_omni_grpo": (0.91, 0.98, 0.94, 0.90),
}
"""Model → precision, recall, F1 and accuracy of "2-stage" in the figure of Tasks 6 and 7, ES the positive class."""


@dataclass(frozen=True, slots=True)
class ConfusionTable:
    """Counts of a confusion table, ES the positive class."""

    tp: int
    fp: int
    fn: int
    tn: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TwoStageFigure:
    """The paper's two-stage figure of a model, compared with ``es`` and ``nes`` videos.

    ``tables`` are all confusion tables of these videos that give the four printed numbers; ``least_es_share`` is the
    least share of ES, 0–1, with which a set of videos of any size can give them.
    """

    precision: float
    recall: float
    f1: float
    accuracy: float
    es: int
    nes: int
    tables: tuple[ConfusionTable, ...]
    least_es_share: float


def published_two_stage(model: str, es: int, nes: int) -> TwoStageFigure | None:
    """Return the paper's figure of a model, in any of the release's spellings; ``None`` where the paper has none."""
    printed = next((row for name, row in TWO_STAGE.items() if model_key(name) == model_key(model)), None)
    if printed is None:
        return None
    precision, recall, f1, accuracy = printed
    return TwoStageFigure(
        precision=precision,
        recall=recall,
        f1=f1,
        accuracy=accuracy,
        es=es,
        nes=nes,
        tables=tuple(possible_tables(printed, es, nes)),
        least_es_share=least_es_share(printed),
    )


def possible_tables(printed: tuple[float, float, float, float], es: int, nes: int) -> list[ConfusionTable]:
    """Return every confusion table of so many videos that gives precision, recall, F1 and accuracy as printed."""
    # (es + 1) × (nes + 1) tables, fewer than 2,000 for the test fold: all can be tried.
    tables = (ConfusionTable(tp, fp, es - tp, nes - fp) for tp, fp in product(range(es + 1), range(nes + 1)))
    # Without a true positive the precision is 0 or 0/0; no printed one is 0.
    return [table for table in tables if table.tp and _gives(table, printed)]


def least_es_share(printed: tuple[float, float, float, float]) -> float:
    """Return the least share p of ES, 0–1, with which the printed numbers are possible.

    Errors are p·(1 − R) missed and p·R·(1 − P)/P falsely called, so that A = 1 − p·[(1 − R) + R·(1 − P)/P]; the least p
    is that of the highest accuracy, lowest precision and lowest recall that round to the printed numbers.
    """
    precision, recall, _, accuracy = printed
    precision, recall = precision - ROUNDING, recall - ROUNDING
    errors_per_es = (1 - recall) + recall * (1 - precision) / precision
    return max(0.0, min(1.0, (1 - accuracy - ROUNDING) / errors_per_es))


def describe_figure(published: TwoStageFigure) -> str:
    """Describe a published figure, and the confusion tables that can give it, in a sentence or two."""
    videos = f"{published.es} ES and {published.nes} NES videos"
    figure = (
        f"paper, two-stage: precision {published.precision:.2f}, recall {published.recall:.2f}, "
        f"F1 {published.f1:.2f}, accuracy {published.accuracy:.2f}; no code of it is released."
    )
    if not published.tables:
        # max: without any video the share would be 0/0.
        share = published.es / max(published.es + published.nes, 1)
        return (
            f"{figure} No confusion table of {videos} gives these four numbers: they need a share of ES of at least "
            f"{published.least_es_share:.2f}, and it is {share:.2f} here."
        )
    table = published.tables[0]
    always = " (always ES)" if not table.fn and not table.tn else ""
    more = f" or one of {len(published.tables) - 1} like it" if len(published.tables) > 1 else ""
    return (
        f"{figure} Of {videos} they would be TP {table.tp}, FP {table.fp}, FN {table.fn}, TN {table.tn}{always}{more}."
    )


def _gives(table: ConfusionTable, printed: tuple[float, float, float, float]) -> bool:
    recomputed = (
        table.tp / (table.tp + table.fp),
        table.tp / (table.tp + table.fn),
        2 * table.tp / (2 * table.tp + table.fp + table.fn),
        (table.tp + table.tn) / (table.tp + table.fp + table.fn + table.tn),
    )
    return all(abs(value - number) <= ROUNDING for value, number in zip(recomputed, printed, strict=True))
