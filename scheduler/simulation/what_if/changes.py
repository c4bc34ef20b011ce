"""What is supposed to happen to the hosts, and the hosts as they are then."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from contracts.inventory import LiveHost
from contracts.scheduling import HostState
from scheduler.core.table import MOST_DISK_GB, MOST_MEMORY_MB, MOST_VCPUS
from scheduler.simulation.arguments import whole_number

_MOST_ADDED = 1_000_000
_MOST_SIZE = {"vcpus": MOST_VCPUS, "memory_mb": MOST_MEMORY_MB, "disk_gb": MOST_DISK_GB}
_RATIOS = {"vcpu": "vcpu_ratio", "memory": "memory_ratio", "disk": "disk_ratio"}


class WhatIfError(ValueError):
    """What is asked for cannot be. The sentence says why."""


@dataclass(frozen=True)
class Addition:
    """Hosts to add; without a size they are like most of those that there are."""

    count: int
    size: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Changes:
    """What is supposed. `ratios`: of all hosts, also of those that are added."""

    lost: Sequence[str] = ()
    added: Sequence[Addition] = ()
    ratios: dict[str, float] = field(default_factory=dict)


def read_addition(text: str) -> Addition:
    """Return what N or N:vcpus,memory_mb,disk_gb means.

    Raises:
        ValueError: it is neither, or a number is none, 0 or larger than any machine.
    """
    count, colon, size = text.partition(":")
    parts = size.split(",") if colon else []
    if len(parts) not in {0, 3}:
        raise ValueError(f"{text!r} is neither N nor N:vcpus,memory_mb,disk_gb")
    sizes = [_number(part, name, _MOST_SIZE[name]) for part, name in zip(parts, _MOST_SIZE, strict=False)]
    return Addition(_number(count, "N", _MOST_ADDED), (sizes[0], sizes[1], sizes[2]) if sizes else None)


def hosts_after(hosts: Sequence[LiveHost], changes: Changes) -> list[LiveHost]:
    """Return the hosts as they are once that has happened.

    Raises:
        WhatIfError: there is no host of a name, or none would be left.
    """
    known = {one.state.host for one in hosts}
    if unknown := sorted(set(changes.lost) - known):
        raise WhatIfError(f"there is no host {', '.join(unknown)}; there are {_some(sorted(known))}")
    left = [one for one in hosts if one.state.host not in set(changes.lost)]
    after = [*left, *_new_hosts(hosts, changes.added)]
    if not after:
        raise WhatIfError("no host would be left" if hosts else "there is no host yet, and none to add")
    return [_with_ratios(one, changes.ratios) for one in after]


def _number(text: str, name: str, most: int) -> int:
    try:
        return whole_number(text, most)
    except ValueError as exc:
        raise ValueError(f"{name}: {exc}") from exc


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:10]) or "none"
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"


def _new_hosts(hosts: Sequence[LiveHost], added: Sequence[Addition]) -> list[LiveHost]:
    taken = {one.state.host for one in hosts}
    names = (name for number in range(1, 10 * _MOST_ADDED) if (name := f"new-{number}") not in taken)
    made = []
    for addition in added:
        kind = _kind(hosts, addition)
        for _ in range(addition.count):
            state = msgspec.structs.replace(kind.state, host=next(names))
            made.append(msgspec.structs.replace(kind, state=state))
    return made


def _kind(hosts: Sequence[LiveHost], addition: Addition) -> LiveHost:
    """Return the commonest host, empty and working, of the size that is wanted; it belongs to no aggregate."""
    if hosts:
        common = Counter((one.vcpus, one.memory_mb, one.disk_gb) for one in hosts).most_common(1)[0][0]
        model = next(one for one in hosts if (one.vcpus, one.memory_mb, one.disk_gb) == common)
    elif addition.size is None:
        raise WhatIfError("there is no host yet that new ones could be like: say N:vcpus,memory_mb,disk_gb")
    else:
        model = LiveHost(state=HostState(host="new", generation=1), vcpus=0, memory_mb=0, disk_gb=0)
    vcpus, memory_mb, disk_gb = addition.size or (model.vcpus, model.memory_mb, model.disk_gb)
    state = HostState(
        host="new",
        generation=1,
        architecture=model.state.architecture,
        hypervisor_type=model.state.hypervisor_type,
        vm_mode=model.state.vm_mode,
        traits=model.state.traits,
    )
    made = msgspec.structs.replace(model, state=state, vcpus=vcpus, memory_mb=memory_mb, disk_gb=disk_gb)
    return _promised(made)


def _with_ratios(host: LiveHost, ratios: dict[str, float]) -> LiveHost:
    if not ratios:
        return host
    return _promised(msgspec.structs.replace(host, **{_RATIOS[name]: ratio for name, ratio in ratios.items()}))


def _promised(host: LiveHost) -> LiveHost:
    """Return the host with what may be promised of it now."""
    state = msgspec.structs.replace(
        host.state,
        vcpus=int(host.vcpus * host.vcpu_ratio),
        memory_mb=int(host.memory_mb * host.memory_ratio),
        disk_gb=int(host.disk_gb * host.disk_ratio),
    )
    return msgspec.structs.replace(host, state=state)
