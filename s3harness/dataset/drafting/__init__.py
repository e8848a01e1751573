"""Drafts of mappings: a table of a hospital understood by its headers and cells, for a person to confirm."""
