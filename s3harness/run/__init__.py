"""A run: plan → execute → journal, with a manifest that says everything that determined the answers."""
