"""What must hold before the cloud can start; each check answers with a sentence when it does not."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator

import psutil

from host.settings import HostSettings

MINIMUM_MEMORY_MB = 1500
# libvirtd, two agents and the metadata service of one more host, and a guest on it.
MEMORY_MB_OF_A_LAB_HOST = 400
MINIMUM_DISK_MB = 2000
SYSTEM_PATHS = "/usr/sbin:/sbin"


def _ports(settings: HostSettings) -> Iterator[str]:
    wanted = [("API", "PORT", settings.port), ("Flower", "FLOWER_PORT", settings.flower_port)]
    if settings.has_own_redis:
        wanted.append(("Redis", "REDIS_PORT", settings.redis_port))
    for what, variable, port in wanted:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                yield (f"Port {port}, wanted for {what}, cannot be used ({error.strerror}). "
                       f"Free it, or choose another: make up {variable}={port + 1}")


def _memory(settings: HostSettings) -> Iterator[str]:
    free = psutil.virtual_memory().available // 2**20
    further = settings.hosts - 1 if settings.hypervisor == "lab" else 0
    needed = MINIMUM_MEMORY_MB + further * MEMORY_MB_OF_A_LAB_HOST
    if free < needed:
        yield f"Only {free} MB of memory are available; the cloud and a first guest need {needed} MB."


def _disk(settings: HostSettings) -> Iterator[str]:
    free = shutil.disk_usage(settings.state_dir).free // 2**20
    if free < MINIMUM_DISK_MB:
        yield f"Only {free} MB of disk are free below {settings.state_dir}; {MINIMUM_DISK_MB} MB are needed."


def _root(settings: HostSettings) -> Iterator[str]:
    if settings.is_real and os.geteuid() != 0:
        yield ("A real hypervisor needs root: sudo make up. "
               "Without root, the same control plane runs on fake hosts: make up HYPERVISOR=fake HOSTS=20")


def _programs(settings: HostSettings) -> Iterator[str]:
    wanted = ["redis-server"] if settings.has_own_redis else []
    if settings.is_real:
        wanted += ["libvirtd", "qemu-system-x86_64", "qemu-img", "dnsmasq", "nft", "tini"]
    if settings.hypervisor == "lab":
        wanted += ["ip", "mount", "nsenter"]
    search = f"{os.environ.get('PATH', '')}:{SYSTEM_PATHS}"
    for program in wanted:
        if shutil.which(program, path=search) is None:
            yield f"The program {program} is missing; `make packages` installs it or says how."


CHECKS: tuple[Callable[[HostSettings], Iterator[str]], ...] = (_root, _programs, _ports, _memory, _disk)


def complaints(settings: HostSettings) -> list[str]:
    """Return every reason why the cloud cannot start; none means that it can."""
    return [sentence for check in CHECKS for sentence in check(settings)]
