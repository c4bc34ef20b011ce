"""The real hypervisor: QEMU through libvirt."""

from compute_agent.drivers.libvirt.driver import LibvirtDriver
from compute_agent.drivers.libvirt.settings import LibvirtSettings

__all__ = ["LibvirtDriver", "LibvirtSettings"]
