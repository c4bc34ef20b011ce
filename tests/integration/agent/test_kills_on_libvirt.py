"""SIGKILL for a real host's agent, on both sides of what it does: the repeated order finishes, nothing is doubled."""

import time

import pytest

from compute_agent.drivers.base import PowerState
from contracts.compute import (
    DestroyServer,
    DiskLink,
    LandServer,
    RebuildServer,
    ReceiveDisks,
    SendDisks,
    SetAsideServer,
    SpawnServer,
    VacateServer,
)
from tests.fixtures.patience import eventually
from tests.unit.compute_agent.orders import new_id

pytestmark = [pytest.mark.root, pytest.mark.libvirt, pytest.mark.timeout(900)]

# How many moments of each order are tried; they are spread evenly over all that there are.
MOMENTS = 8


def _spawned(site, server):
    site.send(site.order(SpawnServer, server, server=server))


def _received(site, server):
    """Have the server's disk on its way back to the host that it came from, which is empty again."""
    _spawned(site, server)
    site.send(site.order(SetAsideServer, server, graceful_seconds=0))
    place = site.image_server.place()
    (sent,) = site.send(site.order(SendDisks, server, disks=[DiskLink(name="disk", url=place)]))["disks"]
    move = new_id()
    site.send(site.order(VacateServer, server))
    site.send(site.order(ReceiveDisks, server, operation_id=move, disks=[DiskLink(url=place, **sent)]))
    site.host.storage.drop_aside(server.uuid)
    return {"operation_id": move}


CASES = {
    "spawn": (SpawnServer, lambda site, server: None, lambda server: {"server": server}),
    "destroy": (DestroyServer, _spawned, lambda server: {"is_final": True}),
    "rebuild": (RebuildServer, _spawned, lambda server: {"server": server}),
    "set_aside": (SetAsideServer, _spawned, lambda server: {"graceful_seconds": 0}),
    "land": (LandServer, _received, lambda server: {"server": server, "disk_names": ["disk"]}),
}


@pytest.mark.parametrize("name", CASES)
def test_killed_agent_of_a_real_host_is_succeeded_by_one_that_finishes(site, name):
    kind, prepare, values = CASES[name]
    server = site.fresh()
    fence = prepare(site, server) or {}
    undisturbed = site.killed(site.order(kind, server, **values(server), **fence))
    assert undisturbed["answer"]["error_code"] == "", undisturbed
    wanted = site.seen()
    assert wanted[1] in ([PowerState.RUNNING], [])
    site.clear(server)
    every = [(at, is_after) for at in range(1, len(undisturbed["calls"]) + 1) for is_after in (False, True)]
    for at, is_after in every[1 :: max(len(every) // MOMENTS, 1)]:
        server = site.fresh()
        fence = prepare(site, server) or {}
        message = site.order(kind, server, **values(server), **fence)
        site.killed(message, at, is_after=is_after)
        answer = site.send(message)
        moment = f"{'after' if is_after else 'before'} {undisturbed['calls'][at - 1]} ({at})"
        assert site.seen() == wanted, (moment, answer)
        site.clear(server)


def _all_told(told):
    """Return what was told, once a start was and nothing has come for a while."""
    assert eventually(lambda: PowerState.RUNNING in told)
    count = -1
    while len(told) != count:
        count = len(told)
        time.sleep(2)
    return list(told)


def test_the_same_order_in_five_processes_at_once_has_one_effect(site):
    server = site.fresh()
    _spawned(site, server)
    told = []
    site.host.driver.subscribe(lambda _, state: told.append(state))
    events = []
    for copies in (1, 5):
        told.clear()
        message = site.order(RebuildServer, server, server=server)
        processes = [site.begin(message) for _ in range(copies)]
        answers = [site.end(process)["answer"] for process in processes]
        assert all(answer == answers[0] and answer["error_code"] == "" for answer in answers), answers
        events.append(_all_told(told))
    # That it stopped is not told where the guest was undefined by the time when the event was looked at.
    starts = [one.count(PowerState.RUNNING) for one in events]
    assert starts[1] == starts[0], events
    site.clear(server)
