"""The admin pages of the compute domain: one file for each subject. What they show is read, never edited by hand."""

from cloud.compute.admin import (
    credentials,
    discrepancies,
    flavors,
    groups,
    hosts,
    keypairs,
    migrations,
    operations,
    servers,
    steps,
)

__all__ = [
    "credentials", "discrepancies", "flavors", "groups", "hosts", "keypairs", "migrations", "operations", "servers",
    "steps",
]  # fmt: skip
