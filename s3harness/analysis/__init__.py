"""What scores mean: comparisons of runs."""
