"""Task specs: data, in the folder ``tasks`` beside this module."""

from pathlib import Path

FOLDER = Path(__file__).parent
