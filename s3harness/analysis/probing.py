"""Runs with probes: a baseline without any, then a run with each, in directories that can be resumed as any run's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from s3harness.analysis.evidence import EvidenceUse, evidence, read_comparable
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
class ProbeRun:
    """One probe and its run, checked and planned."""

    name: str
    probe: Probe
    run: PreparedRun


def expand_probe_names(names: Sequence[str]) -> list[str]:
    """Return names of probes, with ``all`` replaced by every registered one.

    Raises :class:`UsageError` if a probe is named twice, or if none is named.
    """
    expanded = [n for name in names for n in (manager().registry.names("probe") if name == ALL else [name])]
    # Two runs of one probe would share a directory.
    if not expanded or len(set(expanded)) < len(expanded):
        raise UsageError(
            "a probe is named twice"
            if expanded
            else "no probe is named; name some (s3harness plugins list --kind probe), or all"
        )
    return expanded


def prepare_probes(base: RunSettings, names: Sequence[str]) -> tuple[PreparedRun, list[ProbeRun]]:
    """Plan the run without a probe, and one with each, in directories in ``base.out``; nothing is sent yet.

    Raises :class:`UsageError` for errors of the call or the data.
    """
    # All probes are loaded first: a misspelt name must not be noticed after hours of the baseline.
    probes = {name: load_probe(name) for name in names}
    plain = replace(base, out=base.out / BASELINE, resume=True)
    # The tasks of the baseline are fixed, so that every probe is compared on the same ones.
    plain = replace(plain, tasks=[task.name for task in prepare(plain).plan.requested])
    baseline = prepare(plain)
    runs = [
        ProbeRun(name, probe, prepare(replace(plain, out=base.out / f"probe-{name}", probe=name)))
        for name, probe in probes.items()
    ]
    return baseline, runs


def profile(baseline: Path, probed: Mapping[str, Path]) -> list[EvidenceUse]:
    """Compute the evidence-use profile from the directories of finished runs, without a probe and with each."""
    before = read_comparable(baseline)
    return [
        row
        for name, directory in probed.items()
        for row in evidence(name, load_probe(name), before, read_comparable(directory))
    ]


def write_profile(out: Path, probed: Mapping[str, Path], rows: Sequence[EvidenceUse]) -> dict[str, Any]:
    """Write ``evidence.json`` into the folder of the runs, and return its content."""
    # The baseline's manifest stands for all: the runs differ in their probe alone.
    run = read_manifest(out / BASELINE)["run"]
    content = {
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
    write_json(out / FILE, content)
    return content


def _about(name: str, directory: Path) -> dict[str, Any]:
    """Describe a probe and its run from the run's manifest."""
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
