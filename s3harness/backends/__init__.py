"""Backends, which answer requests: the contract, and the backends that need no engine."""
