"""Templates of new plugins: ``s3harness plugins new`` writes a package that installs and passes its check."""
