"""``python -m s3harness``."""

from s3harness.cli import main

main()
