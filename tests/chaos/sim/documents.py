"""What a fake host asks of its networks: through the API's handler, without a socket."""

from typing import Any
from urllib.parse import urlsplit

import msgspec

from compute_agent.errors import TransferFailed
from compute_agent.operations import sync_networks
from contracts.networks import HostNetworks
from tests.chaos.sim.http import Api
from tests.chaos.sim.world import World

_OK = 200


def install(world: World) -> None:
    """Let the hosts of this process ask the API of this world."""
    api = Api()

    def post(url: str, body: bytes) -> Any:
        parts = urlsplit(url)
        answers: list[Any] = []
        world.act("api", lambda: answers.append(api.ask("POST", f"{parts.path}?{parts.query}", body)))
        return answers[0] if answers else None

    def fetch(url: str, known: dict[str, dict[str, str]]) -> HostNetworks:
        errand = world.errands.current
        assert errand is not None
        answer = errand.ask(lambda: post(url, msgspec.json.encode({"known": known})))
        if answer is None or answer.status_code != _OK:
            raise TransferFailed(f"the control plane answered {answer and answer.status_code}")
        return msgspec.json.decode(answer.content, type=HostNetworks)

    sync_networks.fetch = fetch
