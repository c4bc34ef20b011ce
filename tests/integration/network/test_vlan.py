"""VLANs, on a kernel that has them: two machines as hosts, a wire between them, and what is seen on it."""

import os
import re
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.patience import eventually
from tests.integration.network.machines.inside import VLANS

pytestmark = [pytest.mark.timeout(900), pytest.mark.skipif(os.geteuid() != 0, reason="networks need root")]
_BUILD = Path(__file__).parent / "machines" / "build.sh"
_TAGGED = 0x8100
_GUESTS = bytes.fromhex("fa163e")  # how their MAC addresses begin


class Machine:
    """A host under QEMU. Its wire is one end of a pair of sockets; QEMU writes down each frame."""

    def __init__(self, image: Path, folder: Path, number: int, wire: socket.socket) -> None:
        self._console, self.frames = folder / f"console-{number}", folder / f"frames-{number}"
        argv = [
            "qemu-system-x86_64", "-accel", "tcg,tb-size=64", "-m", "512", "-display", "none", "-no-reboot",
            "-kernel", image / "vmlinuz", "-initrd", image / "initrd",
            "-append", f"console=ttyS0 quiet panic=-1 novella.host={number}",
            "-serial", f"file:{self._console}",
            "-netdev", f"socket,id=wire,fd={wire.fileno()}",
            "-device", f"virtio-net-pci,netdev=wire,mac=52:54:00:00:00:0{number},romfile=",
            "-object", f"filter-dump,id=dump,netdev=wire,file={self.frames}",
        ]  # fmt: skip
        self.process = subprocess.Popen([str(one) for one in argv], pass_fds=[wire.fileno()])
        wire.close()

    def said(self) -> dict[str, str]:
        text = self._console.read_text(errors="replace") if self._console.exists() else ""
        return dict(re.findall(r"^### ([^:\n]+): ([^\r\n]*)", text, re.MULTILINE))

    def wait(self, seconds: float) -> None:
        """Wait until it has switched itself off."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the machine goes on:\n{self._console.read_text(errors='replace')[-3000:]}")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def _is_ready(called: Machine) -> bool:
    """Whether its guests are there; it may say so a moment after they answer."""
    return eventually(lambda: called.said().get("guests") == "ready", 60)


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("machine")
    done = subprocess.run([_BUILD, folder], check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def machines(image, tmp_path) -> Iterator[tuple[Machine, Machine]]:
    started: list[Machine] = []
    try:
        for number, wire in enumerate(socket.socketpair(), 1):
            started.append(Machine(image, tmp_path, number, wire))
        yield started[0], started[1]
    finally:
        for one in started:
            one.end()


def test_guests_of_a_vlan_reach_each_other_between_hosts(machines):
    caller, called = machines
    caller.wait(450)
    said = caller.said()
    assert _is_ready(called), called.said()
    assert "vlan" in said["kernel types"].split()
    assert said["same VLAN"] == "True", said
    assert said["other VLAN"] == "False", said
    assert said["left"] == "eth0 lo"
    seen = {frame[1:] for frame in _frames(caller.frames) if frame[0].startswith(_GUESTS)}
    assert (_TAGGED, VLANS["same"]) in seen
    assert seen <= {(_TAGGED, vlan) for vlan in VLANS.values()}


def _frames(path: Path) -> Iterator[tuple[bytes, int, int]]:
    """Yield of each frame in a capture file who sent it, its type, and its VLAN if it is tagged.

    Source: https://www.tcpdump.org/manpages/pcap-savefile.5.html
    """
    content, place = path.read_bytes(), 24
    while place < len(content):
        (length,) = struct.unpack_from("<I", content, place + 8)
        sender, kind, tag = struct.unpack_from(">6sHH", content, place + 16 + 6)
        yield sender, kind, tag & 0xFFF
        place += 16 + length
