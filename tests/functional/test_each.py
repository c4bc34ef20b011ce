"""Many rows that get values of their own in one statement."""

from datetime import UTC, datetime

import pytest

from cloud.compute.models import ComputeNode, Service
from cloud.core.each import update_each
from tests.factories.instances import make_host

pytestmark = pytest.mark.django_db


def test_each_row_gets_its_own_values_of_any_type(django_assert_num_queries):
    for host in "abc":
        make_host(host)
    pks = dict(ComputeNode.objects.values_list("host", "pk"))
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
    with django_assert_num_queries(1):
        update_each(ComputeNode, ("residue", "residue_at", "clock_offset_seconds"), {
            pks["a"]: ({"domains": ["it's \\ 100 % \N{SNOWMAN}"]}, moment, 1.5), pks["b"]: ({}, None, -2.0),
            max(pks.values()) + 1: ({}, moment, 0.0),
        })  # fmt: skip
    rows = {row.host: (row.residue, row.residue_at, row.clock_offset_seconds) for row in ComputeNode.objects.all()}
    assert rows == {
        "a": ({"domains": ["it's \\ 100 % \N{SNOWMAN}"]}, moment, 1.5), "b": ({}, None, -2.0), "c": ({}, None, 0.0)
    }


def test_nothing_to_write_is_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        update_each(Service, ("reported_at",), {})
