"""The auditor is silent about a healthy cloud, and finds every breach that is sown."""

import json
import shlex
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.management import call_command, get_commands, load_command_class

from cloud.compute.models import ComputeNode, Instance
from cloud.conductor.audit.auditor import INVARIANTS, audit
from cloud.conductor.steps.orders import claim_of
from cloud.core.clock import database_now
from cloud.identity.models import QuotaUsage
from cloud.placement.models import Inventory
from cloud.placement.services.claims import claim
from tests.factories.instances import PROJECT, make_instance
from tests.functional.conductor.breaches import BREACHES, healthy_cloud

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def server(monkeypatch) -> Instance:
    """A server that was built an hour ago on host a, which said so a moment ago."""
    return healthy_cloud(monkeypatch)


def found() -> set[str]:
    return {finding.invariant for finding in audit(0)}


def test_a_healthy_cloud_prints_nothing(capsys):
    call_command("audit")
    assert capsys.readouterr().out == ""


def test_a_breach_is_printed_and_ends_with_status_1(capsys):
    QuotaUsage.objects.filter(resource="cores").update(in_use=9)
    with pytest.raises(SystemExit) as end:
        call_command("audit")
    assert end.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"I7 project {PROJECT}: has 1 cores, its quota counts 9", f"    manage.py recount project {PROJECT}"
    ]


def test_a_script_is_told_the_same(capsys):
    call_command("audit", format="json")
    assert json.loads(capsys.readouterr().out) == []
    QuotaUsage.objects.filter(resource="cores").update(in_use=9)
    with pytest.raises(SystemExit) as end:
        call_command("audit", format="json")
    assert end.value.code == 1
    assert json.loads(capsys.readouterr().out) == [{
        "invariant": "I7", "subject": f"project {PROJECT}", "text": "has 1 cores, its quota counts 9",
        "command": f"manage.py recount project {PROJECT}", "promise": INVARIANTS["I7"].__doc__,
    }]


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_is_found(name, server):
    assert found() == set()
    expected, sow = BREACHES[name]
    sow(server)
    assert found() == expected


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_names_a_command_that_there_is(name, server):
    _, sow = BREACHES[name]
    sow(server)
    for finding in audit(0):
        program, *words = shlex.split(finding.command)
        if program == "openstack":
            assert words[:2] in (["server", "migrate"], ["port", "delete"])
            continue
        assert program == "manage.py"
        command = load_command_class(get_commands()[words[0]], words[0])
        command.create_parser("manage.py", words[0]).parse_args(words[1:])


# What is mended in the books alone; the rest needs hosts, and is mended by the same verbs in test_doctor.py.
IN_THE_BOOKS = (
    "a sum that is wrong", "a claim of nobody", "a claim of the wrong size", "a quota that forgot",
    "an end without a time", "a step that never ends", "a server of no request", "a deleted server with a tag",
)


@pytest.mark.parametrize("name", IN_THE_BOOKS)
def test_the_command_that_is_named_mends_the_breach(name, server):
    _, sow = BREACHES[name]
    sow(server)
    for _ in range(2):  # what one mending leaves, the next look names
        for command in {finding.command for finding in audit(0)}:
            call_command(*shlex.split(command)[1:])
    assert audit(0) == []


def test_who_makes_room_on_a_host_is_the_smallest_that_is_enough(server):
    small, large = make_instance(host="a", vm_state="active"), make_instance(host="a", vm_state="active")
    claim([replace(claim_of(small, "a"), resources={"VCPU": 2}), replace(claim_of(large, "a"), resources={"VCPU": 8})])
    Inventory.objects.filter(provider__name="a", resource_class="VCPU").update(capacity=9)
    (command,) = {one.command for one in audit(0) if one.invariant == "I3"}
    assert command == f"openstack server migrate --wait {small.uuid}"
    Inventory.objects.filter(provider__name="a", resource_class="VCPU").update(capacity=1)
    (command,) = {one.command for one in audit(0) if one.invariant == "I3"}
    assert command == f"openstack server migrate --wait {large.uuid}"


def test_every_invariant_has_a_breach_that_is_found():
    assert set().union(*(expected for expected, _ in BREACHES.values())) == set(INVARIANTS)


def test_what_changed_since_the_host_spoke_is_no_breach(server):
    Instance.objects.filter(pk=server.pk).update(updated_at=database_now(), deleted=True, vm_state="deleted")
    assert "I5" not in found()


def test_a_host_that_was_silent_for_long_proves_nothing(server):
    ComputeNode.objects.filter(host="a").update(residue={}, residue_at=database_now() - timedelta(hours=1))
    assert found() == set()
