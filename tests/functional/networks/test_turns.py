"""Hosts that only hear of who came are told in their turn: as many as answer, and few while builds wait."""

import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from cloud.compute.models import Service
from cloud.compute.services import broker_users
from cloud.conductor import telling_networks
from cloud.conductor.audit.networks import behind
from cloud.conductor.inbound.applied import Applied
from cloud.conductor.inbound.words import Word
from cloud.networks.models import HostNetworkState, NetworkChange, Port
from cloud.networks.services import changes, host_versions
from cloud.networks.services.plugging import make_port
from contracts.conductor import NOTE_NETWORKS
from contracts.networks import NetworksApplied, SyncNetworks
from tests.factories.instances import make_host

pytestmark = pytest.mark.django_db
HOSTS = [f"h{number}" for number in range(9)]


@pytest.fixture(autouse=True)
def hosts() -> None:
    for number, host in enumerate(HOSTS):
        make_host(host, tunnel_ip=f"192.0.2.{number + 1}")


@pytest.fixture
def network(make_network):
    """A network with a port on each host."""
    network = make_network()
    for host in HOSTS:
        make_port(Port(network=network, project_id="p1", host=host), None, ())
    return network


@pytest.fixture
def sent(monkeypatch) -> list[set[str]]:
    """The hosts that were told, together each time that any were, while nothing waits for a conductor."""
    told: list[set[str]] = []

    def send(wanted: dict[str, int]) -> int:
        told.extend([set(wanted)] if wanted else [])
        return len(wanted)

    monkeypatch.setattr(telling_networks, "_send", send)
    monkeypatch.setattr(broker_users, "queue_length", lambda queue: 0)
    return told


@pytest.fixture
def look(monkeypatch):
    """Return a function that lets a teller look, so many seconds after it did."""
    moment = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    teller = telling_networks.Teller()

    def later(seconds: float = 60) -> None:
        moment[0] += seconds
        teller.look()

    return later


def answer(*hosts: str) -> None:
    """Let hosts say that they are as far as they shall be."""
    changes.applied_by(dict(HostNetworkState.objects.filter(host__in=hosts).values_list("host", "wanted")))


def came(network, host: str = "") -> None:
    """Note that a server came to a host, as its claim does."""
    changes.note([changes.of_neighbours(network.id), changes.of_host(host)], is_urgent=False)


def test_a_burst_is_told_to_its_own_hosts_at_once_and_to_others_together(network, sent, look, monkeypatch):
    monkeypatch.setitem(telling_networks._SECONDS_A_HOST, changes.NEIGHBOURS, 1.0)
    for _ in range(50):
        came(network, "h3")
    look()
    assert sent == [{"h3"}, {*HOSTS} - {"h3"}]
    answer(*HOSTS)
    came(network, "h3")
    look(telling_networks._TICK_SECONDS / 2)
    assert len(sent) == 2
    look(telling_networks._TICK_SECONDS / 2)
    assert sent[2:] == [{"h3"}], "the others were told a moment ago"
    answer("h3")
    look()
    assert sent[3:] == [{*HOSTS}]


def test_few_are_told_while_builds_wait_and_each_in_its_turn(network, sent, look, monkeypatch):
    monkeypatch.setattr(broker_users, "queue_length", lambda queue: 500)
    came(network, "h8")
    look()
    assert sent == [{"h8"}, {*HOSTS[:4]}]
    answer("h8", *HOSTS[:4])
    came(network)
    look()
    assert sent[2:] == [{*HOSTS[4:8]}], "who was told shall not come before who waits"
    look()
    assert sent[3:] == [{*HOSTS[:4]}]


def have_waited(seconds: int) -> None:
    """Let hosts that wait for their turn have done so for longer."""
    host_versions.waiting().update(wanted=F("wanted") - seconds * 1_000_000)


def test_more_are_told_beside_builds_once_the_first_has_waited_for_long(network, sent, look, monkeypatch):
    monkeypatch.setattr(broker_users, "queue_length", lambda queue: 500)
    monkeypatch.setattr(telling_networks, "_FEW", 1)
    monkeypatch.setattr(telling_networks, "_MANY", 3)
    came(network)
    look()
    look()
    assert sent == [{"h0"}, {"h1"}]
    have_waited(60)
    look()
    assert sent[2:] == [{"h2", "h3", "h4"}]


def test_who_does_not_answer_keeps_others_from_being_many_and_not_from_being_told(network, sent, look, monkeypatch):
    monkeypatch.setattr(broker_users, "queue_length", lambda queue: 500)
    monkeypatch.setattr(telling_networks, "_FEW", 1)
    monkeypatch.setattr(telling_networks, "_MOST_UNANSWERED", 3)
    came(network)
    look()
    have_waited(300)
    look()
    assert sent == [{"h0"}, {"h1", "h2"}]
    look()
    assert sent[2:] == [{"h3"}]
    answer("h0", "h1", "h2", "h3")
    look()
    assert sent[3:] == [{"h4", "h5", "h6"}]


def test_hosts_that_are_down_hurry_nobody(network, sent, look, monkeypatch):
    monkeypatch.setattr(broker_users, "queue_length", lambda queue: 500)
    monkeypatch.setattr(telling_networks, "_FEW", 1)
    Service.objects.filter(host="h0").update(is_up=False)
    came(network)
    look()
    HostNetworkState.objects.filter(host="h0").update(wanted=F("wanted") - 300_000_000)
    look()
    assert sent == [{"h1"}, {"h2"}]


def test_no_more_are_told_than_answer(network, sent, look, monkeypatch):
    monkeypatch.setattr(telling_networks, "_MOST_UNANSWERED", 3)
    came(network)
    look()
    look()
    assert sent == [{"h0", "h1", "h2"}]
    answer("h0", "h2")
    look()
    assert sent[1:] == [{"h3", "h4"}]
    # Those who are silent hold nobody up.
    HostNetworkState.objects.update(told_at=F("told_at") - timedelta(seconds=11))
    look()
    assert sent[2:] == [{"h5", "h6", "h7"}]


def test_who_was_told_and_has_not_answered_is_told_again_in_good_time(network, sent):
    """That may have been of somebody who went; what came since is only one more neighbour."""
    changes.note([changes.of_host("h0")])
    changes.take()
    before = HostNetworkState.objects.get(host="h0")
    came(network)
    assert changes.take(later=[changes.NEIGHBOURS]) == {}
    after = HostNetworkState.objects.get(host="h0")
    assert (after.told_at, after.wanted > before.wanted) == (before.told_at, True)
    HostNetworkState.objects.filter(host="h0").update(told_at=F("told_at") - timedelta(seconds=60))
    telling_networks.tell_again()
    assert sent == [{"h0"}], "the others are told in their turn"


def test_a_host_that_is_down_keeps_its_turn(network, sent, look):
    Service.objects.filter(host__in=HOSTS[:8]).update(is_up=False)
    came(network)
    look()
    assert sent == [{"h8"}]
    Service.objects.update(is_up=True)
    look()
    assert sent[1:] == [{*HOSTS[:8]}]


def test_who_waits_is_told_at_once_of_what_concerns_it(network, sent, look, monkeypatch):
    monkeypatch.setattr(broker_users, "queue_length", lambda queue: 500)
    came(network)
    look()
    came(network, "h7")
    look()
    assert sent == [{*HOSTS[:4]}, {"h7"}, {*HOSTS[4:7], "h8"}]


def test_what_a_person_takes_from_a_group_waits_for_no_turn(network, sent, look):
    """The task that tells of it may find that a teller has taken it."""
    kinds = [changes.of_members("g"), changes.of_former("g")]
    with pytest.MonkeyPatch.context() as quiet:
        quiet.setattr("cloud.core.rpc.launch", lambda *_: None)
        changes.note(kinds[:1])
    assert [(one.kind, one.key) for one in NetworkChange.objects.all()] == kinds[1:]


def word(host: str, **values: object) -> Word:
    outcome = NetworksApplied(host=host, order=SyncNetworks.NAME, **values)
    return Word(NOTE_NETWORKS, host, outcome.to_wire(), 1)


def test_what_hosts_say_is_written_for_all_of_them_together(network):
    came(network)
    changes.take()
    (version,) = set(HostNetworkState.objects.values_list("wanted", flat=True))
    words = Applied()
    for host in HOSTS[:4]:
        assert words.take(word(host, version=version))
    assert words.take(word("h1", version=version - 1)), "it was overtaken"
    assert words.take(word("h2", version=version + 1)), "as after a backup was restored"
    assert not words.take(word("h5", version=version, error_code="VIF_PLUG_FAILED")), "the task judges it"
    assert not words.take(word("h6", version=2**70)), "no column holds it"
    with CaptureQueriesContext(connection) as few:
        words.write()
    assert set(HostNetworkState.objects.filter(applied=version).values_list("host", flat=True)) == {"h0", "h1", "h3"}
    assert [(one.kind, one.key) for one in NetworkChange.objects.all()] == [changes.of_host("h2")]
    for host in HOSTS:
        words.take(word(host, version=version))
    with CaptureQueriesContext(connection) as many:
        words.write()
    assert len(many) < len(few), "no statement more for more hosts"
    words.write()


def test_a_database_that_is_away_has_hosts_asked_again(network, monkeypatch, caplog):
    def away(_: object) -> None:
        raise OperationalError("it is away")

    words = Applied()
    words.take(word("h0", version=1))
    with monkeypatch.context() as patched:
        patched.setattr(changes, "applied_by", away)
        words.write()
    assert "what 1 hosts said of their networks is asked for again" in caplog.text
    words.write()


def test_the_audit_gives_those_who_wait_more_time(network):
    came(network)
    changes.take(later=[changes.NEIGHBOURS])
    minute = 60_000_000
    HostNetworkState.objects.update(wanted=F("wanted") - 2 * minute)
    assert list(behind("I5")) == []
    HostNetworkState.objects.filter(host="h0").update(told_at=F("applied_at"), wanted=F("wanted") - 10 * minute)
    HostNetworkState.objects.filter(host="h1").update(told_at="2026-01-01T00:00:00Z")
    assert [one.subject for one in behind("I5")] == ["host h0", "host h1"]
