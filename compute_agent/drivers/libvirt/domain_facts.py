"""From libvirt's description of a domain to what matters of it."""

from xml.etree import ElementTree as ET

from compute_agent.drivers.base import DomainFacts, PowerState

_KIB_OF = {"KiB": 1, "MiB": 1024, "GiB": 1024**2}


def read_domain(xml: str, state: PowerState) -> DomainFacts:
    """Return the facts of a description, which libvirtd itself wrote."""
    document = ET.fromstring(xml)  # noqa: S314 - libvirtd's own words
    memory = document.find("memory")
    kib = int(_text(memory)) * _KIB_OF[memory.get("unit", "KiB")] if memory is not None else 0
    return DomainFacts(
        name=_text(document.find("name")),
        state=state,
        vcpus=int(_text(document.find("vcpu")) or 0),
        memory_mb=kib // 1024,
        disks=tuple(one.get("file", "") for one in document.findall("devices/disk/source")),
        taps=tuple(one.get("dev", "") for one in document.findall("devices/interface/target")),
    )


def _text(element: ET.Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""
