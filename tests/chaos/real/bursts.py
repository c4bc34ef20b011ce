"""Many servers at once, asked for as patient clients do: again while nobody answers, with a token that makes it one."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.real.client import SERVERS, Answer
from tests.chaos.real.clouds import ChaosCloud
from tests.chaos.real.requests import GONE, Stage
from tests.fixtures.clouds import wait_until


class Burst:
    """Servers of one name and a number each."""

    def __init__(self, cloud: ChaosCloud, name: str, count: int, network: str = "demo") -> None:
        self._cloud = cloud
        self._client = cloud.client
        self.name = name
        self._count = count
        stage = Stage(self._client, name, None)
        self._body = {"imageRef": stage.image(), "flavorRef": stage.flavor(),
                      "networks": [{"uuid": stage.find("/network/v2.0/networks", "networks", network)}]}
        self._accepted = threading.Semaphore(0)
        self.ids: list[str] = []
        self.answers: list[Answer] = []

    def run(
        self, event: Callable[[], object] | None = None, *, after: int = 0, threads: int = 8, patience: float = 120
    ) -> None:
        """Ask for all of them; let the event happen when `after` were accepted."""
        with ThreadPoolExecutor(threads) as pool:
            futures = [pool.submit(self._create, number, patience) for number in range(self._count)]
            if event is not None:
                for _ in range(after):
                    assert self._accepted.acquire(timeout=60)
                event()
            self.answers = [future.result() for future in futures]
        self.ids = [answer.body["server"]["id"] for answer in self.answers]

    def _create(self, number: int, patience: float) -> Answer:
        name = f"{self.name}-{number}"
        body = {"server": {"name": name, **self._body}}
        answer = self._client.insist("POST", SERVERS, body, seconds=patience, headers={"X-Client-Token": name})
        assert answer.status == 202, f"{answer} {answer.body}"
        self._accepted.release()
        return answer

    def servers(self) -> dict[str, dict[str, object]]:
        """Return those that are there, by id."""
        found: dict[str, dict[str, object]] = {}
        path = f"{SERVERS}/detail?limit=1000&name=%5E{self.name}-"
        while path:
            body = self._client.insist("GET", path).body
            found |= {one["id"]: one for one in body["servers"]}
            more = [link["href"] for link in body.get("servers_links", []) if link["rel"] == "next"]
            path = more[0][more[0].index("/compute") :] if more else ""
        return found

    def statuses(self) -> Counter[str]:
        """Return how many are in each status; what is under way is in none that is settled."""
        found = self.servers()
        return Counter(_status(found.get(id)) for id in self.ids)

    def settle(self, seconds: float) -> Counter[str]:
        """Wait until nothing is under way; return the statuses.

        Raises:
            AssertionError: something still is; the text shows some of it.
        """
        deadline = time.monotonic() + seconds
        while (statuses := self.statuses())["under way"]:
            assert time.monotonic() < deadline, f"{self.name}, {seconds:.0f} s later: {statuses}\n{self.explain()}"
            time.sleep(0.5)
        return statuses

    def explain(self) -> str:
        """Return what stands in the way of some that are not ACTIVE."""
        late = [id for id, one in self.servers().items() if _status(one) != "ACTIVE"]
        return "\n\n".join(self._cloud.manage("server_show", id) for id in late[:3])

    def delete(self, seconds: float = 120) -> None:
        """Delete all of them and wait until they are gone, in the books and on the hosts."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda one: self._client.delete_at_once(one, seconds), self.ids))
        wait_until(lambda: set(self.statuses()) == {GONE}, f"{self.name} to be gone", seconds)


def _status(server: dict[str, object] | None) -> str:
    if server is None:
        return GONE
    is_busy = server["OS-EXT-STS:task_state"] or server["status"] == "BUILD"
    return "under way" if is_busy else str(server["status"])
