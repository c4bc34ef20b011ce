"""Sockets inside networks' namespaces, opened by a thread that goes there; a socket keeps its place."""

import contextlib
import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from compute_agent.network.names import Mark

_NAMESPACES = Path("/run/netns")
_CLONE_NEWNET = 0x40000000
Identity = tuple[int, int]
Opened = TypeVar("Opened")


def identity_of(mark: Mark, network_id: str) -> Identity | None:
    """Return what a network's namespace is known by, another one after it was made anew; None where there is none."""
    with contextlib.suppress(FileNotFoundError):
        seen = (_NAMESPACES / mark.namespace(network_id)).stat()
        return seen.st_dev, seen.st_ino
    return None


def opened_at(mark: Mark, network_id: str, work: Callable[[], Opened]) -> tuple[Identity, Opened]:
    """Return what a network's namespace is known by, and what `work` opens inside it. Raises OSError."""
    identity = identity_of(mark, network_id)
    if identity is None:
        raise FileNotFoundError(network_id)
    return identity, opened_in(mark.namespace(network_id), work)


def opened_in(namespace: str, work: Callable[[], Opened]) -> Opened:
    """Return what `work` opens inside a namespace.

    Raises:
        OSError: the namespace, or what is looked for in it, is not there.
    """
    results: list[Opened] = []
    errors: list[OSError] = []

    def run() -> None:
        try:
            _enter(_NAMESPACES / namespace)
            results.append(work())
        except OSError as exc:
            errors.append(exc)

    thread = threading.Thread(target=run)  # it never comes back from where it goes, so it is not used again
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _enter(namespace: Path) -> None:
    descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    finally:
        os.close(descriptor)
