"""Values go to the database beside the statement, whole, and a statement that is asked again is planned once."""

import pytest
from django.db import DataError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from cloud.compute.models import Operation
from cloud.networks.models import HostNetworkState
from tests.factories.instances import make_instance
from tests.factories.operations import begin_build

pytestmark = pytest.mark.django_db
LARGE = 2**40 + 7
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has neither types nor a server")


@pytest.mark.parametrize("value", [7, 2**31 - 1, 2**31, LARGE, -LARGE])
def test_a_number_in_an_expression_is_not_cut_off(value):
    HostNetworkState.objects.create(host="a", applied=-(2**41))
    rows = HostNetworkState.objects.filter(host="a")
    rows.update(applied=Greatest("applied", Value(value)))
    assert rows.get().applied == value
    rows.update(wanted=F("applied") + Value(LARGE))
    assert rows.get().wanted == value + LARGE


@on_postgresql
def test_a_number_that_its_column_cannot_hold_is_refused():
    operation = begin_build(make_instance())
    with pytest.raises(DataError), transaction.atomic():
        Operation.objects.filter(pk=operation.pk).update(attempt=Value(LARGE))
    operation.refresh_from_db()
    assert operation.attempt == 1


@on_postgresql
def test_what_is_asked_again_is_planned_once():
    for host in "abcdef":
        HostNetworkState.objects.filter(host=host, error="planned once").exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        found = [text for (text,) in cursor.fetchall() if "networks_hostnetworkstate" in text]
    assert len(found) == 1
    assert "planned once" not in found[0]


def test_more_values_than_the_protocol_has_room_for():
    HostNetworkState.objects.create(host="it's 7 %s")
    names = [f"it's {number} %s" for number in range(70_000)]
    assert HostNetworkState.objects.filter(host__in=names).get().host == names[7]
