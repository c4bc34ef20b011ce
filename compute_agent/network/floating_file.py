"""What guests are told of the floating addresses that lead to them: one file of the host, made of its document."""

import json
from pathlib import Path

from compute_agent.files import replace_file
from contracts.networks import HostNetworks


class FloatingFile:
    """Who writes it has brought the kernel to the document."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ensure(self, document: HostNetworks) -> None:
        """Have it say {port id: addresses}, of those ports that have any."""
        found = {id: guard.floating_ips for id, guard in document.guards.items() if guard.floating_ips}
        content = json.dumps(found, sort_keys=True).encode()
        if not self._path.exists() or self._path.read_bytes() != content:
            replace_file(self._path, content)

    def drop(self) -> None:
        """Have nothing said."""
        self._path.unlink(missing_ok=True)
