"""From a DomainSpec to libvirt's domain XML: built of elements, never of strings.

Reference: https://libvirt.org/formatdomain.html
"""

import re
from collections.abc import Iterator
from itertools import chain
from string import ascii_lowercase
from xml.etree import ElementTree as ET

from compute_agent.drivers.base import DiskSource, DomainSpec, Interface
from compute_agent.drivers.libvirt.settings import LibvirtSettings
from compute_agent.errors import DriverError

MARK_NAMESPACE = "urn:novella:instance:1"
"""A domain that has an element of this namespace in its metadata is ours; others are invisible to the driver."""

ET.register_namespace("novella", MARK_NAMESPACE)

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_PREFIX_BY_BUS = {"virtio": "vd", "ide": "hd", "sata": "sd", "scsi": "sd"}
_INTERFACE_MODELS = frozenset({"virtio", "e1000", "e1000e", "rtl8139", "ne2k_pci", "pcnet"})

# Stock images look for these to learn that a metadata service is there (cloud-init's ds-identify).
_SMBIOS_SYSTEM = {"manufacturer": "OpenStack Foundation", "product": "OpenStack Nova", "version": "1"}


def domain_xml(spec: DomainSpec, settings: LibvirtSettings) -> str:
    """Return the definition of the domain.

    Raises:
        DriverError: the spec holds a control character, or a bus or interface model that no domain may have.
    """
    domain = ET.Element("domain", type=settings.virt_type)
    _text(domain, "name", spec.name)
    _text(domain, "uuid", spec.uuid)
    ET.SubElement(ET.SubElement(domain, "metadata"), f"{{{MARK_NAMESPACE}}}instance")
    _text(domain, "memory", str(spec.memory_mb), unit="MiB")
    _text(domain, "vcpu", str(spec.vcpus))
    domain.append(_system(settings))
    domain.append(_smbios(spec))
    domain.append(_features(settings))
    if settings.cpu_mode:
        ET.SubElement(domain, "cpu", mode=settings.cpu_mode)
    ET.SubElement(domain, "clock", offset="utc")
    for event, action in (("poweroff", "destroy"), ("reboot", "restart"), ("crash", "destroy")):
        _text(domain, f"on_{event}", action)
    domain.append(_devices(spec, settings))
    _refuse_control_characters(domain)
    return ET.tostring(domain, encoding="unicode")


def copy_xml(path: str) -> str:
    """Return the description of an existing qcow2 file as the target of a block copy."""
    disk = ET.Element("disk", type="file")
    ET.SubElement(disk, "driver", type="qcow2")
    ET.SubElement(disk, "source", file=path)
    _refuse_control_characters(disk)
    return ET.tostring(disk, encoding="unicode")


def interface_xml(interface: Interface) -> str:
    """Return the description of one network card. Raises DriverError as `domain_xml` does."""
    element = _interface(interface)
    _refuse_control_characters(element)
    return ET.tostring(element, encoding="unicode")


def _system(settings: LibvirtSettings) -> ET.Element:
    system = ET.Element("os")
    _text(system, "type", "hvm", arch="x86_64", machine=settings.machine)
    ET.SubElement(system, "boot", dev="hd")
    ET.SubElement(system, "smbios", mode="sysinfo")
    return system


def _smbios(spec: DomainSpec) -> ET.Element:
    sysinfo = ET.Element("sysinfo", type="smbios")
    system = ET.SubElement(sysinfo, "system")
    for name, value in {**_SMBIOS_SYSTEM, "serial": spec.uuid, "uuid": spec.uuid, "family": "Virtual Machine"}.items():
        _text(system, "entry", value, name=name)
    return sysinfo


def _features(settings: LibvirtSettings) -> ET.Element:
    features = ET.Element("features")
    ET.SubElement(features, "acpi")
    ET.SubElement(features, "apic")
    if settings.virt_type == "qemu":
        _text(ET.SubElement(features, "tcg"), "tb-cache", str(settings.tb_cache_mib), unit="MiB")
    return features


def _devices(spec: DomainSpec, settings: LibvirtSettings) -> ET.Element:
    devices = ET.Element("devices")
    ET.SubElement(devices, "controller", type="usb", model="none")
    if any(disk.bus == "scsi" for disk in spec.disks):
        ET.SubElement(devices, "controller", type="scsi", model="virtio-scsi")
    devices.extend(list(_disks(spec.disks, settings)))
    devices.extend([_interface(interface) for interface in spec.interfaces])
    devices.extend(list(_console(spec.console_log)))
    balloon = ET.SubElement(devices, "memballoon", model="virtio")
    ET.SubElement(balloon, "stats", period="10")
    rng = ET.SubElement(devices, "rng", model="virtio")
    _text(rng, "backend", "/dev/urandom", model="random")
    return devices


def _disks(disks: tuple[DiskSource, ...], settings: LibvirtSettings) -> Iterator[ET.Element]:
    used: dict[str, int] = {}
    for disk in disks:
        bus = "sata" if disk.bus == "ide" and settings.machine.startswith("q35") else disk.bus
        prefix = _PREFIX_BY_BUS.get(bus)
        if prefix is None:
            raise DriverError(f"disk bus {bus!r} is not known")
        letter = ascii_lowercase[used.setdefault(prefix, 0)]
        used[prefix] += 1
        yield _disk(disk, f"{prefix}{letter}", bus)


def _disk(disk: DiskSource, target: str, bus: str) -> ET.Element:
    element = ET.Element("disk", type="file", device=disk.device)
    driver = ET.SubElement(element, "driver", name="qemu", type=disk.disk_format, cache="writeback")
    if disk.device == "disk":
        driver.set("discard", "unmap")
    else:
        ET.SubElement(element, "readonly")
    ET.SubElement(element, "source", file=disk.path)
    ET.SubElement(element, "target", dev=target, bus=bus)
    if disk.serial:
        _text(element, "serial", disk.serial)
    return element


def _interface(interface: Interface) -> ET.Element:
    """A virtual network card on a tap that somebody else made and keeps."""
    if interface.model not in _INTERFACE_MODELS:
        raise DriverError(f"network interface model {interface.model!r} is not known")
    element = ET.Element("interface", type="ethernet")
    ET.SubElement(element, "mac", address=interface.mac_address)
    ET.SubElement(element, "target", dev=interface.tap, managed="no")
    ET.SubElement(element, "model", type=interface.model)
    ET.SubElement(element, "mtu", size=str(interface.mtu))
    return element


def _console(log: str) -> Iterator[ET.Element]:
    serial = ET.Element("serial", type="pty")
    if log:
        ET.SubElement(serial, "log", file=log, append="on")
    ET.SubElement(serial, "target", port="0")
    yield serial
    console = ET.Element("console", type="pty")
    ET.SubElement(console, "target", type="serial", port="0")
    yield console


def _text(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = text


def _refuse_control_characters(root: ET.Element) -> None:
    for element in root.iter():
        for text in chain(element.attrib.values(), [element.text or ""]):
            if _UNPRINTABLE.search(text):
                raise DriverError(f"control character in {element.tag}: {text!r}")
