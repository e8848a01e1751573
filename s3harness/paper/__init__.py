"""Readers of the authors' release, reproduction of the published numbers, and strict scores of the predictions."""
