"""`simulate --conductor`: schedulers that decide side by side, and the claims of the control plane for them."""

import msgspec
import pytest
from django.db.models import Sum

from cloud.compute.management.commands.simulate_claims import answer
from cloud.placement.models import Allocation, Inventory
from contracts.simulated import FakeHosts, Round, Settled
from scheduler.core.policies import POLICIES
from scheduler.simulation.claimed import ClaimsByWire, Outcome, simulate
from scheduler.simulation.generator import generate
from scheduler.simulation.machine import Machine

pytestmark = pytest.mark.django_db
TRACE = generate(60, 1, 3, "large")


def claims(asked: FakeHosts | Round) -> Settled:
    return msgspec.json.decode(answer(msgspec.json.encode(asked)), type=Settled)


@pytest.fixture(autouse=True)
def one_promise_a_core(settings):
    settings.CPU_ALLOCATION_RATIO = 1.0


def replay(schedulers: int, hosts: int = 6) -> Outcome:
    return simulate(claims, TRACE, hosts, Machine(), POLICIES["pack"], range(schedulers))


def test_schedulers_race_and_nothing_is_overcommitted():
    outcome = replay(4)
    assert outcome.placed + outcome.refused == len(TRACE.arrivals)
    assert outcome.refusals > 0, "four that pack by the same view want the same place"
    assert outcome.refused > 0
    assert outcome.overcommitted == 0
    held = Allocation.objects.filter(resource_class="VCPU").aggregate(Sum("used"))["used__sum"]
    rows = Inventory.objects.filter(resource_class="VCPU")
    assert sum(rows.values_list("used", flat=True)) == held
    assert all(used <= capacity == 64 for used, capacity in rows.values_list("used", "capacity"))


def test_a_scheduler_alone_is_never_refused_by_the_claims():
    outcome = replay(1)
    assert (outcome.refusals, outcome.again) == (0, 0)
    assert replay(1).placed == outcome.placed, "the second run begins with empty hosts"


def test_a_process_that_is_gone_is_told(tmp_path):
    nobody = (tmp_path / "nobody").open("wb+")
    with nobody, pytest.raises(ConnectionError, match="has ended"):
        ClaimsByWire(nobody)(FakeHosts(count=1, vcpus=1, memory_mb=1, disk_gb=1))
