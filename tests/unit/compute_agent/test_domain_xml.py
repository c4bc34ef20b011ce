"""A domain's XML says what its spec says, and nothing that a tenant could smuggle in."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from compute_agent.drivers.base import DiskSource, DomainSpec, Interface
from compute_agent.drivers.libvirt.capabilities import Processor, read_processor, traits
from compute_agent.drivers.libvirt.domain_xml import MARK_NAMESPACE, domain_xml
from compute_agent.drivers.libvirt.settings import LibvirtSettings
from compute_agent.errors import DriverError

SETTINGS = LibvirtSettings(uri="test:///default", disk_folder=Path("/"))
SPEC = DomainSpec(
    uuid="6f7a1f0e-0000-4000-8000-000000000001",
    name="instance-00000001",
    vcpus=2,
    memory_mb=96,
    disks=(
        DiskSource(path="/d/disk", disk_format="qcow2"),
        DiskSource(path="/d/eph", disk_format="raw", serial="abc"),
        DiskSource(path="/d/config", disk_format="raw", device="cdrom", bus="ide"),
    ),
    interfaces=(Interface(tap="tap1", mac_address="fa:16:3e:00:00:01", mtu=1450),),
    console_log="/d/console.log",
)


def built(spec: DomainSpec = SPEC, settings: LibvirtSettings = SETTINGS) -> ET.Element:
    return ET.fromstring(domain_xml(spec, settings))  # noqa: S314 - our own


def test_it_has_the_size_and_the_mark_of_its_spec() -> None:
    domain = built()
    assert domain.get("type") == "qemu"
    assert domain.findtext("uuid") == SPEC.uuid
    assert (domain.findtext("memory"), domain.findtext("vcpu")) == ("96", "2")
    assert domain.find(f"metadata/{{{MARK_NAMESPACE}}}instance") is not None


def test_disks_name_their_format_and_their_place() -> None:
    disks = built().findall("devices/disk")
    assert [disk.find("driver").get("type") for disk in disks] == ["qcow2", "raw", "raw"]
    assert [disk.find("target").get("dev") for disk in disks] == ["vda", "vdb", "hda"]
    assert [disk.findtext("serial") for disk in disks] == [None, "abc", None]
    assert disks[2].find("readonly") is not None


def test_q35_has_no_ide_so_the_config_drive_moves_to_sata() -> None:
    disk = built(settings=replace(SETTINGS, machine="q35")).findall("devices/disk")[2]
    assert (disk.find("target").get("bus"), disk.find("target").get("dev")) == ("sata", "sda")


def test_an_interface_sits_on_a_tap_that_libvirt_does_not_manage() -> None:
    interface = built().find("devices/interface")
    assert interface.get("type") == "ethernet"
    assert interface.find("target").attrib == {"dev": "tap1", "managed": "no"}
    assert interface.find("mtu").get("size") == "1450"


def test_the_console_is_appended_to_its_log() -> None:
    assert built().find("devices/serial/log").attrib == {"file": "/d/console.log", "append": "on"}


def test_the_translation_cache_is_for_emulation_only() -> None:
    assert built().findtext("features/tcg/tb-cache") == "32"
    assert built(settings=replace(SETTINGS, virt_type="kvm")).find("features/tcg") is None


def test_markup_in_a_value_stays_a_value() -> None:
    hostile = "/d/x'/><source file='/etc/shadow"
    domain = built(replace(SPEC, disks=(DiskSource(path=hostile, disk_format="raw"),)))
    assert [source.get("file") for source in domain.iter("source")] == [hostile]


@pytest.mark.parametrize("character", ["\0", "\n", "\x1b", "\x7f", "\x9b", "\ufffe"])
def test_control_characters_are_refused(character: str) -> None:
    with pytest.raises(DriverError, match="control character"):
        domain_xml(replace(SPEC, name=f"a{character}b"), SETTINGS)


def test_models_and_buses_come_from_a_list() -> None:
    with pytest.raises(DriverError, match="vmxnet99"):
        domain_xml(replace(SPEC, interfaces=(replace(SPEC.interfaces[0], model="vmxnet99"),)), SETTINGS)
    with pytest.raises(DriverError, match="xen"):
        domain_xml(replace(SPEC, disks=(replace(SPEC.disks[0], bus="xen"),)), SETTINGS)


def test_an_emulated_processor_claims_none_of_the_hosts_features() -> None:
    processor = Processor("x86_64", "EPYC", "AMD", ("avx2", "aes", "unheard-of"))
    assert "HW_CPU_X86_AVX2" in traits(processor, "kvm")
    assert not [trait for trait in traits(processor, "qemu") if trait.startswith("HW_CPU")]


def test_capabilities_that_say_little_are_enough() -> None:
    assert read_processor("<capabilities><host/></capabilities>").architecture == "x86_64"
    cpu = "<cpu><arch>x86_64</arch><model>EPYC</model><vendor>AMD</vendor><feature name='aes'/><feature/></cpu>"
    assert read_processor(f"<capabilities><host>{cpu}</host></capabilities>").features == ("aes",)
