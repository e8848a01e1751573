"""Reads and writes the files of a run directory: journal, manifest, items, records of what was sent."""
