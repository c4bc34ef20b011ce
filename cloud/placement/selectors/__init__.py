"""Reads of the placement domain."""
