"""Resource providers, inventories, allocations: what there is, and who holds it."""
