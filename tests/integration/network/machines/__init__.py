"""Machines of their own for tests: a kernel that has what the one we run on may lack."""
