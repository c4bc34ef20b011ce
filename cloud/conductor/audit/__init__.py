"""The auditor: invariants that hold for a healthy cloud, each a function that yields what breaks it."""
