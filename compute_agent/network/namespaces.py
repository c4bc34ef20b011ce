"""Network namespaces: made, entered and removed without forking a process that has threads.

Only a thread changes its namespace, and that thread ends with the work. What it starts or opens there stays there:
sockets, netlink, `nft`, dnsmasq.
"""

import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pyroute2 import netns

Result = TypeVar("Result")

_FOLDER = Path("/run/netns")
_HERE = Path("/proc/thread-self/ns/net")
_CLONE_NEWNET = 0x40000000


def exists(name: str) -> bool:
    """Whether there is such a namespace. A plain file that some tool left behind is none."""
    path = _FOLDER / name
    return path.exists() and path.stat().st_dev != _FOLDER.stat().st_dev


def names(prefix: str) -> list[str]:
    """Return the names in use that begin with `prefix`."""
    return sorted(name for name in netns.listnetns() if name.startswith(prefix))


def create(name: str) -> None:
    """Make the namespace unless it exists."""
    if exists(name):
        return
    (_FOLDER / name).unlink(missing_ok=True)
    _in_thread(lambda: _become(name))


def remove(name: str) -> None:
    """Remove the namespace's name; it is gone when the last process and socket in it are."""
    if exists(name):
        netns.remove(name)
    (_FOLDER / name).unlink(missing_ok=True)


def run_in(name: str, work: Callable[[], Result]) -> Result:
    """Do `work` inside the namespace and return its result or raise its error.

    Raises:
        FileNotFoundError: there is no such namespace.
        RuntimeError: the name stands for the namespace that the agent is in; nothing was done.
    """
    descriptor = os.open(_FOLDER / name, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.path.samestat(os.fstat(descriptor), _HERE.stat()):
            raise RuntimeError(f"{name} is the host's own namespace")  # a tenant's routes would become the host's
        return _in_thread(lambda: _enter_and(descriptor, work))
    finally:
        os.close(descriptor)


def run_apart(work: Callable[[], Result]) -> Result:
    """Do `work` in a namespace that nobody else has and that ends with it; return its result or raise its error."""
    return _in_thread(lambda: _unshare_and(work))


def _unshare_and(work: Callable[[], Result]) -> Result:
    _unshare()
    return work()


def _unshare() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "cannot make a network namespace")


def _become(name: str) -> None:
    """Make a namespace out of the calling thread and give it a name."""
    _unshare()
    # By the thread's own id: /proc/self is the process, whose namespace is the host's.
    netns.attach(name, threading.get_native_id())


def _enter_and(descriptor: int, work: Callable[[], Result]) -> Result:
    netns.setns(descriptor)
    return work()


def _in_thread(work: Callable[[], Result]) -> Result:
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as exc:  # noqa: BLE001 - raised again below, in the thread that asked
            errors.append(exc)

    thread = threading.Thread(target=run, name="namespace")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
