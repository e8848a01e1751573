"""From a run's journal to its scores: read, aggregate, measure. Pure and offline."""
