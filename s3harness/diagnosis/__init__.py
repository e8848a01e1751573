"""From perceived signs to a diagnosis: a classifier of Task-1 vectors that is never scored on whom it was fitted on."""
