"""Quotas hold, whoever races."""

import threading

import pytest
from django.db import connection, transaction

from cloud.core.errors import QuotaExceeded
from cloud.identity.models import QuotaUsage
from cloud.identity.services import quotas

P = "p" * 32


@pytest.mark.django_db
def test_a_reservation_is_counted_and_given_back():
    quotas.reserve(P, {"instances": 2, "cores": 4, "ram": 0})
    assert quotas.usages(P, ["instances", "cores", "ram"]) == {"instances": 2, "cores": 4, "ram": 0}
    quotas.release(P, {"instances": 1, "cores": 9})
    assert quotas.usages(P, ["instances", "cores"]) == {"instances": 1, "cores": 0}


@pytest.mark.django_db
def test_what_passes_the_limit_is_named_as_nova_names_it_and_nothing_is_taken():
    quotas.reserve(P, {"instances": 10, "cores": 3})
    with pytest.raises(QuotaExceeded) as caught:
        quotas.reserve(P, {"instances": 1, "cores": 1})
    assert caught.value.message == (
        "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances"
    )
    assert quotas.usages(P, ["instances", "cores"]) == {"instances": 10, "cores": 3}


@pytest.mark.django_db
def test_a_first_reservation_above_the_limit_is_refused():
    with pytest.raises(QuotaExceeded, match=r"cores, instances: Requested 21, 11, but already used 0, 0 of 20, 10"):
        quotas.reserve(P, {"instances": 11, "cores": 21, "ram": 1})
    assert quotas.usages(P, ["ram"]) == {"ram": 0}


@pytest.mark.django_db
def test_the_projects_own_limit_wins_over_the_class_and_the_class_over_the_default():
    quotas.set_class_limits({"instances": 3, "cores": 5})
    quotas.set_limits(P, {"instances": 2})
    quotas.set_limits(P, {"instances": -1})
    assert quotas.limits(P, ["instances", "cores", "ram"]) == {"instances": -1, "cores": 5, "ram": 51200}
    quotas.reserve(P, {"instances": 1000})
    quotas.clear_limits(P)
    assert quotas.limits(P)["instances"] == 3
    assert quotas.class_limits()["cores"] == 5


@pytest.mark.django_db
def test_giving_back_by_a_negative_amount_is_allowed_above_the_limit():
    quotas.reserve(P, {"cores": 20})
    quotas.set_limits(P, {"cores": 10})
    quotas.reserve(P, {"cores": -4, "ram": 100})
    assert quotas.usages(P, ["cores", "ram"]) == {"cores": 16, "ram": 100}


@pytest.mark.django_db
def test_a_reservation_goes_with_the_callers_transaction():
    with transaction.atomic():
        quotas.reserve(P, {"instances": 1})
        transaction.set_rollback(True)
    assert quotas.usages(P, ["instances"]) == {"instances": 0}


@pytest.mark.django_db
def test_a_resource_that_nobody_declared_is_an_error():
    with pytest.raises(KeyError):
        quotas.reserve(P, {"unicorns": 1})


@pytest.mark.django_db(transaction=True)
def test_racing_reservations_never_pass_the_limit():
    quotas.set_limits(P, {"instances": 6, "cores": 100})
    results = []

    def race():
        for _ in range(4):
            try:
                with transaction.atomic():
                    quotas.reserve(P, {"instances": 1, "cores": 2})
                results.append(1)
            except QuotaExceeded:
                results.append(0)
        connection.close()

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0] * 10 + [1] * 6
    assert dict(QuotaUsage.objects.values_list("resource", "in_use")) == {"instances": 6, "cores": 12}
