"""What is said in each network, as files: who says it needs neither the agent nor the control plane."""

import json
from pathlib import Path
from typing import Any

from compute_agent.files import replace_file


class SaidFiles:
    """A file for each network with guests here that are told something. Who writes one holds the network's lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ensure(self, network_id: str, content: dict[str, Any]) -> None:
        """Have this said in a network; nothing for an empty one."""
        if not content:
            self.drop(network_id)
        elif not self.has(network_id, content):
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(self._path(network_id), _text(content))

    def has(self, network_id: str, content: dict[str, Any]) -> bool:
        """Whether this is said, and nothing else."""
        path = self._path(network_id)
        return (path.read_bytes() == _text(content)) if path.exists() else not content

    def said(self, network_id: str) -> dict[str, Any]:
        """Return what is said in a network; a broken file says nothing."""
        try:
            found: dict[str, Any] = json.loads(self._path(network_id).read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return found

    def drop(self, network_id: str) -> None:
        """Have nothing said in a network."""
        self._path(network_id).unlink(missing_ok=True)

    def clear(self) -> None:
        """Have nothing said at all."""
        for path in self._folder.glob("*.json"):
            path.unlink(missing_ok=True)

    def _path(self, network_id: str) -> Path:
        return self._folder / f"{network_id}.json"


def _text(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True).encode()
