"""Every Eval Ever records: one JSON file per entry, and beside it one line for each of its items.

The format is version 0.3.0 of https://github.com/evaleval/every_eval_ever (eval.schema.json and
instance_level_eval.schema.json), in the folder layout of its datastore.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from s3harness.files import write_text
from s3harness.leaderboard.entries import LeaderboardEntry
from s3harness.leaderboard.samples import SampleRecord
from s3harness.types import Score

VERSION = "0.3.0"
COLLECTION = "seizure-semiology-suite"
UNRELEASED = "unreleased"
"""Developer of a model without an address on the Hub."""

_UNITS = {"": ("proportion", 0.0, 1.0), "points": ("points", 0.0, 100.0), "s": ("seconds", 0.0, None)}
"""Unit of a score → its name, and the least and the greatest possible score (``None``: no bound)."""
_SIGNED = ("MCC", "content informedness", "signed bias")
"""Beginnings of the names of metrics whose least score is minus the greatest."""


def write_record(entry: LeaderboardEntry, out: Path, now: int, samples: Iterable[SampleRecord] = ()) -> Path:
    """Write an entry's record and its samples, if any, below ``out``, and return the path of the record.

    ``now`` is the time of writing, in seconds since 1970. The file name of an entry does not depend on the time.
    """
    name = _uuid(entry)
    place = Path("data", COLLECTION, *model_id(entry).split("/"))
    lines = [_dumps(line) for line in instances(entry, now, samples)]
    (out / place).mkdir(parents=True, exist_ok=True)
    detail = {}
    if lines:
        file = place / f"{name}_samples.jsonl"
        text = "".join(f"{line}\n" for line in lines)
        write_text(out / file, text)
        checksum = hashlib.sha256(text.encode()).hexdigest()
        table = {"format": "jsonl", "file_path": file.as_posix(), "hash_algorithm": "sha256", "checksum": checksum}
        detail = {"detailed_evaluation_results": {**table, "total_rows": len(lines)}}
    path = out / place / f"{name}.json"
    write_text(path, _dumps(record(entry, now) | detail) + "\n")
    return path


def record(entry: LeaderboardEntry, now: int) -> dict[str, Any]:
    """Return the aggregate record of an entry; scores without a value are named in the source's details instead."""
    # The schema demands a number for every result.
    undefined = [_result_id(score) for score in entry.scores if score.value is None]
    return {
        "schema_version": VERSION,
        "evaluation_id": _evaluation_id(entry, now),
        "retrieved_timestamp": str(now),
        "source_metadata": {
            "source_name": "s3harness leaderboard",
            "source_type": "evaluation_run",
            "source_organization_name": entry.submitter or "not stated",
            "evaluator_relationship": "other",
            "additional_details": _strings({"tier": entry.tier, "undefined_scores": ", ".join(undefined)}),
        },
        "eval_library": {"name": "s3harness", "version": entry.plugins.get("s3harness", "unknown")},
        "model_info": _model(entry),
        "evaluation_results": [_result(entry, score) for score in entry.scores if score.value is not None],
    }


def instances(entry: LeaderboardEntry, now: int, samples: Iterable[SampleRecord]) -> Iterator[dict[str, Any]]:
    """Yield one instance-level record for each sample."""
    shared = {"schema_version": VERSION, "evaluation_id": _evaluation_id(entry, now), "model_id": model_id(entry)}
    for sample in samples:
        reference, prediction = sample.reference, sample.prediction
        truth = _text(reference.truth)
        yield shared | {
            "evaluation_name": reference.task,
            "evaluation_result_id": f"{reference.task}#{sample.score.metric}",
            "sample_id": reference.item,
            "sample_hash": hashlib.sha256(f"{sample.prompt}{truth}".encode()).hexdigest(),
            "interaction_type": "single_turn",
            "input": {"raw": sample.prompt, "reference": [truth]},
            "output": {"raw": [response["text"] for response in sample.responses]},
            "answer_attribution": [_attribution(sample)] if prediction.value is not None else [],
            "evaluation": {"score": sample.score.value, "is_correct": sample.score.is_correct},
            "token_usage": _tokens(sample),
            "performance": _performance(sample),
            "error": None if prediction.value is not None else prediction.status,
            "metadata": {"video": reference.video_id, "subject": reference.subject, "status": prediction.status},
        }


def model_id(entry: LeaderboardEntry) -> str:
    """Return ``developer/model``: the address of the weights on the Hub, else ``unreleased/`` and the model's name."""
    weights = str(entry.model["weights"] or "")
    # The id becomes a path: an address that leads out of the folder, or ends in a dot, is not used.
    own = re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*(?<!\.)", weights)
    return weights if own else f"{UNRELEASED}/{re.sub(r'[^a-z0-9._-]+', '-', entry.model['name'].lower()).strip('.')}"


def _model(entry: LeaderboardEntry) -> dict[str, Any]:
    availability = {True: "open_weights", False: "closed_weights", None: "unknown"}
    details = {"deployment_type": "unknown", "model_availability": availability[entry.model["open_weights"]]}
    more = {key: entry.model[key] for key in ("revision", "family", "parameters_b", "licence")}
    about = {"name": entry.model["title"] or entry.model["name"], "id": model_id(entry)}
    engine = {"inference_engine": {"name": entry.backend}} if entry.backend else {}
    return about | engine | {"additional_details": details | _strings(more)}


def _result(entry: LeaderboardEntry, score: Score) -> dict[str, Any]:
    data = {"split": entry.split, "n_items": score.n_items, "n_patients": score.n_patients}
    return {
        "evaluation_result_id": _result_id(score),
        "evaluation_name": score.task,
        "source_data": {
            "dataset_name": entry.dataset or "not stated",
            "source_type": "other",
            "additional_details": _strings(data),
        },
        "metric_config": _metric(entry, score),
        "score_details": {"score": score.value, "details": _details(score)} | _uncertainty(score),
    }


def _metric(entry: LeaderboardEntry, score: Score) -> dict[str, Any]:
    unit, low, high = _UNITS.get(score.unit, (score.unit, None, None))
    if score.metric.startswith(_SIGNED):
        low = None if high is None else -high
    slug = re.sub(r"[^a-z0-9]+", "_", score.metric.lower()).strip("_")
    return {
        "metric_id": f"s3harness.{score.task.rpartition('/')[2]}.{slug}",
        "metric_name": score.metric,
        "metric_unit": unit,
        "metric_parameters": {"primary": score.primary, "protocol": entry.protocol},
        "lower_is_better": not score.higher_is_better,
        "score_type": "continuous",
        # JSON has no infinity; the schema takes these words for it.
        "min_score": "-Infinity" if low is None else low,
        "max_score": "Infinity" if high is None else high,
    }


def _details(score: Score) -> dict[str, str]:
    beside = {"floor": score.floor, "floor_name": score.floor_name, "ceiling": score.ceiling, "skill": score.skill}
    return _strings({**beside, "coverage": score.coverage, **{f"lost_{why}": n for why, n in score.lost.items()}})


def _uncertainty(score: Score) -> dict[str, Any]:
    interval = score.interval
    if interval is None or None in (interval.low, interval.high):
        return {}
    method = "bootstrap-t over patients"
    ends = {"lower": interval.low, "upper": interval.high, "confidence_level": interval.level, "method": method}
    return {"uncertainty": {"confidence_interval": ends, "num_samples": score.n_items}}


def _attribution(sample: SampleRecord) -> dict[str, Any]:
    own = sample.spec.for_subject(sample.reference.subject)
    method = f"{own.uses or own.answer['parser']}, {own.aggregator[0]}"
    value = _text(sample.prediction.value)
    source = {"turn_idx": 0, "source": "output.raw", "extracted_value": value, "extraction_method": method}
    return source | {"is_terminal": True}


def _tokens(sample: SampleRecord) -> dict[str, float] | None:
    """Return the tokens of all windows; ``None`` for a task that reads the answers of another, which reports them."""
    into, out = _total(sample, "prompt_tokens"), _total(sample, "completion_tokens")
    if into is None or out is None:
        return None
    return {"input_tokens": into, "output_tokens": out, "total_tokens": into + out}


def _performance(sample: SampleRecord) -> dict[str, float] | None:
    seconds = _total(sample, "latency_s")
    return None if seconds is None else {"latency_ms": round(1000 * seconds, 3)}


def _total(sample: SampleRecord, key: str) -> float | None:
    """Return the sum of a number over all windows; ``None`` if one lacks it, or the answers are another task's."""
    values = [line[key] for line in sample.responses if line.get(key) is not None]
    # A sum over some of the windows would look like the cost of all.
    is_complete = values and len(values) == len(sample.responses) and not sample.spec.uses
    return sum(values) if is_complete else None


def _uuid(entry: LeaderboardEntry) -> str:
    """Return a version-4 UUID that depends on the entry and its scores alone."""
    # The datastore tells records apart by UUID: building twice must not add a second record of the same entry.
    scores = [(score.task, score.metric, score.value, score.n_items, str(score.interval)) for score in entry.scores]
    same = [entry.slug, entry.dataset, entry.split, entry.protocol, scores]
    return str(UUID(bytes=hashlib.sha256(_dumps(same).encode()).digest()[:16], version=4))


def _evaluation_id(entry: LeaderboardEntry, now: int) -> str:
    return f"{COLLECTION}/{model_id(entry).replace('/', '_')}/{now}"


def _result_id(score: Score) -> str:
    return f"{score.task}#{score.metric}"


def _strings(details: Mapping[str, Any]) -> dict[str, str]:
    """Return details as the schema demands them: as text, without unknown values."""
    return {key: _text(value) for key, value in details.items() if value not in (None, "")}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
