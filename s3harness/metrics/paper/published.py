"""The published tables computed again from the released predictions, cell by cell.

Each ``…_pairs`` function joins a model's predictions to the annotations as the authors did: on the names both have, so
that what either lacks is dropped. The references carry running numbers in place of the release's names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from s3harness.dataset.release import (
    Release,
    model_key,
    patient_of,
    read_boundaries,
    read_diagnoses,
    read_features,
    read_laterality,
    read_predictions,
    read_published,
    read_release_table,
    read_reports,
    read_sequences,
)
from s3harness.metrics.base import Metric, Pair
from s3harness.metrics.paper.boundaries import paper_boundary_mae, released_seconds
from s3harness.metrics.paper.confusion import Statistic
from s3harness.metrics.paper.diagnosis import paper_diagnosis, released_diagnosis
from s3harness.metrics.paper.features import paper_features
from s3harness.metrics.paper.laterality import paper_laterality
from s3harness.metrics.paper.order import (
    paper_edit_distance,
    paper_lcs_ratio,
    paper_temporal_f1,
    released_tokens,
)
from s3harness.metrics.paper.question_list import half_up, question_list_score, question_list_scores
from s3harness.metrics.paper.text import paper_bleu, paper_rouge_1, paper_rouge_l
from s3harness.types import Prediction, Reference

STATISTICS: tuple[Statistic, ...] = get_args(Statistic)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a published table, ``column`` of ``file`` for a model, and what comes out when it is computed again.

    ``digits`` is how many decimals the table prints; ``None`` where it prints all.
    """

    file: str
    model: str
    column: str
    published: float
    recomputed: float
    digits: int | None = 2

    @property
    def matches(self) -> bool:
        """Whether the two are equal at the printed precision."""
        if self.digits is None:
            return abs(self.recomputed - self.published) < 1e-9
        return round(self.recomputed, self.digits) == self.published


def published_cells(release: Release, model: str) -> Iterator[Cell]:
    """Every published cell of a model that is recomputed here; tables or predictions it does not have are left out."""
    for cells in (_features, _rationales, _question_list, _laterality, _boundaries, _sequence, _report, _diagnosis):
        yield from cells(release, model)
