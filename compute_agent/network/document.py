"""What may pass this host's ports, as the control plane said last: one file, whole or as it was before."""

import ipaddress
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from compute_agent.errors import VifPlugFailed
from compute_agent.files import replace_file
from compute_agent.network.adverts.frames import MODES
from compute_agent.network.told import check_addresses, check_options, check_subnet
from contracts.networks import (
    ANY,
    PARTS,
    AdvertSpec,
    GroupSpec,
    GuardSpec,
    HostNetworks,
    LimitSpec,
    MembersSpec,
    NeighboursSpec,
    RouterSpec,
    RuleSpec,
    SegmentSpec,
    digest,
)

log = logging.getLogger(__name__)

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIRECTIONS = ("ingress", "egress")
_LARGEST_PROTOCOL, _LARGEST_PORT = 255, 65_535
_WORD = re.compile(r"[a-z]{1,16}")
_SMALLEST_MTU, _LARGEST_MTU = 68, 65_535
_LARGEST_NUMBERS = {"vxlan": 2**24 - 1, "geneve": 2**24 - 1, "vlan": 4094}
_LARGEST_LIMIT = 2**31 - 1
_MOST_NAME_SERVERS = 16
_REMEMBERED = 8_192
Entry = TypeVar("Entry")
_EMPTY = HostNetworks(host="", version=0)


class Kept(msgspec.Struct, frozen=True):
    """The document, and the version of it that the kernel has been brought to."""

    document: HostNetworks = _EMPTY
    applied: int = 0

    def known(self) -> dict[str, dict[str, str]]:
        """Return {part: {key: digest}}."""
        return {part: {key: digest(entry) for key, entry in getattr(self.document, part).items()} for part in PARTS}


class DocumentFile:
    """Where the document is kept; without a path, in memory alone. Who changes it holds the lock of the host's guards.

    The file is the truth for all processes of the host; it is read again only when it is another one.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._kept = Kept()

    def load(self) -> Kept:
        """Return what is kept. A broken file is none: every port is closed until the control plane is heard."""
        if self._path is None:
            return self._kept
        try:
            facts = _facts(self._path)
        except FileNotFoundError:
            self._seen, self._kept = None, Kept()
            return self._kept
        if self._seen != facts:
            self._kept, self._seen = _read(self._path), facts
        return self._kept

    def save(self, kept: Kept) -> None:
        """Keep it, through a power cut as well."""
        if self._path is None:
            self._kept = kept
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(self._path, msgspec.json.encode(kept), is_lasting=True)
        self._kept, self._seen = kept, _facts(self._path)

    def drop(self) -> None:
        """Forget it."""
        self._kept = Kept()
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _facts(path: Path) -> tuple[int, int]:
    seen = path.stat()
    return seen.st_ino, seen.st_mtime_ns


def _read(path: Path) -> Kept:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except msgspec.DecodeError as exc:
        log.warning("%s is broken and ignored: %s", path, exc)
        return Kept()


def merged(old: HostNetworks, news: HostNetworks) -> HostNetworks:
    """Return the document with the difference in it."""
    parts: dict[str, Any] = {
        part: _part(getattr(old, part), getattr(news, part), news.gone.get(part, ())) for part in PARTS
    }
    return HostNetworks(host=news.host, version=news.version, **parts)


def _part(old: Mapping[str, Entry], news: Mapping[str, Entry], gone: Iterable[str]) -> dict[str, Entry]:
    forgotten = set(gone)
    return {key: entry for key, entry in old.items() if key not in forgotten} | dict(news)


def check(document: HostNetworks) -> None:
    """Let nothing become a name or a rule that has not the form of what it says to be.

    Raises:
        VifPlugFailed: something has not; nothing of such a document is believed.
    """
    try:
        for part, check_entry in _CHECKS.items():
            for key, entry in getattr(document, part).items():
                _require(_ID.fullmatch(key), key)
                check_entry(entry)
    except ValueError as exc:
        raise VifPlugFailed(f"document of the networks, version {document.version}: {exc}") from exc


# With each newcomer its group and its network come again whole: what was right once is not looked at anew.
@lru_cache(_REMEMBERED)
def _check_prefix(text: str) -> None:
    ipaddress.ip_network(text, strict=False)


@lru_cache(_REMEMBERED)
def _check_unicast(text: str) -> None:
    address = ipaddress.ip_address(text)
    _require(not (address.is_multicast or address.is_unspecified or address.is_loopback), text)


def _check_guard(guard: GuardSpec) -> None:
    for mac in (guard.mac_address, *(pair.mac_address for pair in guard.pairs)):
        _require(_MAC.fullmatch(mac), mac)
    check_addresses((*guard.addresses, *guard.floating_ips))
    check_options(guard.dhcp_options)
    for pair in guard.pairs:
        ipaddress.ip_network(pair.ip_prefix, strict=False)
    for id in guard.group_ids:
        _require(_ID.fullmatch(id), id)


def _check_group(group: GroupSpec) -> None:
    for rule in group.rules:
        _check_rule(rule)


def _check_members(members: MembersSpec) -> None:
    for address in members.addresses:
        _check_prefix(address)


def _check_segment(segment: SegmentSpec) -> None:
    _require(_WORD.fullmatch(segment.network_type), segment.network_type)
    _require(_SMALLEST_MTU <= segment.mtu <= _LARGEST_MTU, segment.mtu)
    _require(0 <= segment.segmentation_id <= _LARGEST_NUMBERS.get(segment.network_type, 0), segment.segmentation_id)
    _require(segment.segmentation_id or segment.network_type not in _LARGEST_NUMBERS, "a segment without a number")
    _require(segment.physical_network.isprintable(), segment.physical_network)
    check_addresses(segment.routed)
    for subnet in segment.subnets:
        check_subnet(subnet)
    for one in (*segment.adverts, *segment.leased):
        _check_advert(one)


def _check_advert(advert: AdvertSpec) -> None:
    ipaddress.IPv6Network(advert.cidr)
    _require(advert.mode in MODES, advert.mode)
    _require(not advert.router_mac or _MAC.fullmatch(advert.router_mac), advert.router_mac)
    _require(len(advert.name_servers) <= _MOST_NAME_SERVERS, "too many name servers")
    for address in advert.name_servers:
        ipaddress.IPv6Address(address)


def _check_neighbours(neighbours: NeighboursSpec) -> None:
    for port in neighbours.ports:
        _require(_MAC.fullmatch(port.mac_address), port.mac_address)
        _require(int(port.mac_address[:2], 16) % 2 == 0, port.mac_address)  # else it stands for many
        for address in (*port.addresses, port.tunnel_ip):
            _check_unicast(address)


def _check_router(router: RouterSpec) -> None:
    for port in (*router.interfaces, *([router.gateway] if router.gateway else [])):
        for id in (port.port_id, port.network_id):
            _require(_ID.fullmatch(id), id)
        _require(_MAC.fullmatch(port.mac_address), port.mac_address)
        for address in port.addresses:
            _require("/" in address, address)
            ipaddress.ip_interface(address)
    for one in router.floating_ips:
        for address in (one.floating_address, one.fixed_address):
            ipaddress.IPv4Address(address)
    for route in router.routes:
        ipaddress.ip_network(route.destination)
    for hop in (*router.gateway_ips, *(route.nexthop for route in router.routes)):
        ipaddress.ip_address(hop)


def _check_limit(limit: LimitSpec) -> None:
    for value in msgspec.structs.astuple(limit):
        _require(0 <= value <= _LARGEST_LIMIT, value)


def _check_rule(rule: RuleSpec) -> None:
    _require(rule.direction in _DIRECTIONS, rule.direction)
    _require(rule.ip_version in (4, 6), rule.ip_version)
    _require(ANY <= rule.protocol <= _LARGEST_PROTOCOL, rule.protocol)
    _require(ANY <= rule.port_min <= _LARGEST_PORT, rule.port_min)
    _require(ANY <= rule.port_max <= _LARGEST_PORT, rule.port_max)
    _require(not (rule.remote_prefix and rule.remote_group_id), "a rule with two remotes")
    if rule.remote_group_id:
        _require(_ID.fullmatch(rule.remote_group_id), rule.remote_group_id)
    if rule.remote_prefix:
        network = ipaddress.ip_network(rule.remote_prefix, strict=False)
        _require(network.version == rule.ip_version, rule.remote_prefix)


_CHECKS: Mapping[str, Callable[[Any], None]] = {
    "guards": _check_guard, "groups": _check_group, "members": _check_members, "networks": _check_segment,
    "neighbours": _check_neighbours, "routers": _check_router, "limits": _check_limit,
}  # fmt: skip


def _require(is_right: object, what: object) -> None:
    if not is_right:
        raise ValueError(f"{what!r} is not what it should be")
