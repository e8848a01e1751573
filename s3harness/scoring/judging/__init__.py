"""Scores that a model gives as a judge: asked apart from the run, journalled, and added to its scores."""
