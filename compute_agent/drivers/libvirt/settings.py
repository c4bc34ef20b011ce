"""What the libvirt driver is told about its host."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LibvirtSettings:
    """How to reach libvirt and what kind of domains to make.

    Attributes:
        uri: the libvirt URI, e.g. `qemu+unix:///system?socket=/run/.../libvirt-sock`.
        virt_type: `qemu` (emulation) or `kvm`; never probed, because libvirt advertises KVM where it does not run.
        machine: machine type of the guests.
        cpu_mode: libvirt's cpu mode (`host-model`, `host-passthrough`, `maximum`); empty for the hypervisor's default.
        tb_cache_mib: size of the translation cache under emulation; QEMU's own default costs far more memory.
        disk_folder: a folder on the file system whose size is the host's disk inventory.
        hostname: what to report as the hypervisor's name; empty for what libvirt says.
    """

    uri: str
    disk_folder: Path
    virt_type: str = "qemu"
    machine: str = "pc"
    cpu_mode: str = ""
    tb_cache_mib: int = 32
    hostname: str = ""
