"""Task specs, model cards and the feature vocabulary: the benchmark as data, loaded, validated and resolved."""
