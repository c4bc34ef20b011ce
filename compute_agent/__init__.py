"""The compute agent: one per host. It drives libvirt and the kernel, and knows neither Django nor the database."""
