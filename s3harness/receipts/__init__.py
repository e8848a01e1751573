"""Receipts: the inputs that a model got from this harness, compared with those of the model's own processor."""
