"""Hosts of an older release are not told what they do not know."""

import pytest

from cloud.compute.errors import HostTooOld
from cloud.compute.models import ComputeNode, Operation
from cloud.compute.services import graphs, host_reports, operations
from cloud.compute.services.releases import too_old
from contracts import RELEASE
from contracts.conductor import HostReport
from tests.factories.instances import make_context, make_instance

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _hosts(monkeypatch):
    monkeypatch.setitem(graphs.RELEASES, "stop", RELEASE)
    for name, said in (("old", {}), ("new", {"release": RELEASE})):
        report = HostReport(host=name, reported_at=1.0, vcpus=1, memory_mb=1024, disk_gb=1, **said)
        assert host_reports.report_host(report)


def test_a_host_that_does_not_say_is_of_the_first_release():
    assert dict(ComputeNode.objects.values_list("host", "release")) == {"old": 1, "new": RELEASE}
    assert too_old("stop", ["old", "new"]) == {"old"}
    assert too_old("start", ["old", "new"]) == set()


def test_an_operation_begins_only_where_the_host_knows_its_orders():
    operations.begin(make_context(), [make_instance(host="new")], "stop", "stop")
    with pytest.raises(HostTooOld, match="older release, which cannot carry out: stop"):
        operations.begin(make_context(), [make_instance(host="old")], "stop", "stop")
    assert Operation.objects.count() == 1


def test_a_host_that_was_brought_up_to_date_is_told_again():
    report = HostReport(host="old", reported_at=2.0, vcpus=1, memory_mb=1024, disk_gb=1, release=RELEASE)
    assert host_reports.report_host(report)
    operations.begin(make_context(), [make_instance(host="old")], "stop", "stop")
