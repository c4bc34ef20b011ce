"""The admin pages of the compute domain: one file for each subject. What they show is read, never edited by hand."""

from cloud.compute.admin import flavors, groups, hosts, keypairs, operations, servers, steps

__all__ = ["flavors", "groups", "hosts", "keypairs", "operations", "servers", "steps"]
