"""Probes: repeat the questions of a run with changed clips or other wordings, and compare the answers.

No label is needed: the expected answer follows from the change and from the answer before it. A probe is a registered
:class:`~s3harness.probes.probe.Probe`, built in or of a plugin; every transform can be used as a probe too.
"""
