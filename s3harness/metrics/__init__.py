"""The metrics, a module per kind of task; each is registered by name and named in a task spec."""
