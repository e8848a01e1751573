"""What answers requests: the contract of a backend, and those that need no engine."""
