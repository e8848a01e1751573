"""Mutated files, replies and texts for every parser of outside data, in processes with limits: ``make fuzz``."""
