"""Hypervisor drivers. `base` says what one promises; `fake` and `libvirt` both keep it and pass one test suite."""
