"""What a host is asked about one instance when somebody looks for a fault, and what it sees."""

from typing import ClassVar

from contracts.envelope import Message, Order, Outcome


class PortAsked(Message, frozen=True, kw_only=True):
    """A port as it should be plugged on the host."""

    id: str
    mac_address: str
    network_id: str
    addresses: list[str] = []


class PortSeen(Message, frozen=True, kw_only=True):
    """A port as it is on the host.

    Attributes:
        has_tap: its tap is there, up, and in its network's bridge.
        is_held: a guest holds the tap open; one that does not is deaf, however whole the tap is.
        is_filtered: the firewall lets through what the port that was asked for may send, and nothing else.
        is_carried: its network goes to the other hosts as the host's document says; agents before did not look.
        is_limited: it has the bandwidth limits of the host's document, and no others; agents before did not look.
        is_served: the network has its namespace here, and the DHCP server that it should have runs.
        leased: the addresses that DHCP keeps for the port's MAC address.
        leased_ipv6: the addresses that DHCPv6 gives to the port's link-local address; None of agents that did not look,
            and knew nobody by an IPv6 address.
        answered: the addresses from which the metadata service knows it.
    """

    id: str
    has_tap: bool = False
    is_held: bool = False
    is_filtered: bool = False
    is_carried: bool = True
    is_limited: bool = True
    is_served: bool = False
    leased: list[str] = []
    leased_ipv6: list[str] | None = None
    answered: list[str] = []


class DomainSeen(Message, frozen=True, kw_only=True):
    """A domain as the hypervisor has it: names of the disks and taps that its definition names."""

    name: str
    power_state: int
    vcpus: int
    memory_mb: int
    disks: list[str] = []
    taps: list[str] = []


class DiskSeen(Message, frozen=True, kw_only=True):
    """A disk as it lies on the host. `problem` says why a guest could not use it; empty for none."""

    name: str
    size_bytes: int = 0
    problem: str = ""


class ServerInspected(Outcome, frozen=True, kw_only=True):
    """What of an instance is on the host; nothing at all is an answer too.

    `ports`: those that were asked for, in that order, and then any other that belongs to the instance.
    """

    domain: DomainSeen | None = None
    disks: list[DiskSeen] = []
    is_aside: bool = False
    ports: list[PortSeen] = []


class InspectServer(Order, frozen=True, kw_only=True):
    """Look at all that the host has of an instance, and change nothing."""

    NAME: ClassVar[str] = "compute.v1.inspect_server"
    OUTCOME: ClassVar[type[Outcome]] = ServerInspected
    ports: list[PortAsked] = []
