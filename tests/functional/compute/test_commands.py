"""Management commands: what an operator reads at the terminal, and what he is told when he errs."""

import io

import pytest
from django.core.management import CommandError, call_command

from cloud.compute.models import ComputeNode, Flavor, Instance, InstanceFault, Service
from cloud.compute.services import operations
from tests.factories.instances import make_host, make_instance
from tests.factories.operations import age, begin_build, failed_build, move_to_spawning

pytestmark = pytest.mark.django_db


def run(*words):
    output = io.StringIO()
    call_command(*words, stdout=output)
    return output.getvalue()


def test_cloud_status_of_an_empty_cloud_says_so():
    said = run("cloud_status")
    assert "Hosts: 0" in said
    assert "Servers: 0\n" in said
    assert "Operations under way: 0" in said


def test_cloud_status_shows_hosts_servers_work_and_failures():
    make_host("h1")
    make_host("h2")
    Service.objects.filter(host="h2").update(disabled=True, disabled_reason="new disk", forced_down=True)
    ComputeNode.objects.filter(host="h1").update(troubles=["the disk is full"])
    make_instance(display_name="calm", host="h1", vm_state="active", task_state="")
    busy = make_instance(display_name="busy", host="h1")
    age(begin_build(busy), 90)
    failed_build(make_instance(display_name="sad", vm_state="error", task_state=""), "h1: no such machine type")
    said = run("cloud_status")
    assert "Hosts: 2; 1 up, 1 down, 1 disabled" in said
    assert "disabled: new disk" in said
    assert "the disk is full" in next(line for line in said.splitlines() if "h1" in line)
    assert "1 ACTIVE" in said
    assert "1 BUILD" in said
    assert "1 ERROR" in said
    assert "Operations under way: 1, the oldest for 90" in said
    assert "busy" in said
    assert "scheduling for" in said
    assert "create sad  HypervisorError: h1: no such machine type" in said


def test_cloud_status_costs_the_same_for_any_number_of_hosts(django_assert_max_num_queries):
    for number in range(12):
        make_host(f"h{number:02}")
    with django_assert_max_num_queries(10):
        said = run("cloud_status", "--hosts", "5")
    assert "and 7 more" in said


def test_server_show_draws_the_graph_of_a_running_build():
    instance = make_instance(display_name="web")
    move_to_spawning(begin_build(instance))
    said = run("server_show", "web")
    assert instance.uuid in said
    assert "create  running for" in said
    assert "└─ ✔ select_destinations  done" in said
    assert "      ├─ ✔ prepare_image" in said
    spawning = next(line for line in said.splitlines() if "spawn_server" in line)
    assert "▶" in spawning
    assert "on h1" in spawning
    assert "deadline in" in spawning
    assert "after prepare_image and plug_vifs" in spawning


def test_server_show_tells_attempts_apart_and_why_one_failed():
    instance = make_instance(display_name="web")
    operation = failed_build(instance, "h1: qemu said no")
    said = run("server_show", instance.uuid[:8])
    assert "HypervisorError: h1: qemu said no" in said
    assert "✘ spawn_server" in said
    assert "attempt 1" not in said
    steps = operation.steps.filter(name="select_destinations")
    steps.create(operation=operation, attempt=2, position=0, name="select_destinations", state="sent", sends=3)
    said = run("server_show", "web")
    assert "attempt 1" in said
    assert "attempt 2" in said
    assert "sent 3 times" in said


def test_server_show_tells_a_fault_while_it_lasts():
    instance = make_instance(display_name="web", vm_state="error", task_state="", host="h1")
    InstanceFault.objects.create(instance_uuid=instance.uuid, message="It broke.", details="h1: fan")
    assert "fault      h1: fan" in run("server_show", "web")
    Instance.objects.update(vm_state="active")
    assert "h1: fan" not in run("server_show", "web")


def test_server_show_prefers_the_living_and_asks_back_where_a_name_is_not_enough():
    make_instance(display_name="twin", deleted=True, vm_state="deleted", task_state="")
    living = make_instance(display_name="twin")
    assert living.uuid in run("server_show", "twin")
    make_instance(display_name="twin")
    with pytest.raises(CommandError, match="2 servers are called 'twin'"):
        run("server_show", "twin")
    with pytest.raises(CommandError, match="no server whose id or name is 'nobody'"):
        run("server_show", "nobody")


def test_an_operation_that_ended_shows_no_deadline():
    instance = make_instance(display_name="web")
    operation = begin_build(instance)
    operations.finish(operation)
    said = run("server_show", "web")
    assert "create  succeeded after" in said
    assert "deadline" not in said


def test_a_host_is_disabled_with_its_reason_and_enabled_again():
    make_host("h1")
    assert "h1 is disabled" in run("host_disable", "h1", "--reason", "fan broken")
    service = Service.objects.get(host="h1")
    assert (service.disabled, service.disabled_reason) == (True, "fan broken")
    assert "h1 is enabled" in run("host_enable", "h1")
    service.refresh_from_db()
    assert (service.disabled, service.disabled_reason) == (False, None)


@pytest.mark.parametrize(("words", "sentence"), [
    (("host_enable", "nowhere"), "There is no host 'nowhere'"),
    (("host_disable", "nowhere"), "There is no host 'nowhere'"),
    (("host_disable", "h1", "--reason", "two\nlines"), "one printable line"),
    (("host_disable", "h1", "--reason", "x" * 256), "at most 255"),
    (("flavor", "create", "a", "--ram", "-3"), "less than the minimum"),
    (("flavor", "create", "a", "--id", "b/c"), "b/c"),
    (("flavor", "create", "a\x00"), "name"),
    (("flavor", "show", "nothing"), "no flavor whose id or name is 'nothing'"),
    (("flavor", "delete", "nothing"), "no flavor whose id or name is 'nothing'"),
])
def test_bad_input_changes_nothing_and_is_told_in_a_sentence(words, sentence):
    make_host("h1")
    with pytest.raises(CommandError, match=sentence):
        run(*words)
    assert not Service.objects.filter(disabled=True).exists()
    assert not Flavor.objects.exists()


def test_flavors_are_made_listed_shown_and_deleted():
    made = run("flavor", "create", "m1.odd", "--vcpus", "3", "--ram", "640", "--disk", "7", "--id", "odd", "--private")
    assert "the id odd" in made
    assert Flavor.objects.get().is_public is False
    assert "m1.odd  odd      3        640        7  private" in run("flavor", "list")
    assert "memory MB    640" in run("flavor", "show", "odd")
    with pytest.raises(CommandError, match="already exists"):
        run("flavor", "create", "m1.odd")
    run("flavor", "delete", "m1.odd")
    assert not Flavor.objects.exists()
