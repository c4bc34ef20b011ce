"""What hosts say is gathered: when it is written, and in which order."""

import dataclasses
import random
import threading
from collections import defaultdict

import pytest

from cloud.conductor.inbound import reports as module
from cloud.conductor.inbound.reports import Reports
from cloud.conductor.inbound.words import Word
from contracts.conductor import HostReport, InstancePower, PowerReport, Residue

_PATIENCE_SECONDS = 60.0
_SAID = [InstancePower(instance_uuid="i", power_state=1)]


@pytest.fixture
def written(monkeypatch):
    """What is written: a list of (name, host, moment) for each statement's worth. No database is touched."""
    batches = []

    def kept(kind):
        def write(reports):
            batches.append([(kind.message.NAME, one.host, one.reported_at) for one in reports])

        return dataclasses.replace(kind, write=write)

    monkeypatch.setattr(module, "KINDS", tuple(map(kept, module.KINDS)))
    return batches


def _say(waiting, report):
    assert waiting.take(Word(type(report).NAME, report.host, report.to_wire(), 1))


def _calm(host="a", at=1.0):
    return PowerReport(host=host, reported_at=at, instances=_SAID, is_full=True)


def _urgent(host="a", at=1.0):
    return PowerReport(host=host, reported_at=at, instances=_SAID)


@pytest.mark.parametrize("urgent", [_urgent("b"), HostReport(host="b", reported_at=1.0)])
def test_what_somebody_waits_for_takes_along_what_nobody_does(written, monkeypatch, urgent):
    monkeypatch.setattr(module, "_CALM_SECONDS", 3600.0)
    monkeypatch.setattr(module, "_GATHER_SECONDS", 0.01)
    waiting, stopping, has_written = Reports(), threading.Event(), threading.Semaphore(0)
    write = waiting.write

    def told():
        write()
        has_written.release()

    monkeypatch.setattr(waiting, "write", told)
    thread = threading.Thread(target=waiting.run, args=(stopping,))
    thread.start()
    try:
        _say(waiting, _calm())
        assert has_written.acquire(timeout=_PATIENCE_SECONDS), "one that comes alone is written at once"
        _say(waiting, _calm("c"))
        assert not has_written.acquire(timeout=0.5), "nobody waits for it"
        _say(waiting, urgent)
        assert has_written.acquire(timeout=_PATIENCE_SECONDS)
        assert {host for batch in written for _, host, _ in batch} == {"a", "b", "c"}
    finally:
        stopping.set()
        _say(waiting, _urgent())
        thread.join(_PATIENCE_SECONDS)


def _some_report(rng, at):
    host = rng.choice("abcdefgh")
    plain = rng.choice((HostReport, Residue))(host=host, reported_at=at)
    return rng.choice((plain, _calm(host, at), _urgent(host, at)))


@pytest.mark.parametrize("seed", range(20))
def test_what_a_host_says_is_written_in_its_order_once_and_one_of_a_kind_together(written, monkeypatch, seed):
    rng = random.Random(seed)
    monkeypatch.setattr(module, "_AT_ONCE", rng.randint(1, 30))
    waiting, said = Reports(), [_some_report(rng, float(number)) for number in range(200)]
    for one in said:
        _say(waiting, one)
    waiting.write()
    order = defaultdict(list)
    for batch in written:
        assert len({host for _, host, _ in batch}) == len(batch), "one of each host"
        for _, host, at in batch:
            order[host].append(at)
    assert sorted(at for moments in order.values() for at in moments) == [one.reported_at for one in said]
    assert all(moments == sorted(moments) for moments in order.values())


def test_hosts_that_say_the_same_things_share_their_writes(written):
    waiting = Reports()
    for number in range(100):
        for report in (HostReport(host=f"h{number}", reported_at=1.0), _calm(f"h{number}"),
                       Residue(host=f"h{number}", reported_at=1.0)):  # fmt: skip
            _say(waiting, report)
    waiting.write()
    assert [len(batch) for batch in written] == [100, 100, 100]


def test_a_word_that_makes_no_sense_is_left_to_the_task():
    wire = {"host": "a", "reported_at": 1.0, "instances": "none"}
    assert not Reports().take(Word(PowerReport.NAME, "a", wire, 1))
