"""A claim is atomic: the sum of what is held on a host never exceeds its capacity, whoever races."""

import threading
import uuid
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum

from cloud.placement.errors import ClaimConflict
from cloud.placement.models import Allocation, Inventory, ResourceProvider
from cloud.placement.services import providers
from cloud.placement.services.claims import Claim, claim, claim_what_fits, lock_hosts, release

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ratios(settings):
    settings.CPU_ALLOCATION_RATIO = settings.RAM_ALLOCATION_RATIO = settings.DISK_ALLOCATION_RATIO = 1.0
    settings.HOST_RESERVED_MEMORY_MB = 0


def make_provider(name: str, vcpus: int = 4) -> ResourceProvider:
    totals = {"VCPU": vcpus, "MEMORY_MB": vcpus * 1024, "DISK_GB": vcpus * 10}
    providers.report([providers.Said(name, str(uuid.uuid4()), totals)])
    return ResourceProvider.objects.get(name=name)


def make_claim(host: str, vcpus: int = 1, memory_mb: int = 512, disk_gb: int = 1) -> Claim:
    resources = {"VCPU": vcpus, "MEMORY_MB": memory_mb, "DISK_GB": disk_gb}
    return Claim(str(uuid.uuid4()), host, resources, "p" * 32, "u" * 32)


def used(host: str) -> dict[str, int]:
    return dict(Inventory.objects.filter(provider__name=host).values_list("resource_class", "used"))


def test_a_claim_is_counted_and_its_release_gives_all_of_it_back():
    provider = make_provider("a")
    one = make_claim("a", vcpus=2, memory_mb=1024, disk_gb=0)
    claim([one])
    assert used("a") == {"VCPU": 2, "MEMORY_MB": 1024, "DISK_GB": 0}
    assert Allocation.objects.filter(consumer_uuid=one.consumer_uuid).count() == 2
    assert release([one.consumer_uuid]) == ["a"]
    assert used("a") == {"VCPU": 0, "MEMORY_MB": 0, "DISK_GB": 0}
    assert not Allocation.objects.exists()
    assert ResourceProvider.objects.get(pk=provider.pk).generation == provider.generation + 2


def test_releasing_what_nobody_holds_is_a_success():
    assert release([str(uuid.uuid4())]) == []


def test_all_or_none_hold():
    make_provider("a", vcpus=4)
    make_provider("b", vcpus=1)
    with pytest.raises(ClaimConflict) as refusal:
        claim([make_claim("a"), make_claim("b", vcpus=2)])
    assert refusal.value.hosts == ["b"]
    assert used("a")["VCPU"] == 0
    assert not Allocation.objects.exists()


def test_a_claim_on_a_host_that_is_not_there_conflicts():
    with pytest.raises(ClaimConflict):
        claim([make_claim("nowhere")])


def test_what_fits_holds_and_the_rest_is_returned():
    make_provider("a", vcpus=2)
    claims = [make_claim("a") for _ in range(3)] + [make_claim("a", memory_mb=999_999)]
    assert claim_what_fits(claims) == claims[2:]
    assert used("a")["VCPU"] == 2


def test_every_resource_counts_not_only_the_first():
    make_provider("a", vcpus=4)
    assert claim_what_fits([make_claim("a", disk_gb=41)])
    assert used("a") == {"VCPU": 0, "MEMORY_MB": 0, "DISK_GB": 0}


def test_a_batch_costs_as_many_queries_as_one(django_assert_max_num_queries):
    for name in "abcd":
        make_provider(name, vcpus=10)
    with django_assert_max_num_queries(9):
        claim([make_claim(name) for name in "abcd" for _ in range(10)])


def test_hosts_that_are_locked_are_not_locked_again(django_assert_num_queries):
    for name in "abc":
        make_provider(name, vcpus=2)
    with transaction.atomic():
        locked = lock_hosts("abc")
        asked = [make_claim("a"), make_claim("b", vcpus=3), make_claim("nowhere")]
        with django_assert_num_queries(4 + 2):  # and a savepoint
            assert claim_what_fits(asked, locked) == asked[1:]
    assert (used("a")["VCPU"], used("b")["VCPU"]) == (1, 0)


def test_a_host_that_shrinks_keeps_what_is_held_and_takes_no_more():
    make_provider("a", vcpus=4)
    claim([make_claim("a", vcpus=3)])
    make_provider("a", vcpus=2)
    assert used("a")["VCPU"] == 3
    with pytest.raises(ClaimConflict):
        claim([make_claim("a")])


def test_reporting_the_same_again_changes_nothing():
    provider = make_provider("a")
    generation = make_provider("a").generation
    assert generation == provider.generation


@pytest.mark.django_db(transaction=True)
def test_claims_that_race_with_a_host_whose_totals_change_never_exceed_the_most_it_said():
    make_provider("a", vcpus=9)
    errors: list[Exception] = []
    jobs: list[Callable[[], object]] = [lambda: make_provider("a", vcpus=3), lambda: make_provider("a", vcpus=9)] * 4
    jobs += [lambda: claim_what_fits([make_claim("a")])] * 16

    def run(part: list[Callable[[], object]]) -> None:
        try:
            for job in part:
                job()
        except (DatabaseError, ClaimConflict) as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(jobs[number::4],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    held = Allocation.objects.filter(resource_class="VCPU").aggregate(n=Sum("used"))["n"]
    assert held == used("a")["VCPU"] <= 9
    claim_what_fits([make_claim("a") for _ in range(10)])
    assert used("a")["VCPU"] <= 9


@pytest.mark.django_db(transaction=True)
def test_racing_claims_never_exceed_the_capacity():
    make_provider("a", vcpus=10)
    make_provider("b", vcpus=7)
    barrier = threading.Barrier(8)
    granted: list[str] = []
    errors: list[Exception] = []

    def race(number: int) -> None:
        barrier.wait()
        try:
            for turn in range(6):
                batch = [make_claim("a"), make_claim("b")] if (number + turn) % 2 else [make_claim("b")]
                refused = {one.consumer_uuid for one in claim_what_fits(batch)}
                kept = [one.consumer_uuid for one in batch if one.consumer_uuid not in refused]
                if turn % 3 == 0:
                    release(kept)
                else:
                    granted.extend(kept)
        except (DatabaseError, ClaimConflict) as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for host, vcpus in (("a", 10), ("b", 7)):
        held = Allocation.objects.filter(provider__name=host, resource_class="VCPU").aggregate(n=Sum("used"))["n"]
        assert held == used(host)["VCPU"] <= vcpus
    assert len(granted) == Allocation.objects.values("consumer_uuid").distinct().count()
    assert used("b")["VCPU"] == 7
