"""Plans the requests of a run and sends them to an engine: plan → executor → worker → backend."""
