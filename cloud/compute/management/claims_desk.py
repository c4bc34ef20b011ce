"""The claims of the control plane for a simulation, on a database that nobody else uses."""

import time

from django.db.models import F

from cloud.compute.models import Service
from cloud.compute.services.host_reports import report_host
from cloud.compute.services.host_states import host_states
from cloud.placement.models import Allocation, Inventory
from cloud.placement.services import claims, providers
from cloud.placement.services.providers import DISK_GB, MEMORY_MB, VCPU
from contracts import RELEASE
from contracts.conductor import HostReport
from contracts.simulated import FakeHosts, Round, Settled, Wanted


def make_hosts(asked: FakeHosts) -> Settled:
    """Let hosts report as agents do, those that are not there yet, and take everything off them."""
    claims.release(list(Allocation.objects.values_list("consumer_uuid", flat=True).distinct()))
    for number in range(Service.objects.count(), asked.count):
        report_host(_report(f"fake-{number}", asked))
    return Settled(hosts=host_states())


def settle(one: Round) -> Settled:
    """Release, then claim as the conductor does: the first host of each, the next one for those that were refused."""
    touched = set(claims.release(one.released)) if one.released else set()
    placed: dict[str, str] = {}
    refusals = 0
    rank = 0
    left = list(one.wanted)
    while left := [wanted for wanted in left if rank < len(wanted.hosts)]:
        refused = {claim.consumer_uuid for claim in claims.claim_what_fits([_claim(wanted, rank) for wanted in left])}
        placed |= {wanted.consumer: wanted.hosts[rank] for wanted in left if wanted.consumer not in refused}
        touched |= {wanted.hosts[rank] for wanted in left}
        left = [wanted for wanted in left if wanted.consumer in refused]
        refusals += len(refused)
        rank += 1
    over = Inventory.objects.filter(provider__name__in=touched, used__gt=F("capacity")).count()
    return Settled(placed=placed, refusals=refusals, hosts=host_states(touched), overcommitted=over)


def _report(host: str, asked: FakeHosts) -> HostReport:
    return HostReport(
        host=host,
        reported_at=time.time(),
        release=RELEASE,
        hypervisor_hostname=host,
        vcpus=asked.vcpus,
        memory_mb=asked.memory_mb + providers.reservations()[MEMORY_MB],
        disk_gb=asked.disk_gb,
    )


def _claim(wanted: Wanted, rank: int) -> claims.Claim:
    resources = {VCPU: wanted.vcpus, MEMORY_MB: wanted.memory_mb, DISK_GB: wanted.disk_gb}
    return claims.Claim(wanted.consumer, wanted.hosts[rank], resources, "simulation", "simulation")
