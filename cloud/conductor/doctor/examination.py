"""The whole of it: the books, the server's host, and whoever else has something of it."""

from collections.abc import Iterator

from cloud.compute.models import Instance, Migration, Operation
from cloud.compute.models.operations import OperationState
from cloud.compute.services import moves
from cloud.conductor.doctor import books, guest, wires
from cloud.conductor.doctor.asking import Word, ask, mentioned
from cloud.conductor.doctor.checks import Check, Verdict, mend, while_busy
from cloud.core.clock import database_now
from cloud.core.presentation import duration
from cloud.networks.services import allocation
from contracts.compute import PortSpec
from contracts.inspection import ServerInspected


def examine(instance: Instance) -> list[Check]:
    """Return a line for every part of a server, living or deleted."""
    running = list(
        Operation.objects.filter(instance_uuid=instance.uuid, state=OperationState.RUNNING).order_by("started_at")
    )
    migration = moves.unfinished(instance.uuid)
    checks = [*books.state(instance, running), *books.operations(instance, running)]
    is_busy = bool(running)
    held = [*books.claim(instance, migration), *books.ports(instance), *books.leftovers(instance)]
    checks += while_busy(is_busy, held)
    checks += books.quota(instance)
    return checks + while_busy(is_busy, list(_hosts(instance, migration)))


def _hosts(instance: Instance, migration: Migration | None) -> Iterator[Check]:
    ports = allocation.port_specs(instance.uuid) if not instance.deleted else []
    home = "" if instance.deleted else instance.host
    others = {*mentioned(instance.uuid), *(_ends(migration) if migration else ())} - {home, ""}
    words = [ask(instance, host, []) for host in sorted(others)]
    word = ask(instance, home, ports) if home else None
    away = _elsewhere(word, words) if word and not migration else None
    if word and away:
        where = f"on {away.host}" if away.seen.disks else f"aside on {away.host}"
        yield Check("disks", f"on {home}", where, Verdict.WRONG, mend(instance.uuid, "adopt", away.host))
    elif word:
        yield from _home(instance, word, ports, migration)
    for other in words:
        if other is not away:
            yield from _other(instance, other, migration)


def _elsewhere(home: Word, others: list[Word]) -> Word | None:
    """Return the one other host that has the disks which the server's own has not, as after books were restored."""
    if home.seen is None or home.seen.disks:
        return None
    having = [word for word in others if word.seen and word.seen.disks]
    if not having and not home.seen.is_aside:
        having = [word for word in others if word.seen and word.seen.is_aside]
    return having[0] if len(having) == 1 else None


def _ends(migration: Migration) -> tuple[str, str]:
    return migration.source_compute, migration.dest_compute


def _home(instance: Instance, word: Word, ports: list[PortSpec], migration: Migration | None) -> Iterator[Check]:
    if word.seen is None:
        yield from _silent(instance, word, ports)
        return
    yield Check("host", "answers", f"{word.host} answers")
    if not guest.should_be(instance):
        yield Check("guest", "any", _whole(word.seen), Verdict.UNKNOWN)
        return
    seen = word.seen
    yield from guest.domain(instance, seen.domain)
    if seen.domain is not None:
        yield from guest.devices(instance, seen.domain, len(ports))
    yield from guest.disks(instance, seen)
    if seen.is_aside and migration is None and seen.disks:
        yield Check("aside", "nothing", "disks", Verdict.WRONG, mend(instance.uuid, "drop-aside", word.host))
    runs = seen.domain is not None and seen.domain.power_state == guest.RUNNING
    yield from wires.ports(instance, ports, seen.ports, runs=runs)


def _other(instance: Instance, word: Word, migration: Migration | None) -> Iterator[Check]:
    """On a host where the server is not there is nothing of it, but for its disks aside while it may come back."""
    comes_back = migration is not None and word.host == migration.source_compute
    expected = "disks aside" if comes_back else "nothing"
    if word.seen is None:
        at = f", by its report {_ago(word)}" if word.reported_at else ""
        yield Check(f"on {word.host}", expected, f"{word.silence}{at}", Verdict.UNKNOWN)
        return
    found = _whole(word.seen)
    if found == expected:
        yield Check(f"on {word.host}", expected, found)
        return
    command = "" if comes_back else mend(instance.uuid, "sweep", word.host)
    yield Check(f"on {word.host}", expected, found, Verdict.WRONG, command)


def _whole(seen: ServerInspected) -> str:
    parts = [
        f"a guest, {guest.word(seen.domain.power_state)}" if seen.domain else "",
        "disks" if seen.disks else "",
        "disks aside" if seen.is_aside else "",
        f"{len(seen.ports)} taps" if any(one.has_tap for one in seen.ports) else "",
    ]
    return ", ".join(part for part in parts if part) or "nothing"


def _silent(instance: Instance, word: Word, ports: list[PortSpec]) -> Iterator[Check]:
    """The host does not answer: its last report speaks for it."""
    yield Check("host", "answers", f"{word.host}: {word.silence}", Verdict.WRONG,
                f"start the agent of {word.host}, then look again")
    if word.reported_at is None:
        return
    since = f"by its report {_ago(word)}"
    for part, kind, wanted in _reported(instance, ports):
        missing = sorted(set(wanted) - set(word.report.get(kind, ())))
        found = f"{'missing' if missing else 'there'}, {since}"
        yield Check(part, "there", found, Verdict.UNKNOWN if missing else Verdict.OK)


def _reported(instance: Instance, ports: list[PortSpec]) -> Iterator[tuple[str, str, list[str]]]:
    if guest.should_be(instance):
        yield "guest", "domains", [instance.uuid]
        yield "disks", "disks", [instance.uuid]
        yield "taps", "tap_port_ids", [port.id for port in ports]
        yield "leases", "lease_port_ids", [port.id for port in ports if port.fixed_ips]
        yield "metadata", "metadata_port_ids", [port.id for port in ports if port.fixed_ips]


def _ago(word: Word) -> str:
    seconds = (database_now() - word.reported_at).total_seconds() if word.reported_at else 0.0
    return f"of {duration(seconds)} ago"
