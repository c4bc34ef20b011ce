"""Disks on a host. `base` says what a driver promises; `fake` and `qcow2` both keep it."""
