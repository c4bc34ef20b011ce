"""Agents as Redis and the control plane see them: `python -m bench.simulated_agents HOSTS REDIS_URL CREDENTIAL GUESTS`.

Each waits for orders on a connection of its own, as long at a time as a real agent does, and says what one says,
signed, as often as one does, of the guests that the file GUESTS names by host. Thousands fit into a process, because
none of them is a process. A line on standard input makes all of them connect anew at once and tell everything, as after
a broker that was away; the answer is how many connections broke before that, of which there should be none.
"""

import asyncio
import base64
import json
import random
import resource
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
from contracts.compute import ECHO
from contracts.conductor import HostReport, InstancePower, PowerReport, Residue
from contracts.credentials import HOST_KEY, read_credential
from contracts.envelope import Message
from contracts.routing import INBOUND_QUEUE, compute_queue, slow_compute_queue
from contracts.signing import WORD, sign

CLOCK_SECONDS = 5.0
_OFTEN, _SELDOM, _ECHO = 10.0, 60.0, 15.0
_JITTER = 0.1
_FEATURES = [f"feature-{number}" for number in range(40)]
_TRAITS = [f"HW_CPU_X86_FEATURE_{number}" for number in range(10)]
_OUTLETS = 8
_RUNNING = 1
_BROKEN = (OSError, asyncio.IncompleteReadError, ValueError, RuntimeError)


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
            writer.write(_command(words))
            await _answer(reader)

    def close(self) -> None:
        """Hang up; the next command connects anew."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


def _command(words: tuple[str, ...]) -> bytes:
    parts = b"".join(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words)
    return b"*%d\r\n%s" % (len(words), parts)


async def _answer(reader: asyncio.StreamReader) -> None:
    """Read an answer to its end; nobody here carries out an order."""
    line = await reader.readline()
    kind, rest = line[:1], line[1:]
    if kind in (b"", b"-"):
        raise ConnectionError(line.decode() or "Redis hung up")
    if kind == b"$" and int(rest) >= 0:
        await reader.readexactly(int(rest) + 2)
    for _ in range(int(rest) if kind == b"*" else 0):
        await _answer(reader)


class SimulatedAgent:
    """One host's agent. `broken`: how many of its connections were lost."""

    def __init__(self, number: int, key: bytes, url: str, outlet: Line, guests: list[str]) -> None:
        self.broken = 0
        self._guests = guests
        self._host, self._key, self._outlet = host_name(number), key, outlet
        self._line = Line(url)
        self._queues = (compute_queue(self._host), slow_compute_queue(self._host))
        self._started_at = time.time()
        self._hurry = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        often, seldom = self._report, self._report_seldom
        await asyncio.gather(
            self._wait(), self._every(_OFTEN, often), self._every(_SELDOM, seldom),
            self._every(CLOCK_SECONDS, self._look_at_the_clock), self._every(_ECHO, self._call),
        )  # fmt: skip

    def reconnect(self) -> None:
        """Lose the connection, and tell everything."""
        self.broken = -1  # the one that this ends
        self._line.close()
        hurry, self._hurry = self._hurry, asyncio.Event()
        hurry.set()

    async def _wait(self) -> None:
        seconds = str(Transport.brpop_timeout)
        while True:
            try:
                await self._line.ask("BRPOP", *self._queues, seconds)
            except _BROKEN:
                self._line.close()
                self.broken += 1
                await asyncio.sleep(random.uniform(0, 1))

    async def _every(self, seconds: float, job: Any) -> None:
        await asyncio.sleep(random.uniform(0, seconds))
        while True:
            hurry = self._hurry
            try:
                await job()
            except _BROKEN:
                self._outlet.close()
                self.broken += 1
            pause = seconds * random.uniform(1 - _JITTER, 1 + _JITTER)
            if await _happened(hurry, pause):
                await asyncio.sleep(random.uniform(0, 1))

    async def _look_at_the_clock(self) -> None:
        await self._outlet.ask("TIME")

    async def _call(self) -> None:
        """Speak to itself."""
        await self._outlet.ask("LPUSH", self._queues[0], _message(ECHO, {}))

    async def _report(self) -> None:
        await self._say(HostReport(
            host=self._host, reported_at=time.time(), started_at=self._started_at, release=RELEASE,
            hypervisor_hostname=self._host, vcpus=HOST_TOTALS["VCPU"], memory_mb=HOST_TOTALS["MEMORY_MB"],
            disk_gb=HOST_TOTALS["DISK_GB"], cpu_features=_FEATURES, traits=_TRAITS, uptime_text=f"up {time.time()}",
        ))  # fmt: skip

    async def _report_seldom(self) -> None:
        seen = [InstancePower(instance_uuid=one, power_state=_RUNNING) for one in self._guests]
        await self._say(PowerReport(host=self._host, reported_at=time.time(), instances=seen, is_full=True))
        there = {"domains": self._guests, "disks": self._guests, "plugged": self._guests}
        await self._say(Residue(host=self._host, reported_at=time.time(), **there))

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


async def run(hosts: int, url: str, key: bytes, guests: dict[str, list[str]]) -> None:
    """Let them all work until standard input ends."""
    outlets = [Line(url) for _ in range(_OUTLETS)]
    agents = [
        SimulatedAgent(number, key, url, outlets[number % _OUTLETS], guests.get(host_name(number), []))
        for number in range(hosts)
    ]
    tasks = [asyncio.create_task(agent.run()) for agent in agents]
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(sum(agent.broken for agent in agents), flush=True)
        for agent in agents:
            agent.reconnect()
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    credential = read_credential(Path(sys.argv[3]).read_text())
    named = json.loads(Path(sys.argv[4]).read_text())
    asyncio.run(run(int(sys.argv[1]), sys.argv[2], bytes.fromhex(credential[HOST_KEY]), named))
