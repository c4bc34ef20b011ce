"""What hosts can carry networks by. The domain above, which hears of hosts, says which there are."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class HostUnderlay:
    """What a host said of itself.

    `tunnel_ip`: where other hosts reach its VXLAN networks; empty where it has none. `physical_networks`: the wires
    that it has. `network_types`: what its kernel can carry; empty where its agent did not say.
    """

    host: str
    tunnel_ip: str = ""
    physical_networks: tuple[str, ...] = ()
    network_types: tuple[str, ...] = ()


# Given names of hosts, or None for all.
Source = Callable[[Collection[str] | None], Sequence[HostUnderlay]]
# Given names of hosts: the addresses of those that have one, for whoever needs nothing else of a thousand.
Tunnels = Callable[[Collection[str]], Mapping[str, str]]
_sources: list[tuple[Source, Tunnels]] = []


def register(source: Source, tunnels: Tunnels) -> None:
    """Name who knows the hosts."""
    if (source, tunnels) not in _sources:
        _sources.append((source, tunnels))


def underlays(hosts: Collection[str] | None = None) -> list[HostUnderlay]:
    """Return what these hosts can carry, or all hosts can; hosts that never spoke are left out."""
    return [one for source, _ in _sources for one in source(hosts)]


def tunnel_addresses(hosts: Collection[str]) -> dict[str, str]:
    """Return the addresses, by host, of those that have one: one query."""
    return {host: address for _, tunnels in _sources for host, address in tunnels(hosts).items()}
