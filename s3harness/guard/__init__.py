"""Guards: what may leave the machine, and what files of strangers may cost."""
