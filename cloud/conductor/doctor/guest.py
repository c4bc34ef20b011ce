"""Guest and disks of a server: what they should be, and what its host has."""

from collections.abc import Iterator

from cloud.compute import states
from cloud.compute.models import Instance
from cloud.conductor.doctor.checks import Check, Verdict, judged, mend
from contracts.inspection import DomainSeen, ServerInspected

RUNNING = 1
_OFF = frozenset({4, 6})
_WORDS = {0: "in no state", 1: "running", 3: "paused", 4: "off", 6: "crashed", 7: "suspended"}
# vm_state -> the power states that a guest may have; of the others nothing is known.
_POWER: dict[str, frozenset[int]] = {
    states.ACTIVE: frozenset({RUNNING}), states.STOPPED: _OFF, states.RESIZED: _OFF | {RUNNING},
    states.PAUSED: frozenset({3}), states.SUSPENDED: frozenset({7}) | _OFF,
}  # fmt: skip


def should_be(instance: Instance) -> bool:
    """Whether the server must have a guest on its host."""
    return bool(instance.host) and not instance.deleted and instance.vm_state in _POWER


def word(power_state: int) -> str:
    """Return a power state in a word."""
    return _WORDS.get(power_state, str(power_state))


def domain(instance: Instance, seen: DomainSeen | None) -> Iterator[Check]:
    """There is a guest, as large as the flavor says, on or off as the server is, with all its disks and taps."""
    wanted = _POWER[instance.vm_state]
    expected = " or ".join(sorted(word(one) for one in wanted if one != 6))
    if seen is None:
        is_off = instance.vm_state == states.STOPPED
        yield Check("guest", expected, "none", Verdict.WRONG, mend(instance.uuid, "define" if is_off else "restart"))
        return
    is_right = seen.power_state in wanted
    yield Check("guest", expected, word(seen.power_state), Verdict.OK if is_right else Verdict.WRONG,
                "" if is_right else mend(instance.uuid, "power"))
    flavor = instance.flavor
    yield judged("guest's size", f"{flavor['vcpus']} vCPUs, {flavor['memory_mb']} MB",
                 f"{seen.vcpus} vCPUs, {seen.memory_mb} MB", _anew(instance))


def _anew(instance: Instance) -> str:
    """Return the command that has the guest defined anew; one that runs must start anew to be another."""
    return mend(instance.uuid, "define" if instance.vm_state == states.STOPPED else "restart")


def devices(instance: Instance, seen: DomainSeen, ports: int) -> Iterator[Check]:
    """The guest's definition names the disks and as many taps as the server has."""
    wanted = disk_names(instance)
    yield judged("guest's devices", _named(wanted, ports), _named(sorted(seen.disks), len(seen.taps)), _anew(instance))


def _named(disks: list[str], taps: int) -> str:
    return f"{', '.join(disks) or 'no disk'}; {taps} taps"


def disk_names(instance: Instance) -> list[str]:
    """Return the names of the disks that the server should have."""
    flavor = instance.flavor
    wanted = {
        "disk": bool(instance.image_ref), "disk.config": instance.config_drive,
        "disk.eph0": flavor.get("ephemeral_gb", 0), "disk.swap": flavor.get("swap_mb", 0),
    }  # fmt: skip
    return sorted(name for name, is_wanted in wanted.items() if is_wanted)


def disks(instance: Instance, seen: ServerInspected) -> Iterator[Check]:
    """Every disk lies in its place, and a guest could use it."""
    there = {one.name: one for one in seen.disks}
    for name in disk_names(instance):
        # What is lost of the root disk is lost; the others are made anew when the guest is.
        command = mend(instance.uuid, "rebuild") if name == "disk" else _anew(instance)
        if name not in there:
            aside = seen.is_aside and name == "disk"
            found, way = ("aside", mend(instance.uuid, "take-back")) if aside else ("none", command)
            yield Check(name, "there", found, Verdict.WRONG, way)
        elif there[name].problem:
            yield Check(name, "there", there[name].problem, Verdict.WRONG, command)
        else:
            yield Check(name, "there", "there")
