"""Measurements. Each module prints what it measured as JSON and as a table."""
