"""Runs with probes: one without any, then one with each, in directories of their own that resume as any run does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from s3harness.analysis.evidence import Evidence, evidence, read_said
from s3harness.errors import UsageError
from s3harness.evaluation.prepare import PreparedRun, prepare
from s3harness.evaluation.settings import RunSettings
from s3harness.files import write_json
from s3harness.plugins.manager import manager
from s3harness.probes.probe import Probe, load_probe
from s3harness.rundir.manifest import read_manifest
from s3harness.scoring.score_run import shown_through

SCHEMA = "s3harness/evidence/v1"
FILE = "evidence.json"
BASELINE = "baseline"
ALL = "all"


@dataclass(frozen=True)
class Probed:
    """One probe and its run, checked and planned."""

    name: str
    probe: Probe
    run: PreparedRun


def chosen(names: Sequence[str]) -> list[str]:
    """The names of probes, ``all`` being every registered one; :class:`UsageError` if one comes twice, or none does."""
    wanted = [n for name in names for n in (manager().registry.names("probe") if name == ALL else [name])]
    if not wanted or len(set(wanted)) < len(wanted):
        raise UsageError(
            "a probe is named twice"
            if wanted
            else "no probe is named; name some (s3harness plugins list --kind probe), or all"
        )
    return wanted


def prepare_probes(base: RunSettings, names: Sequence[str]) -> tuple[PreparedRun, list[Probed]]:
    """The run without a probe, and that of each, checked and planned; their directories are in ``base.out``.

    Raises :class:`UsageError` for what is wrong with the call or the data.
    """
    probes = {name: load_probe(name) for name in names}
    plain = replace(base, out=base.out / BASELINE, resume=True)
    plain = replace(plain, tasks=[task.name for task in prepare(plain).plan.requested])
    baseline = prepare(plain)
    runs = [
        Probed(name, probe, prepare(replace(plain, out=base.out / f"probe-{name}", probe=name)))
        for name, probe in probes.items()
    ]
    return baseline, runs


def profile(baseline: Path, probed: Mapping[str, Path]) -> list[Evidence]:
    """The evidence-use profile, from the directories of finished runs: without a probe, and with each."""
    before = read_said(baseline)
    return [
        row
        for name, directory in probed.items()
        for row in evidence(name, load_probe(name), before, read_said(directory))
    ]


def write_profile(out: Path, probed: Mapping[str, Path], rows: Sequence[Evidence]) -> dict[str, Any]:
    """Write ``evidence.json`` into the folder of the runs, and return what it holds."""
    run = read_manifest(out / BASELINE)["run"]
    found = {
        "schema": SCHEMA,
        "model": run["model"]["name"],
        "backend": run["backend"],
        "protocol": run["protocol"],
        "dataset": run["dataset"],
        "sees_truth": run["sees_truth"],
        "transforms": shown_through(run),
        "baseline": BASELINE,
        "probes": [_about(name, directory) for name, directory in probed.items()],
        "evidence": [asdict(row) for row in rows],
    }
    write_json(out / FILE, found)
    return found


def _about(name: str, directory: Path) -> dict[str, Any]:
    """What a probe did, as its run tells."""
    manifest = read_manifest(directory)
    probe = load_probe(name)
    return {
        "name": name,
        "title": probe.title,
        "version": probe.version,
        "directory": directory.name,
        "transforms": manifest["run"].get("transforms", []),
        "plugins": manifest["run"]["plugins"],
        "tasks": sorted(manifest["run"]["tasks"]),
        "failed": manifest.get("failed", 0),
    }
