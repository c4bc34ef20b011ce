"""What of a host's report cannot be true, or cannot be kept: computes are not trusted."""

import ipaddress
from collections.abc import Iterator
from itertools import chain

from cloud.compute.models import ComputeNode
from cloud.placement.models import ProviderTrait
from contracts.conductor import HostReport
from contracts.routing import HOST_NAME

_MOST_INTEGER = 2**31 - 1
# No machine has more, and a host with all the world's memory would draw every server to itself.
_MOST = {
    "release": 10_000, "vcpus": 2**20, "memory_mb": _MOST_INTEGER, "disk_gb": _MOST_INTEGER,
    "hypervisor_version": _MOST_INTEGER, "running_vms": 2**20,
}  # fmt: skip
# What is free may be less than nothing where a disk is promised more than once.
_FREE = ("memory_mb_free", "disk_gb_free")
_TEXTS = (
    "hypervisor_hostname", "hypervisor_type", "host_ip", "architecture", "load_average", "uptime_text", "cpu_model",
    "cpu_vendor", "tunnel_ip",
)  # fmt: skip
_LISTS = ("traits", "cached_images", "cpu_features", "physical_networks", "network_types")
_MOST_ITEMS, _MOST_CHARACTERS = 4096, 255
_LAST_SECOND = 2.0**33  # in the year 2242


def fault(report: HostReport) -> str:
    """Return what is wrong with a report; empty for one that is believed."""
    if not HOST_NAME.fullmatch(report.host):
        return "this cannot be a host name"
    return next(chain(_numbers(report), _texts(report), _lists(report), _tunnel(report)), "")


def _numbers(report: HostReport) -> Iterator[str]:
    bounds = {
        **{name: (0, most) for name, most in _MOST.items()},
        **dict.fromkeys(_FREE, (-_MOST_INTEGER, _MOST_INTEGER)),
        "reported_at": (0, _LAST_SECOND), "started_at": (0, _LAST_SECOND),
        "clock_offset_seconds": (-_LAST_SECOND, _LAST_SECOND),
    }  # fmt: skip
    for name, (least, most) in bounds.items():
        number = getattr(report, name)
        if not least <= number <= most:  # nor is NaN between any two
            yield f"{name} is {number}"


def _texts(report: HostReport) -> Iterator[str]:
    columns = {one.name: one.max_length for one in ComputeNode._meta.concrete_fields}
    for name in _TEXTS:
        most = columns.get(name) or _MOST_CHARACTERS
        if len(getattr(report, name)) > most or "\0" in getattr(report, name):
            yield f"{name} is longer than {most} characters, or holds a NUL"


def _tunnel(report: HostReport) -> Iterator[str]:
    """Other hosts are told to send there."""
    if report.tunnel_ip:
        try:
            address = ipaddress.ip_address(report.tunnel_ip)
        except ValueError:
            yield "tunnel_ip is no address"
            return
        if address.is_multicast or address.is_unspecified or address.is_loopback:
            yield "tunnel_ip is the address of no host"


def _lists(report: HostReport) -> Iterator[str]:
    most = ProviderTrait._meta.get_field("name").max_length or _MOST_CHARACTERS
    for name in _LISTS:
        items = getattr(report, name)
        if len(items) > _MOST_ITEMS or any(len(one) > most or "\0" in one for one in items):
            yield f"{name} has more than {_MOST_ITEMS} items, or one of more than {most} characters or with a NUL"
