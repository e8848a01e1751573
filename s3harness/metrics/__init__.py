"""The metrics, a module per kind of task; each is registered under the name that task specs use."""
