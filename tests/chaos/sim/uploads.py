"""What a fake host leaves with the control plane: through the API's handler, without a socket."""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from compute_agent.errors import TransferFailed
from compute_agent.storage import fake_moves
from tests.chaos.sim.http import Api
from tests.chaos.sim.world import World


class Sent(NamedTuple):
    size_bytes: int
    sha256: str


def install(world: World) -> None:
    """Let the fake disks of this process be sent to the API of this world."""
    api = Api()

    def put(path: Path, url: str) -> int:
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}"
        answers: list[int] = []
        body = path.read_bytes()
        world.act("api", lambda: answers.append(
            api.ask("PUT", target, body, "application/octet-stream").status_code
        ))
        return answers[0] if answers else 0

    class Uploads:
        def __init__(self, timeout_seconds: float, pauses: tuple[float, ...] = ()) -> None:
            self.timeout_seconds, self.pauses = timeout_seconds, pauses

        def send(self, path: Path, url: str) -> Sent:
            errand = world.errands.current
            assert errand is not None
            status = errand.ask(lambda: put(path, url))
            if not isinstance(status, int) or not 200 <= status < 300:
                raise TransferFailed(f"the control plane answered {status}")
            return Sent(path.stat().st_size, "")

    fake_moves.Transfers = Uploads
