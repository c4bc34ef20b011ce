"""What hosts say of their guests and of what lies there: written together it comes to what it comes to one by one."""

import contextlib
import dataclasses
import random
import uuid
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from cloud.compute.models import ComputeNode, Instance, InstanceFault, Migration, Operation, Service, Step
from cloud.compute.services import host_reports
from cloud.compute.services.heartbeats import heartbeats
from cloud.compute.services.power_reports import report_power_states
from cloud.conductor.inbound import reports
from cloud.conductor.inbound.kinds import KINDS
from cloud.conductor.inbound.words import Word
from cloud.conductor.reconcile import reclaim, residue
from cloud.core.clock import database_now
from cloud.core.models import UnsentOrder
from contracts.conductor import HostReport, InstancePower, PowerReport, Residue
from tests.factories.instances import PROJECT, USER, make_host, make_instance

pytestmark = pytest.mark.django_db
_HOSTS = "abcd"
_STRANGER = "e"
_LONG_AGO = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _fresh(redis_server, settings):
    settings.REDIS_URL = redis_server.url
    _fresh_process()


def _fresh_process():
    host_reports._written.clear()
    heartbeats.__init__()


class _Undo(Exception):
    pass


def _make_world(rng):
    """Servers in all kinds of states on some hosts, moves of some of them, and operations at work on others."""
    for host in _HOSTS:
        make_host(host)
    then = database_now() - _LONG_AGO
    servers = [_make_server(rng, then) for _ in range(24)]
    for server in rng.sample(servers, rng.choice((0, 1, 8))):
        _make_move(rng, server, then)
    for server in rng.sample(servers, 3):
        Operation.objects.create(
            id=str(uuid.uuid4()), instance_uuid=server.uuid, action="stop", workflow="power", host=server.host,
            started_at=then, updated_at=then, deadline=then,
        )  # fmt: skip
    return [server.uuid for server in servers] + [str(uuid.uuid4())]


def _make_server(rng, then):
    state = rng.choice(["active"] * 4 + ["stopped"] * 2 + ["soft-delete", "building", "error", "resized", "paused"])
    is_deleted = rng.random() < 0.15
    return make_instance(
        host="" if state == "error" and rng.random() < 0.5 else rng.choice(_HOSTS), vm_state=state,
        task_state="spawning" if state == "building" else rng.choice(["", "", "", "powering-off"]),
        power_state=rng.choice([0, 1, 4]), created_at=then, deleted=is_deleted,
        deleted_at=then if is_deleted or state == "soft-delete" else None,
        updated_at=database_now() + _LONG_AGO if rng.random() < 0.1 else then,
    )  # fmt: skip


def _make_move(rng, server, then):
    kind, status = rng.choice([("evacuation", "done"), ("evacuation", "post-migrating"), ("resize", "finished")])
    Migration.objects.create(
        instance_uuid=server.uuid, project_id=PROJECT, user_id=USER, operation_id=str(uuid.uuid4()),
        migration_type=kind, status=status, source_compute=rng.choice(_HOSTS), dest_compute=rng.choice(_HOSTS),
        vm_state="active", created_at=then, updated_at=then, left_at=then if rng.random() < 0.3 else None,
    )  # fmt: skip


def _some_word(rng, uuids, at):
    host, at = rng.choice(_HOSTS + _STRANGER), at + rng.choice((0, 0, 0, 0, -5, -7200))
    kind = rng.choice((HostReport, PowerReport, PowerReport, Residue, Residue, Residue))
    if kind is HostReport:
        return HostReport(host=host, reported_at=at, vcpus=rng.choice((4, 4, 8)), memory_mb=8192, disk_gb=100)
    if kind is PowerReport:
        seen = [InstancePower(instance_uuid=one, power_state=rng.choice((1, 1, 3, 4, 6))) for one in _some(rng, uuids)]
        return PowerReport(host=host, reported_at=at, instances=seen, is_full=rng.random() < 0.5)
    placed = list(Instance.objects.filter(host=host, deleted=False).values_list("uuid", flat=True))
    usual = sorted(placed)[rng.choice((0, 0, 1)) :]
    there = {kind: usual if rng.random() < 0.7 else _some(rng, uuids) for kind in ("domains", "disks", "plugged")}
    asides = _some(rng, uuids)[:2] if rng.random() < 0.3 else []
    return Residue(host=host, reported_at=at, **there, asides=asides)


def _some(rng, uuids):
    return sorted(rng.sample(uuids, rng.randint(0, len(uuids) // 2)))


_PASSING = {
    "id", "uuid", "created_at", "updated_at", "started_at", "finished_at", "last_seen_at", "operation", "request_id",
    "deadline", "left_at", "resend_at",
}  # fmt: skip


def _rows():
    return {
        model.__name__: sorted(str((
            {one.name: getattr(row, one.name) for one in model._meta.fields if one.name not in _PASSING},
            getattr(row, "instance_uuid", None), bool(getattr(row, "left_at", None)),
        )) for row in model.objects.all())
        for model in (Service, ComputeNode, Instance, InstanceFault, Migration, Operation, Step)
    } | {"orders": sorted(_order(row) for row in UnsentOrder.objects.all())}


def _order(row):
    wire = row.wire
    return str((row.name, *(wire.get(name) for name in ("step", "host", "instance_uuid", "is_final"))))


def _take(waiting, report):
    assert waiting.take(Word(type(report).NAME, report.host, report.to_wire(), 1))


def _each(kind):
    """The kind as if every host's word was taken by itself, with all that may follow from it."""
    take = {HostReport: host_reports.report_host, PowerReport: _take_power, Residue: residue.take}[kind.message]
    return dataclasses.replace(kind, write=lambda words: [take(word) for word in words])


def _take_power(report):
    report_power_states(report)
    residue.clear_evacuated(report.host, {one.instance_uuid for one in report.instances})
    reclaim.keep_off([report])


@pytest.mark.parametrize("seed", range(12))
def test_words_written_together_leave_what_they_leave_one_by_one(seed, monkeypatch):
    rng = random.Random(seed)
    uuids = _make_world(rng)
    now = database_now().timestamp()
    said = [_some_word(rng, uuids, now + 600 + number) for number in range(60)]
    before, outcomes, at_once = _rows(), [], rng.randint(5, 60)
    for kinds in (tuple(map(_each, KINDS)), KINDS):
        monkeypatch.setattr(reports, "KINDS", kinds)
        with contextlib.suppress(_Undo), transaction.atomic():
            _fresh_process()
            waiting = reports.Reports()
            for start in range(0, len(said), at_once):
                for one in said[start : start + at_once]:
                    _take(waiting, one)
                waiting.write()
            host_reports.write_heartbeats()
            outcomes.append(_rows())
            raise _Undo
    alone, together = outcomes
    assert alone != before
    for table, rows in alone.items():
        assert together[table] == rows, table


def _make_hosts(count, prefix):
    uuids = {}
    for number in range(count):
        host = make_host(f"{prefix}{number}")
        then = database_now() - _LONG_AGO
        uuids[host] = sorted(
            make_instance(host=host, vm_state="active", task_state="", power_state=1, updated_at=then).uuid
            for _ in range(2)
        )
    return uuids


def _power(host, uuids, at, state=1, *, is_full=True):
    seen = [InstancePower(instance_uuid=one, power_state=state) for one in uuids]
    return PowerReport(host=host, reported_at=at, instances=seen, is_full=is_full)


def _statements(words):
    waiting = reports.Reports()
    for one in words:
        _take(waiting, one)
    with CaptureQueriesContext(connection) as queries:
        waiting.write()
    return [one["sql"] for one in queries if "SAVEPOINT" not in one["sql"]]


def test_what_says_nothing_new_costs_the_same_few_statements_for_any_number_of_hosts():
    now = database_now().timestamp()
    counts = []
    for count in (1, 200):
        placed = _make_hosts(count, f"h{count}-")
        lying = {host: {"domains": uuids, "disks": uuids, "plugged": uuids} for host, uuids in placed.items()}
        for at in (now - 60, now - 30):
            _statements(Residue(host=host, reported_at=at, **lies) for host, lies in lying.items())
        power = _statements(_power(host, uuids, now) for host, uuids in placed.items())
        residue = _statements(Residue(host=host, reported_at=now, **lies) for host, lies in lying.items())
        assert all(sql.startswith("SELECT") for sql in power)
        assert sum(not sql.startswith("SELECT") for sql in residue) == 1, "when each spoke"
        counts.append((len(power), len(residue)))
    assert counts == [(3, 5), (3, 5)]


def test_hosts_without_guests_cost_no_statement_to_say_so():
    assert not _statements(_power(host, [], database_now().timestamp()) for host in _HOSTS)


def test_guests_of_many_hosts_that_went_off_are_written_together():
    placed = _make_hosts(200, "h")
    at = database_now().timestamp()
    statements = _statements(_power(host, uuids, at, 4, is_full=False) for host, uuids in placed.items())
    assert set(Instance.objects.values_list("vm_state", "power_state")) == {("stopped", 4)}
    assert Operation.objects.filter(action="stop").count() == 400
    assert len(statements) < 40, "for 400 servers"


def test_a_word_that_cannot_be_kept_costs_no_other_host_its_own(caplog):
    waiting = reports.Reports()
    placed = _make_hosts(3, "h")
    at = database_now().timestamp()
    for host, uuids in placed.items():
        named = ["\ud800", *uuids] if host == "h1" else uuids
        _take(waiting, _power(host, named, at, 4, is_full=False))
        _take(waiting, Residue(host=host, reported_at=1e300 if host == "h1" else at, domains=uuids, disks=uuids))
    waiting.write()
    states = dict(Instance.objects.values_list("host", "vm_state"))
    assert states == {"h0": "stopped", "h1": "active", "h2": "stopped"}
    assert set(ComputeNode.objects.exclude(residue_at=None).values_list("host", flat=True)) == {"h0", "h2"}
    assert caplog.text.count("what host h1 reports cannot be written") == 2


def test_a_database_that_is_away_costs_no_more_than_the_words_of_that_moment(monkeypatch, caplog):
    (host, uuids), = _make_hosts(1, "h").items()
    at = database_now().timestamp()
    waiting = reports.Reports()
    with monkeypatch.context() as away:
        for name in ("ensure_connection", "cursor"):
            away.setattr(connection, name, _away)
        _take(waiting, _power(host, uuids, at, 4))
        waiting.write()
    assert "1 reports of hosts are lost until they are said again" in caplog.text
    _take(waiting, _power(host, uuids, at + 60, 4))
    waiting.write()
    assert set(Instance.objects.values_list("vm_state", flat=True)) == {"stopped"}


def _away(*_):
    raise OperationalError("it is away")
