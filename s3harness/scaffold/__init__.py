"""New plugins: ``s3harness plugins new`` writes a package that installs, passes its check and runs as it is written."""
