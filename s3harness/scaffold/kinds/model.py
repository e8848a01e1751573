"""A model card: data, in the YAML file beside this module."""

from pathlib import Path

CARD = Path(__file__).with_name("newcomer.yaml")
