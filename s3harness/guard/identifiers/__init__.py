"""Identifiers of people in texts: rules and word lists of each kind, private words of a data set, and the search."""
