"""Reads of the compute domain."""
