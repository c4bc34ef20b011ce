"""Hosts are believed as far as it can be true, cheaply, and never backwards."""

import contextlib
import json
import random
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from cloud.compute.models import Aggregate, AggregateHost, ComputeNode, Operation, Service
from cloud.compute.services import host_reports
from cloud.compute.services.heartbeats import heartbeats
from cloud.compute.services.host_states import host_states, zones
from cloud.conductor import presence
from cloud.conductor.inbound.reports import Reports
from cloud.conductor.inbound.words import Word
from cloud.conductor.reconcile import hosts
from cloud.core.clock import database_now
from cloud.core.models import Lease
from cloud.placement.models import Inventory, ProviderTrait, ResourceProvider
from contracts.conductor import HostReport, Residue
from contracts.presence import PRESENCE
from contracts.scheduling import HOST_FEED
from tests.factories.instances import make_host

pytestmark = pytest.mark.django_db


def _fresh_process() -> None:
    host_reports._written.clear()
    heartbeats.__init__()


@pytest.fixture(autouse=True)
def _fresh():
    _fresh_process()


def report(at: float = 1000.0, **changes: object) -> HostReport:
    values = {"host": "a", "vcpus": 4, "memory_mb": 8192, "disk_gb": 100, "traits": ["HW_CPU_X86_AVX"]}
    return HostReport(reported_at=at, **values | changes)


def test_the_first_report_makes_service_node_provider_and_inventory(settings):
    settings.HOST_RESERVED_MEMORY_MB = 512
    settings.CPU_ALLOCATION_RATIO = 4.0
    assert host_reports.report_host(report())
    service = Service.objects.get(binary="nova-compute", host="a")
    assert service.is_up
    assert service.last_seen_at
    node = ComputeNode.objects.get(host="a")
    assert ResourceProvider.objects.get(name="a").uuid == node.uuid
    capacities = dict(Inventory.objects.values_list("resource_class", "capacity"))
    assert capacities == {"VCPU": 16, "MEMORY_MB": 7680, "DISK_GB": 100}
    (state,) = host_states()
    assert (state.host, state.vcpus, state.memory_mb, state.traits) == ("a", 16, 7680, ["HW_CPU_X86_AVX"])


def test_a_report_that_says_nothing_new_is_a_heartbeat_by_whatever_way_it_comes(django_assert_num_queries):
    host_reports.report_host(report(1000.0, signature="one"))
    with django_assert_num_queries(0):
        assert host_reports.report_host(
            report(1001.0, load_average="9.99, 9, 9", memory_mb_free=3, signature="another")
        )
    host_reports.write_heartbeats()
    assert Service.objects.get(host="a").reported_at == 1001.0


def test_heartbeats_that_say_nothing_new_are_written_together(django_assert_num_queries):
    names = [f"h{number}" for number in range(7)]
    for name in names:
        host_reports.report_host(report(1000.0, host=name))
    Service.objects.update(last_seen_at=None)
    with django_assert_num_queries(0):
        assert all(host_reports.hear(report(1010.0 + at, host=name)) for at in (0, 1) for name in names)
    with CaptureQueriesContext(connection) as queries:
        host_reports.write_heartbeats()
    assert len([one for one in queries if "SAVEPOINT" not in one["sql"]]) == 2
    assert set(Service.objects.values_list("reported_at", flat=True)) == {1011.0}
    assert all(database_now() - one.last_seen_at < timedelta(seconds=5) for one in Service.objects.all())
    with django_assert_num_queries(0):
        host_reports.write_heartbeats()


def test_once_a_minute_only_what_is_restless_is_renewed_and_what_another_wrote_is_noticed(monkeypatch):
    names = [f"h{number}" for number in range(7)]
    host_reports.report_hosts([report(1000.0, host=name, cached_images=["i"]) for name in names])
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    later = [report(1061.0, host=name, cached_images=["i"], load_average="9.00, 9.00, 9.00") for name in names]
    assert not any(map(host_reports.hear, later))
    with CaptureQueriesContext(connection) as queries:
        assert host_reports.report_hosts(later) == set(names)
    assert len([one for one in queries if "SAVEPOINT" not in one["sql"]]) == 4, "for any number of hosts"
    assert set(ComputeNode.objects.values_list("load_average", flat=True)) == {"9.00, 9.00, 9.00"}
    assert host_reports.hear(report(1071.0, host="h3", cached_images=["i"]))
    ComputeNode.objects.update(vcpus=2)
    Inventory.objects.all().delete()
    monkeypatch.setattr(time, "monotonic", lambda: now + 122)
    assert host_reports.report_host(report(1122.0, host="h3", cached_images=["i"]))
    assert ComputeNode.objects.get(host="h3").vcpus == 4
    assert Inventory.objects.filter(provider__name="h3").count() == 3


def test_what_is_new_old_or_impossible_is_no_mere_heartbeat():
    assert not host_reports.hear(report(1000.0))
    host_reports.report_host(report(1000.0))
    for other in (report(1000.0), report(999.0), report(1010.0, vcpus=8), report(1010.0, troubles=["the disk is full"]),
                  report(1010.0, uptime_text="x" * 999), report(2000.0), report(1010.0, host="b")):  # fmt: skip
        assert not host_reports.hear(other)
    assert host_reports.hear(report(1010.0, load_average="1.00, 1.00, 1.00"))


def test_a_host_that_was_forgotten_is_taken_whole_when_it_speaks_again():
    host_reports.report_host(report(1000.0))
    Service.objects.all().delete()
    assert host_reports.hear(report(1010.0))
    host_reports.write_heartbeats()
    assert not host_reports.hear(report(1020.0))
    assert host_reports.report_host(report(1020.0))
    assert Service.objects.get().host == "a"


def test_nobody_was_heard_of_later_than_he_spoke(monkeypatch):
    host_reports.report_host(report(1000.0))
    newest = database_now()
    Service.objects.update(last_seen_at=newest)
    heard = time.monotonic()
    assert host_reports.hear(report(1010.0))
    monkeypatch.setattr(time, "monotonic", lambda: heard + 30)
    host_reports.write_heartbeats()
    assert Service.objects.get().last_seen_at == newest, "thirty seconds ago is before that"


def test_a_host_in_trouble_is_kept_from_new_servers_and_keeps_its_inventory():
    host_reports.report_host(report(1000.0))
    (before,) = host_states()
    assert before.is_sound
    assert host_reports.report_host(report(1001.0, vcpus=0, memory_mb=0, disk_gb=0, troubles=["libvirt is silent"]))
    (state,) = host_states()
    assert not state.is_sound
    assert state.is_up
    assert state.generation > before.generation
    assert (state.vcpus, state.memory_mb) == (before.vcpus, before.memory_mb)
    assert ComputeNode.objects.get(host="a").troubles == ["libvirt is silent"]
    assert host_reports.report_host(report(1002.0, clock_offset_seconds=600.0))
    (after,) = host_states()
    assert after.is_sound
    assert after.generation > state.generation
    assert ComputeNode.objects.get(host="a").clock_offset_seconds == 600.0


def test_a_full_host_is_kept_from_new_servers_and_its_inventory_goes_on():
    host_reports.report_host(report(1000.0))
    host_reports.report_host(report(1001.0, vcpus=8, troubles=["the disk is full"]))
    (state,) = host_states()
    assert not state.is_sound
    assert ComputeNode.objects.get(host="a").vcpus == 8


def test_a_new_host_in_trouble_is_heard_and_has_nothing_to_promise():
    assert host_reports.report_host(report(1000.0, vcpus=0, troubles=["libvirt is silent"]))
    assert Service.objects.get(host="a").last_seen_at
    assert host_states() == []
    host_reports.report_host(report(1001.0))
    assert host_states()[0].is_sound


def test_an_older_report_changes_nothing():
    host_reports.report_host(report(1000.0))
    assert not host_reports.report_host(report(999.0, vcpus=1))
    assert ComputeNode.objects.get(host="a").vcpus == 4


def test_a_clock_that_was_set_back_does_not_silence_a_host_for_ever():
    host_reports.report_host(report(1_000_000.0))
    assert host_reports.report_host(report(1000.0))


@pytest.mark.parametrize("changes", [
    {"host": "../../etc"}, {"host": "a b"}, {"host": ""}, {"vcpus": -1}, {"memory_mb": 2**40}, {"disk_gb": -5},
    {"disk_gb_free": 2**60}, {"started_at": 1e300}, {"at": float("nan")}, {"at": -1.0}, {"memory_mb": 2**31},
    {"running_vms": 10**12}, {"hypervisor_version": -1}, {"uptime_text": "x" * 256}, {"hypervisor_hostname": "a\0b"},
    {"traits": ["T" * 256]}, {"traits": ["T"] * 5000}, {"cached_images": ["\0"]}, {"cpu_model": "x" * 256},
    {"clock_offset_seconds": float("inf")},
])  # fmt: skip
def test_what_cannot_be_true_is_refused(changes):
    assert not host_reports.report_host(report(**changes))
    assert not Service.objects.exists()
    assert not ComputeNode.objects.exists()


def test_hosts_that_call_their_machine_the_same_are_hosts_of_their_own():
    same = {"hypervisor_hostname": "twin", "host_ip": "10.0.0.1"}
    assert host_reports.report_host(report(1000.0, host="a", **same))
    assert host_reports.report_host(report(1000.0, host="b", **same))
    assert [one.host for one in host_states()] == ["a", "b"]
    assert len(set(ComputeNode.objects.values_list("uuid", flat=True))) == 2


def test_two_hosts_of_one_name_are_one_host_as_the_newest_report_says():
    for at, vcpus in ((1000.0, 4), (1001.0, 64), (1000.5, 4), (1002.0, 4), (1003.0, 64)):
        host_reports.report_host(report(at, vcpus=vcpus))
    (state,) = host_states()
    assert state.vcpus == 64 * 4


def test_a_host_that_grew_offers_more():
    host_reports.report_host(report(1000.0))
    generation = ResourceProvider.objects.get().generation
    host_reports.report_host(report(1001.0, disk_gb=200))
    assert Inventory.objects.get(resource_class="DISK_GB").capacity == 200
    assert ResourceProvider.objects.get().generation > generation


def _some_report(rng: random.Random, at: float) -> HostReport:
    """Return what a host might say: often the same, sometimes old, impossible, of a new agent, of another machine."""
    changes: dict[str, object] = {"host": rng.choice("abcd"), "started_at": float(rng.randint(1, 2))}
    if rng.random() < 0.4:
        changes |= {"vcpus": rng.choice((0, 4, 8, -1)), "disk_gb": rng.choice((100, 200))}
    if rng.random() < 0.3:
        changes |= {"traits": rng.sample(["HW_A", "HW_B", "HW_C"], rng.randint(0, 3)), "cached_images": ["i"]}
    if rng.random() < 0.3:
        changes["troubles"] = rng.choice((["the disk is full\0"], ["libvirt is silent", "so is the disk"]))
    return report(at + rng.choice((0, 0, 0, -5, -1000)), memory_mb_free=rng.randint(0, 9), **changes)


_LATER = datetime(2100, 1, 1, tzinfo=UTC)


def _rows() -> dict[str, list[object]]:
    passing = {"id", "uuid", "provider", "created_at", "updated_at", "last_seen_at", "resend_at"}
    return {
        model.__name__: sorted(str((
            str(getattr(row, "provider", "")), getattr(row, "resend_at", None) == _LATER,
            {one.name: getattr(row, one.name) for one in model._meta.fields if one.name not in passing},
        )) for row in model.objects.all())
        for model in (Service, ComputeNode, ResourceProvider, Inventory, ProviderTrait, Operation)
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_reports_written_together_leave_what_they_leave_one_by_one(
    seed, redis_server, settings, django_capture_on_commit_callbacks
):
    settings.REDIS_URL = redis_server.url
    settings.HOST_RESERVED_MEMORY_MB = 512
    client, rng = redis_server.client(), random.Random(seed)
    said = [_some_report(rng, 1000.0 + number) for number in range(40)]
    now = database_now()
    for host in "abcd":
        Operation.objects.create(
            id=f"{host * 8}-0000-4000-8000-000000000000", instance_uuid=str(uuid.uuid4()), action="stop",
            workflow="power", host=host, started_at=now, updated_at=now, deadline=now, resend_at=_LATER,
        )  # fmt: skip
    outcomes = []
    for at_once in (1, rng.randint(2, 40)):
        with contextlib.suppress(_Undo), transaction.atomic():
            client.delete(HOST_FEED)
            _fresh_process()
            waiting = Reports()
            for start in range(0, len(said), at_once):
                with django_capture_on_commit_callbacks(execute=True):
                    for one in said[start : start + at_once]:
                        waiting.take(Word(HostReport.NAME, one.host, one.to_wire(), 1))
                    waiting.write()
                    host_reports.write_heartbeats()
            told = {state["host"] for _, entry in client.xrange(HOST_FEED) for state in json.loads(entry["hosts"])}
            outcomes.append((_rows(), told))
            raise _Undo
    client.close()
    (alone, told_alone), (together, told_together) = outcomes
    for table, rows in alone.items():
        assert together[table] == rows
    assert told_together == told_alone


class _Undo(Exception):
    pass


def test_a_report_that_cannot_be_kept_costs_no_other_host_its_word(caplog):
    waiting = Reports()
    for host, model in (("a", ""), ("b", "\ud800"), ("c", "")):
        waiting.take(Word(HostReport.NAME, host, report(host=host, cpu_model=model).to_wire(), 1))
    waiting.write()
    assert set(ComputeNode.objects.values_list("host", flat=True)) == {"a", "c"}
    assert "what host b reports cannot be written" in caplog.text


def _word(one: HostReport, expires: str | None = None) -> Word:
    return Word(HostReport.NAME, one.host, one.to_wire(), 1, expires=expires)


@pytest.mark.parametrize("until", ["2026-01-01T00:00:00", "2026-01-01T00:00:00+00:00"])
def test_a_report_that_lay_in_the_queue_too_long_is_not_heard(until):
    waiting = Reports()
    assert not waiting.take(_word(report(), until)), "the worker revokes it"
    waiting.write()
    assert not Service.objects.exists()
    assert waiting.take(_word(report(), (database_now() + timedelta(minutes=1)).isoformat()))


def test_a_database_that_is_away_costs_no_heartbeat_and_fills_no_memory(monkeypatch):
    host_reports.report_host(report(1000.0))
    waiting = Reports()
    monkeypatch.setattr("cloud.conductor.inbound.reports._MOST", 3)
    with monkeypatch.context() as away:
        away.setattr(connection, "ensure_connection", _away)
        away.setattr(connection, "cursor", _away)
        assert waiting.take(_word(report(1001.0)))
        for number in range(5):
            assert waiting.take(_word(report(1002.0 + number, vcpus=8)))
        assert len(waiting._waiting) == 3
        waiting.write()
    host_reports.write_heartbeats()
    assert Service.objects.get(host="a").reported_at == 1001.0, "noted before, and written when it answers"
    waiting.write()
    assert waiting.take(_word(report(1010.0, vcpus=8)))
    waiting.write()
    assert ComputeNode.objects.get(host="a").vcpus == 8


def _away(*_: object) -> None:
    raise OperationalError("it is away")


def test_the_state_of_any_number_of_hosts_costs_the_same_queries(django_assert_num_queries):
    for number in range(5):
        make_host(f"h{number}")
    with django_assert_num_queries(6):
        assert len(host_states()) == 5


def test_a_zone_comes_from_an_aggregate():
    make_host("a")
    make_host("b")
    plain = Aggregate.objects.create(name="plain")
    zone = Aggregate.objects.create(name="z", metadata={"availability_zone": "west"})
    for aggregate in (plain, zone):
        AggregateHost.objects.create(aggregate=aggregate, host="a")
    assert zones(["a", "b"]) == {"a": "west", "b": "nova"}
    assert next(one for one in host_states() if one.host == "a").aggregate_ids == [plain.pk, zone.pk]


def test_a_silent_host_goes_down_and_comes_back_and_its_state_is_newer(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    make_host("a")
    first = host_states()[0]
    hosts.reconcile()
    Service.objects.update(last_seen_at=database_now() - timedelta(seconds=settings.HOST_DOWN_AFTER_SECONDS + 1))
    hosts.reconcile()
    down = host_states()[0]
    assert (down.is_up, down.generation > first.generation) == (False, True)
    Service.objects.update(last_seen_at=database_now())
    hosts.reconcile()
    assert host_states()[0].is_up


def test_no_host_is_to_blame_when_nobody_listened(settings):
    """Redis, the database or every conductor was away for a minute: the hosts could not be heard."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    make_host("a")
    hosts.reconcile()
    long_ago = database_now() - timedelta(seconds=settings.HOST_DOWN_AFTER_SECONDS + 1)
    Lease.objects.update(expires_at=long_ago)
    Service.objects.update(last_seen_at=long_ago)
    hosts.reconcile()
    hosts.reconcile()
    assert host_states()[0].is_up


def test_schedulers_that_speak_are_services(redis_server, settings):
    settings.REDIS_URL = redis_server.url
    client = redis_server.client()
    now = client.time()[0]
    client.hset(PRESENCE, "nova-scheduler/s1", str(now))
    client.hset(PRESENCE, "nova-scheduler/s2", str(now - 3600))
    client.hset(PRESENCE, "nova-compute/liar", str(now))
    client.close()
    presence.note_schedulers()
    presence.note_conductor()
    assert set(Service.objects.values_list("binary", flat=True)) == {"nova-scheduler", "nova-conductor"}
    assert Service.objects.get(binary="nova-scheduler").host == "s1"


def test_an_older_word_on_what_lies_on_a_host_is_not_taken():
    make_host("a")
    assert host_reports.store_residue(Residue(host="a", reported_at=1000.0, domains=["x"]))
    assert not host_reports.store_residue(Residue(host="a", reported_at=999.0))
    assert not host_reports.store_residue(Residue(host="stranger", reported_at=1000.0))
    assert ComputeNode.objects.get().residue["domains"] == ["x"]
