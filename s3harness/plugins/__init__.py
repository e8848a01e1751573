"""The contract with plugins: hooks, the registry of names, and the manager that finds and loads what is installed."""
