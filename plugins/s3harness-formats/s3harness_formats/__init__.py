"""Annotation files of epilepsy units: ELAN, BORIS, EDF+, BIDS with HED-SCORE tags, Label Studio; read and written."""

import s3harness

NAMES = {"elan": "elan", "boris": "boris", "edf": "edf", "bids": "bids", "label-studio": "label_studio"}
"""Name on the command line → module and suffix of its functions."""
FILES = {
    "elan": ("*.eaf", "*/*.eaf"),
    "boris": ("*.boris", "*/*.boris"),
    "edf": ("*.edf", "*/*.edf"),
    "bids": ("*_events.tsv", "*/*_events.tsv"),
    "label-studio": ("*.json",),
}
"""Name → patterns of the files and folders that its importer takes."""


@s3harness.hookimpl
def s3harness_register(registry: s3harness.Registrar) -> None:
    """Register an importer and an exporter for each format."""
    for name, module in NAMES.items():
        registry.dataset(name, f"s3harness_formats.importers:import_{module}", files=FILES[name])
        registry.exporter(name, f"s3harness_formats.{module}:export_{module}")
