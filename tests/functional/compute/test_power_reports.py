"""What hosts see their guests do by themselves: taken where it is their own, and news."""

import time

import pytest

from cloud.compute.models import Operation
from cloud.compute.services.power_reports import report_power_states
from contracts.conductor import InstancePower, PowerReport
from tests.factories.instances import make_instance

pytestmark = pytest.mark.django_db


def power(uuid: str, state: int, host: str = "a") -> PowerReport:
    seen = [InstancePower(instance_uuid=uuid, power_state=state)]
    return PowerReport(host=host, reported_at=time.time() + 60, instances=seen)


@pytest.mark.parametrize(("before", "seen", "after"), [("active", 4, "stopped"), ("stopped", 1, "active")])
def test_what_a_host_saw_by_itself_is_taken(before, seen, after):
    instance = make_instance(host="a", vm_state=before, task_state="", power_state=5 - seen)
    assert report_power_states(power(instance.uuid, seen)) == 1
    instance.refresh_from_db()
    assert (instance.vm_state, instance.power_state) == (after, seen)


def test_a_guest_that_went_off_by_itself_has_a_stop_among_its_actions():
    instance = make_instance(host="a", vm_state="active", task_state="", power_state=1)
    for _ in range(2):
        report_power_states(power(instance.uuid, 4))
    (operation,) = Operation.objects.filter(instance_uuid=instance.uuid)
    assert (operation.action, operation.state, operation.user_id) == ("stop", "succeeded", "")
    (step,) = operation.steps.all()
    assert (step.host, step.state, step.detail) == ("a", "done", "The guest went off by itself.")


def test_a_host_is_heard_about_its_own_servers_only():
    instance = make_instance(host="a", vm_state="active", task_state="", power_state=1)
    assert report_power_states(power(instance.uuid, 4, host="b")) == 0


def test_a_server_with_a_task_under_way_is_left_to_it():
    instance = make_instance(host="a", vm_state="active", task_state="rebooting", power_state=1)
    report_power_states(power(instance.uuid, 4))
    instance.refresh_from_db()
    assert (instance.vm_state, instance.task_state, instance.power_state) == ("active", "rebooting", 1)


def test_what_was_seen_before_the_server_changed_is_old_news():
    instance = make_instance(host="a", vm_state="active", task_state="", power_state=1)
    seen = [InstancePower(instance_uuid=instance.uuid, power_state=4)]
    old = PowerReport(host="a", reported_at=instance.updated_at.timestamp() - 1, instances=seen)
    assert report_power_states(old) == 0
