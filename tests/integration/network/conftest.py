"""A private kernel for these tests: own network and mount namespaces, so that nothing of the machine is touched."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from compute_agent.network.linux_bridge import LinuxBridgeNetwork
from tests.fixtures.patience import eventually
from tests.integration.network.two_hosts import Tap, make_hosts

HOST_ADDRESS = "198.51.100.1"

_CLONE_NEWNS = 0x00020000
_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)

_COMMANDS = (
    ("mount", "--make-rprivate", "/"),
    ("mount", "-t", "sysfs", "sysfs", "/sys"),
    ("mount", "-t", "tmpfs", "tmpfs", "/run/netns"),
    ("ip", "link", "set", "lo", "up"),
    ("ip", "addr", "add", f"{HOST_ADDRESS}/32", "dev", "lo"),
)


@pytest.fixture(scope="module")
def private_kernel() -> Iterator[None]:
    """Move the test's thread, and so all that it starts, to namespaces of its own, and back."""
    Path("/run/netns").mkdir(exist_ok=True)
    with _returning():
        _check(_LIBC.unshare(_CLONE_NEWNS | _CLONE_NEWNET))
        for command in _COMMANDS:
            subprocess.run(command, check=True)
        yield


@contextmanager
def _returning() -> Iterator[None]:
    cwd = Path.cwd()
    homes = [(os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY), flag) for kind, flag in _KINDS]
    try:
        yield
    finally:
        for descriptor, flag in homes:
            # A thread that was joined may not have left altogether; while it shares our folder, we may not leave.
            is_back = eventually(lambda descriptor=descriptor, flag=flag: _LIBC.setns(descriptor, flag) == 0)
            assert is_back, os.strerror(ctypes.get_errno())
            os.close(descriptor)
        os.chdir(cwd)


_KINDS = (("mnt", _CLONE_NEWNS), ("net", _CLONE_NEWNET))


def _check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@pytest.fixture
def state_dir(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def driver(state_dir):
    driver = LinuxBridgeNetwork(state_dir)
    yield driver
    driver.purge()


@pytest.fixture
def metadata_service(driver, state_dir):
    """The process that tells this host's guests what it has for them."""
    argv = [sys.executable, "-m", "compute_agent.network.metadata"]
    process = subprocess.Popen(argv, env={**os.environ, "NOVELLA_STATE_DIR": str(state_dir)})
    yield process
    process.terminate()
    process.wait(60)


@pytest.fixture
def hosts(tmp_path):
    """Two hosts at the ends of a wire."""
    made = make_hosts(tmp_path)
    yield made
    for host in made:
        host.stop()


@pytest.fixture
def hear():
    """Return a function that begins to hear what passes a link of a namespace."""
    made = []
    yield lambda namespace, link: made.append(Tap(namespace, link)) or made[-1]
    for tap in made:
        tap.close()
