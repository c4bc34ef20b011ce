"""Functions that make rows for tests, one file for each domain."""
