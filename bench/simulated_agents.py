"""Agents as Redis and the control plane see them: `python -m bench.simulated_agents HOSTS REDIS_URL CREDENTIAL`.

Each waits for orders on a connection of its own, as long at a time as a real agent does, and says what one says,
signed, as often as one does. Thousands fit into a process, because none of them is a process. A line on standard input
makes all of them connect anew at once and tell everything, as after a broker that was away.
"""

import asyncio
import base64
import json
import random
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.seeding import HOST_TOTALS, host_name
from compute_agent.broker import Transport
from contracts import RELEASE
from contracts.conductor import HostReport, PowerReport, Residue
from contracts.credentials import HOST_KEY, read_credential
from contracts.envelope import Message
from contracts.routing import INBOUND_QUEUE, compute_queue, slow_compute_queue
from contracts.signing import WORD, sign

_OFTEN, _SELDOM, _CLOCK = 10.0, 60.0, 5.0
_JITTER = 0.1
_FEATURES = [f"feature-{number}" for number in range(40)]
_TRAITS = [f"HW_CPU_X86_FEATURE_{number}" for number in range(10)]
_OUTLETS = 8


class Line:
    """A connection to Redis that sends a command and reads what comes back."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 6379)
        self._turn = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, *words: str) -> None:
        """Send a command and wait for its answer, whatever that is."""
        async with self._turn:
            if self._streams is None:
                self._streams = await asyncio.open_connection(*self._address)
            reader, writer = self._streams
            parts = b"".join(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words)
            writer.write(b"*%d\r\n%s" % (len(words), parts))
            line = await reader.readline()
            if line[:1] == b"*" and line != b"*-1\r\n":  # an order, which nobody here carries out
                for _ in range(2 * int(line[1:])):
                    await reader.readline()

    def close(self) -> None:
        """Hang up; the next command connects anew."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


class SimulatedAgent:
    """One host's agent."""

    def __init__(self, number: int, key: bytes, url: str, outlet: Line) -> None:
        self._host, self._key, self._outlet = host_name(number), key, outlet
        self._line = Line(url)
        self._queues = (compute_queue(self._host), slow_compute_queue(self._host))
        self._started_at = time.time()
        self._hurry = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        often, seldom = self._report, self._report_seldom
        await asyncio.gather(self._wait(), self._every(_OFTEN, often), self._every(_SELDOM, seldom),
                             self._every(_CLOCK, self._look_at_the_clock))  # fmt: skip

    def reconnect(self) -> None:
        """Lose the connection, and tell everything."""
        self._line.close()
        self._hurry.set()

    async def _wait(self) -> None:
        seconds = str(Transport.brpop_timeout)
        while True:
            try:
                await self._line.ask("BRPOP", *self._queues, seconds)
            except (OSError, asyncio.IncompleteReadError, ValueError, RuntimeError):
                self._line.close()

    async def _every(self, seconds: float, job: Any) -> None:
        await asyncio.sleep(random.uniform(0, seconds))
        while True:
            await job()
            pause = seconds * random.uniform(1 - _JITTER, 1 + _JITTER)
            if await _happened(self._hurry, pause):
                await asyncio.sleep(random.uniform(0, 1))
                self._hurry.clear()

    async def _look_at_the_clock(self) -> None:
        await self._outlet.ask("TIME")
        await self._outlet.ask("ZRANGE", f"agent:{self._host}:unacked_index", "0", "1")

    async def _report(self) -> None:
        await self._say(HostReport(
            host=self._host, reported_at=time.time(), started_at=self._started_at, release=RELEASE,
            hypervisor_hostname=self._host, vcpus=HOST_TOTALS["VCPU"], memory_mb=HOST_TOTALS["MEMORY_MB"],
            disk_gb=HOST_TOTALS["DISK_GB"], cpu_features=_FEATURES, traits=_TRAITS, uptime_text=f"up {time.time()}",
        ))  # fmt: skip

    async def _report_seldom(self) -> None:
        await self._say(PowerReport(host=self._host, reported_at=time.time(), instances=[], is_full=True))
        await self._say(Residue(host=self._host, reported_at=time.time()))

    async def _say(self, report: Message) -> None:
        name = type(report).NAME  # type: ignore[attr-defined]
        await self._outlet.ask("LPUSH", INBOUND_QUEUE, _message(name, sign(self._key, WORD, name, report.to_wire())))


async def _happened(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _message(name: str, wire: dict[str, Any]) -> str:
    """Return what Celery would have published."""
    embedded = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    body = base64.b64encode(json.dumps([[wire], {}, embedded]).encode()).decode()
    expires = (datetime.now(UTC) + timedelta(seconds=2 * _SELDOM)).isoformat()
    return json.dumps({
        "body": body, "content-encoding": "utf-8", "content-type": "application/json",
        "headers": {"lang": "py", "task": name, "id": str(uuid.uuid4()), "expires": expires},
        "properties": {"body_encoding": "base64", "delivery_tag": str(uuid.uuid4()), "delivery_info": {}},
    })  # fmt: skip


async def run(hosts: int, url: str, key: bytes) -> None:
    """Let them all work until standard input ends."""
    outlets = [Line(url) for _ in range(_OUTLETS)]
    agents = [SimulatedAgent(number, key, url, outlets[number % _OUTLETS]) for number in range(hosts)]
    tasks = [asyncio.create_task(agent.run()) for agent in agents]
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        for agent in agents:
            agent.reconnect()
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    credential = read_credential(Path(sys.argv[3]).read_text())
    asyncio.run(run(int(sys.argv[1]), sys.argv[2], bytes.fromhex(credential[HOST_KEY])))
