"""Probes: the same questions asked of clips that were changed, or asked in other words.

No label is needed: what an answer should become follows from what was done and from the answer before. A probe is a
:class:`~s3harness.probes.probe.Probe`, by name, from here or from a plugin; any transform is one too.
"""
