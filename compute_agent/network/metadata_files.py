"""What the metadata service answers, as files: one per address of a port, written when the port is plugged.

So the service needs neither the agent nor the control plane to answer a guest that boots while both are down.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any

from compute_agent.files import replace_file
from compute_agent.network.forwarding import link_local
from compute_agent.network.ports import PluggedPort
from compute_agent.network_data import network_data

log = logging.getLogger(__name__)


class MetadataFiles:
    """The files, by network and address: the two things by which a caller is known."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)  # user data holds tenants' secrets

    def write(self, port: PluggedPort, ports: list[PluggedPort], metadata: dict[str, object], user_data: str) -> None:
        """Have a document for each address of the port; `ports` are all of its instance, in the guest's order."""
        document = {
            "port_id": port.spec.id,
            "port_ids": [one.spec.id for one in ports],
            "instance_uuid": port.instance_uuid,
            "mac_address": port.spec.mac_address,
            "metadata": metadata,
            "user_data": user_data,
            "network": network_data([one.spec for one in ports]),
        }
        folder = self._folder / port.spec.network.id
        folder.mkdir(parents=True, exist_ok=True)
        ipv4, ipv6 = port.addresses(4), port.addresses(6)
        # Who asks the address that is on the link does so from its own address on the link.
        addresses = {*ipv4, *ipv6, *([link_local(port.spec.mac_address)] if ipv6 else ())}
        for address in addresses:
            content = json.dumps({**document, "address": address if address in ipv4 else next(iter(ipv4), "")})
            replace_file(folder / f"{address}.json", content.encode())
        self._drop_others(port, addresses)

    def readdress(self, port: PluggedPort, ports: list[PluggedPort]) -> None:
        """Have the port's documents under the addresses that it has now; `ports` are all of its instance."""
        folder = self._folder / port.spec.network.id
        documents = [one for path in sorted(folder.glob("*.json")) for one in _read(path)]
        mine = next((one for one in documents if one["port_id"] == port.spec.id), None)
        if mine is not None:
            order = {port_id: place for place, port_id in enumerate(mine["port_ids"])}
            known = sorted((one for one in ports if one.spec.id in order), key=lambda one: order[one.spec.id])
            self.write(port, known, mine["metadata"], mine["user_data"])

    def drop(self, port: PluggedPort) -> None:
        """Remove the port's documents, and the network's folder with the last of them."""
        self._drop_others(port, set())
        folder = self._folder / port.spec.network.id
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()

    def port_ids(self) -> set[str]:
        """Return the ids of the ports that have a document."""
        return {document["port_id"] for path in self._folder.glob("*/*.json") for document in _read(path)}

    def addresses(self) -> dict[str, set[str]]:
        """Return the addresses from which each port is known, by port id."""
        found: dict[str, set[str]] = {}
        for path in self._folder.glob("*/*.json"):
            for document in _read(path):
                found.setdefault(document["port_id"], set()).add(path.stem)
        return found

    def clear(self) -> None:
        """Remove all documents."""
        for folder in list(self._folder.iterdir()):
            rmtree(folder, ignore_errors=True)

    def _drop_others(self, port: PluggedPort, addresses: set[str]) -> None:
        for path in (self._folder / port.spec.network.id).glob("*.json"):
            if path.stem not in addresses and any(document["port_id"] == port.spec.id for document in _read(path)):
                path.unlink(missing_ok=True)


def _read(path: Path) -> Iterator[dict[str, Any]]:
    """Return the document, or nothing when it was removed meanwhile or is broken: the next plug writes it anew."""
    try:
        yield json.loads(path.read_text())
    except FileNotFoundError:
        return
    except ValueError as exc:
        log.warning("%s is broken and ignored: %s", path, exc)
