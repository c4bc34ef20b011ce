"""Looks for the fault of one server: what the books say and what its host has, side by side, with what mends it."""
