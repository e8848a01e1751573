"""Model cards derived from the configuration files of a checkpoint, without code, weights or an engine."""
