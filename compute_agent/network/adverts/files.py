"""What is advertised in each network, as files: who sends it needs neither the agent nor the control plane."""

import json
from pathlib import Path

from compute_agent.files import replace_file


class AdvertFiles:
    """A file for each network with guests here that hears advertisements. Who writes one holds the network's lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ensure(self, network_id: str, frames: dict[str, dict[str, str]]) -> None:
        """Have these frames sent in a network; without any, none."""
        if not frames:
            self.drop(network_id)
        elif not self.has(network_id, frames):
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(self._path(network_id), _text(frames))

    def has(self, network_id: str, frames: dict[str, dict[str, str]]) -> bool:
        """Whether these are sent, and no others."""
        path = self._path(network_id)
        return (path.read_bytes() == _text(frames)) if path.exists() else not frames

    def drop(self, network_id: str) -> None:
        """Have none sent in a network."""
        self._path(network_id).unlink(missing_ok=True)

    def clear(self) -> None:
        """Have none sent at all."""
        for path in self._folder.glob("*.json"):
            path.unlink(missing_ok=True)

    def _path(self, network_id: str) -> Path:
        return self._folder / f"{network_id}.json"


def _text(frames: dict[str, dict[str, str]]) -> bytes:
    return json.dumps(frames, sort_keys=True).encode()
