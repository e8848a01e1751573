"""Analyses of scores and annotations: comparisons of runs, causes of errors, agreement of annotators."""
