"""What a network driver promises. Desired state goes in, the kernel is looked at, the difference is made."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from compute_agent.network.underlay import Underlay
from contracts.compute import PortSpec
from contracts.inspection import PortAsked, PortSeen
from contracts.networks import HostNetworks


class NetworkDriver(Protocol):
    """Taps, bridges, DHCP and the metadata address of one host. Methods may raise VifPlugFailed."""

    def plug(self, instance_uuid: str, ports: list[PortSpec], metadata: dict[str, object], user_data: str) -> None:
        """Make everything that the ports need, and nothing twice.

        Args:
            instance_uuid: owner of the ports.
            ports: all ports of the instance that shall be plugged.
            metadata: the instance's `meta_data.json`, answered to whoever asks from one of the ports.
            user_data: base64, or empty.
        """

    def unplug(self, instance_uuid: str, keep: Collection[str] = ()) -> None:
        """Remove the instance's taps, reservations and metadata, and what its networks needed if nobody else does.

        `keep`: ids of ports that stay as they are.
        """

    def tap_name(self, port_id: str) -> str:
        """Return the name of a port's tap: at most 15 characters, the same on every host."""

    def plugged_ports(self) -> dict[str, str]:
        """Return what is plugged, as {port id: instance uuid}; read back from the host, not remembered."""

    def leases(self) -> set[str]:
        """Return the ids of the ports that have a DHCP reservation."""

    def metadata_ports(self) -> set[str]:
        """Return the ids of the ports that the metadata service answers."""

    def inspect_ports(self, instance_uuid: str, asked: Sequence[PortAsked]) -> list[PortSeen]:
        """Return how the ports are that were asked for, and then any other of the instance; nothing is changed."""

    def syncing(self, wait_seconds: float) -> AbstractContextManager[None]:
        """Hold what only one at a time may do: fetch the document and apply it. Raises DeadlineExceeded."""

    def apply(self, document: HostNetworks) -> None:
        """Keep the document, or the difference, and let the kernel be as it says; established connections as well.

        An older version than the one that is kept changes nothing. A port that is plugged and not in it is closed.

        Raises:
            VifPlugFailed: something in it is not what it should be, and nothing was changed; or the kernel refused.
        """

    def follow_guests(self) -> None:
        """Deliver what is for a port without port security under the MAC address that its guest uses by now.

        Others know the port's own one alone. What counts is who last sent from an address that is the port's; of a
        port with port security, and of other addresses, nothing is believed.
        """

    def applied_version(self) -> int:
        """Return the version that the kernel has been brought to; 0 for none."""

    def known(self) -> dict[str, dict[str, str]]:
        """Return what is kept of the document, as {part: {key: digest of the entry}}."""

    def underlay(self) -> Underlay:
        """Return what this host can carry networks by."""

    def restore(self) -> None:
        """Bring back DHCP servers, bridges and rules that were lost while the agent was away."""

    def close(self) -> None:
        """Let go of sockets. Networks stay."""

    def purge(self) -> None:
        """Remove everything of ours on this host, whoever it belongs to; what is not ours stays."""
