"""The `meterhouse` command: every job that a person runs, with --help, progress and a non-zero exit on failure. No SQL, no parsing."""
