"""The admin UI: what operators see and do, what is never shown, and that lists cost the same for any number of rows."""

import re
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.staticfiles import finders
from django.urls import reverse

from cloud.compute.models import Flavor, HostCredential, Instance, InstanceFault, Operation, Service, Step
from cloud.compute.models.operations import OperationState
from cloud.compute.services import graphs, step_rows
from cloud.core.clock import database_now
from tests.factories.identity import PASSWORD, create_project, create_user
from tests.factories.instances import make_host, make_instance
from tests.factories.operations import begin_build, failed_build, move_to_spawning

pytestmark = pytest.mark.django_db
admin.autodiscover()
SECRET = "s3cr3t-user-data"
LISTS = sorted(f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry)


@pytest.fixture
def project():
    return create_project("shop")


@pytest.fixture
def operator(client):
    user = create_user("root", is_staff=True)
    client.force_login(user)
    return client


def page(client, name, *arguments, **query):
    answer = client.get(reverse(f"admin:{name}", args=arguments), query)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def act(client, action, *servers, model="instance", **more):
    body = {"action": action, ACTION_CHECKBOX_NAME: [one.pk for one in servers], **more}
    return client.post(reverse(f"admin:compute_{model}_changelist"), body, follow=True).content.decode()


def active(**fields):
    return make_instance(**{"vm_state": "active", "task_state": "", "host": "h1", **fields})


def test_strangers_and_tenants_are_sent_to_the_login(client):
    for user in (None, create_user("tenant")):
        if user:
            client.force_login(user)
        for name in ("index", "compute_instance_changelist", "compute_overview"):
            assert client.get(reverse(f"admin:{name}")).status_code == 302


def test_operators_log_in_by_name_and_password(client):
    create_user("root", is_staff=True)
    answer = client.post(reverse("admin:login"), {"username": "root", "password": "wrong"})
    assert "Please enter the correct" in answer.content.decode()
    answer = client.post(reverse("admin:login"), {"username": "root", "password": PASSWORD})
    assert answer.status_code == 302


def test_a_new_password_set_here_ends_the_tokens_of_the_old_one(operator):
    answer = operator.post(reverse("admin:password_change"), {
        "old_password": PASSWORD, "new_password1": "battery staple 9", "new_password2": "battery staple 9",
    })
    assert answer.status_code == 302
    user = create_user.__globals__["User"].objects.get(name="root")
    assert user.token_generation == 1
    assert operator.get(reverse("admin:index")).status_code == 200


def test_the_first_page_shows_hosts_servers_work_and_failures(operator):
    make_host("h1")
    make_host("h2")
    Service.objects.filter(host="h2").update(forced_down=True)
    active(display_name="calm")
    begin_build(make_instance(display_name="busy"))
    failed_build(make_instance(display_name="sad", vm_state="error", task_state=""), "h1: <b>qemu</b> said no")
    said = page(operator, "index")
    assert "<b>1<small> / 2</small></b>hosts up" in said
    assert "1 ACTIVE" in said
    assert "1 BUILD" in said
    assert "operations under way" in said
    assert "create sad" in said
    assert "h1: &lt;b&gt;qemu&lt;/b&gt; said no" in said
    assert "data-live" in said
    assert "1 ERROR" in page(operator, "compute_overview")


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens_and_searches(operator, name):
    make_host("h1")
    instance = active()
    failed_build(instance)
    page(operator, f"{name}_changelist")
    if admin.site._registry[model_of(name)].search_fields:
        page(operator, f"{name}_changelist", q="h1")


def model_of(name):
    return next(model for model in admin.site._registry if f"{model._meta.app_label}_{model._meta.model_name}" == name)


@pytest.mark.parametrize("name", ["compute_instance", "compute_operation", "compute_step", "compute_service",
                                  "compute_computenode"])
def test_a_list_costs_the_same_for_any_number_of_rows(operator, project, django_assert_max_num_queries, name):
    for number in range(12):
        make_host(f"h{number}")
        failed_build(make_instance(host=f"h{number}", project_id=project.id, vm_state="error", task_state=""))
    with django_assert_max_num_queries(18):
        page(operator, f"{name}_changelist")


@pytest.mark.parametrize("name", [
    "compute_instance", "compute_operation", "compute_step", "compute_service", "compute_computenode",
    "compute_keypair", "compute_aggregate", "compute_servergroup", "images_image", "django_celery_results_taskresult",
])
def test_what_is_true_cannot_be_edited_by_hand(operator, name):
    model_admin = admin.site._registry[model_of(name)]
    assert not model_admin.has_add_permission(None)
    assert not model_admin.has_change_permission(None)
    assert not model_admin.has_delete_permission(None)


def test_a_server_is_shown_with_its_surroundings_and_without_its_secrets(operator, project):
    instance = active(
        display_name="web", project_id=project.id, user_data=SECRET, key_data=SECRET, vm_state="error",
        scheduler_hints={"group": "g"},
    )
    InstanceFault.objects.create(instance_uuid=instance.uuid, message="It broke.", details="h1: fan")
    operation = failed_build(instance)
    said = page(operator, "compute_instance_change", instance.pk)
    assert reverse("admin:compute_operation_change", args=[operation.pk]) in said
    assert reverse("admin:identity_project_change", args=[project.id]) in said
    assert reverse("admin:compute_operation_picture", args=[operation.pk]) in said
    assert "It broke." in said
    assert "h1: fan" in said
    assert SECRET not in said
    listed = page(operator, "compute_instance_changelist")
    assert "shop" in listed
    assert "It broke." in listed
    assert SECRET not in listed


def test_buttons_tell_by_the_table_of_states_what_may_be_done(operator):
    said = page(operator, "compute_instance_change", active().pk)
    buttons = {name: "disabled" in rest for name, rest in re.findall(r'<button name="(\w+)" ([^>]*)>', said)}
    assert buttons == {
        "start": True, "stop": False, "reboot_soft": False, "reboot_hard": False, "restore": True, "delete": False,
        "force_delete": False,
    }  # fmt: skip
    assert "Cannot &#x27;start&#x27; instance" in said


def test_dead_servers_are_listed_only_when_asked_for(operator):
    active(display_name="living")
    active(display_name="gone", deleted=True, vm_state="deleted")
    assert "gone" not in page(operator, "compute_instance_changelist")
    assert "living" not in page(operator, "compute_instance_changelist", dead="1")
    assert "gone" in page(operator, "compute_instance_changelist", dead="all")
    assert "living" in page(operator, "compute_instance_changelist", status="ACTIVE")
    assert "living" not in page(operator, "compute_instance_changelist", status="SHUTOFF")


def test_stopping_servers_begins_operations_and_reports_each_refusal(operator):
    running = active(display_name="on")
    stopped = make_instance(display_name="off", vm_state="stopped", task_state="", host="h1")
    said = act(operator, "stop", running, stopped)
    assert "Server on is stopping." in said
    assert "Server off: Cannot &#x27;stop&#x27; instance" in said
    running.refresh_from_db()
    assert running.task_state == "powering-off"
    operation = Operation.objects.get()
    assert (operation.action, operation.instance_uuid) == ("stop", running.uuid)
    assert operation.project_id == running.project_id
    assert operation.user_id == create_user.__globals__["User"].objects.get(name="root").pk


@pytest.mark.parametrize(("action", "vm_state", "task_state"), [
    ("start", "stopped", "powering-on"), ("reboot_soft", "active", "rebooting"),
    ("reboot_hard", "active", "rebooting_hard"),
])
def test_start_and_reboots_begin(operator, action, vm_state, task_state):
    server = make_instance(vm_state=vm_state, task_state="", host="h1")
    act(operator, action, server)
    server.refresh_from_db()
    assert server.task_state == task_state


def test_deleting_asks_first(operator):
    server = active(display_name="web")
    said = act(operator, "delete", server)
    assert "This server will be gone" in said
    assert not Operation.objects.exists()
    assert "Server web is being deleted." in act(operator, "delete", server, confirmed="yes")
    server.refresh_from_db()
    assert server.task_state == "deleting"


def test_kept_servers_are_found_restored_and_deleted_at_once(operator, settings):
    settings.RECLAIM_INSTANCE_INTERVAL = 3600
    one, two = (active(display_name=name, vm_state="soft-delete") for name in ("one", "two"))
    assert "one" in page(operator, "compute_instance_changelist", status="SOFT_DELETED")
    assert "Server one is being restored." in act(operator, "restore", one)
    assert "Server two: it is deleted already" in act(operator, "delete", two, confirmed="yes")
    said = operator.post(reverse("admin:compute_instance_act", args=[two.pk, "force_delete"])).content.decode()
    assert "This server will be gone, with its disks:" in said
    assert 'name="action" value="force_delete"' in said
    assert "Server two is being deleted for good." in act(operator, "force_delete", two, confirmed="yes")
    assert set(Operation.objects.values_list("instance_uuid", "workflow")) == {
        (one.uuid, "restore"), (two.uuid, "delete")
    }  # fmt: skip


def test_what_is_kept_is_said_before_it_is_deleted(operator, settings):
    settings.RECLAIM_INSTANCE_INTERVAL = 3600
    assert "This server will be off, and can be restored for a while" in act(operator, "delete", active())


def test_the_buttons_of_one_server(operator):
    server = active(display_name="web")
    url = reverse("admin:compute_instance_act", args=[server.pk, "stop"])
    assert operator.get(url).status_code == 405
    said = operator.post(url, follow=True)
    assert said.redirect_chain[-1][0] == reverse("admin:compute_instance_change", args=[server.pk])
    assert "Server web is stopping." in said.content.decode()
    said = operator.post(reverse("admin:compute_instance_act", args=[server.pk, "delete"])).content.decode()
    assert "This server will be gone" in said
    for wrong in ([server.pk, "explode"], [server.pk + 1, "stop"]):
        said = operator.post(reverse("admin:compute_instance_act", args=wrong), follow=True).content.decode()
        assert "There is no such server" in said


def test_hosts_are_disabled_and_enabled_but_other_services_refuse(operator):
    make_host("h1")
    host = Service.objects.get(host="h1")
    conductor = Service.objects.create(binary="nova-conductor", host="c1")
    said = act(operator, "disable", host, conductor, model="service")
    assert "Host h1 is disabled." in said
    assert "Host c1: Updating a nova-conductor service is not supported" in said
    host.refresh_from_db()
    assert host.disabled
    assert host.disabled_reason.startswith("root")
    act(operator, "enable", host, model="service")
    host.refresh_from_db()
    assert (host.disabled, host.disabled_reason) == (False, None)


def test_the_picture_of_a_running_operation_asks_to_be_shown_again(operator):
    operation = begin_build(make_instance())
    move_to_spawning(operation)
    said = page(operator, "compute_operation_picture", operation.pk)
    assert "data-running" in said
    assert said.count('class="step done"') == 4
    assert said.count('class="step sent"') == 1
    assert said.count('class="edge done"') == 5
    assert "deadline in" in said
    assert "spawn server" in said
    Operation.objects.update(state=OperationState.SUCCEEDED)
    assert "data-running" not in page(operator, "compute_operation_picture", operation.pk)
    assert operator.get(reverse("admin:compute_operation_picture", args=["nothing"])).status_code == 404


def test_a_failed_step_tells_its_error_and_escapes_it(operator):
    operation = failed_build(make_instance(), "h1: <script>alert(1)</script>")
    said = page(operator, "compute_operation_picture", operation.pk)
    assert 'class="step failed"' in said
    assert re.search(r"<b>Attempt 1, spawn server on h1</b> HypervisorError: h1: &lt;script&gt;", said)
    assert "<script>" not in said
    assert page(operator, "compute_operation_change", operation.pk)


def test_a_step_is_named_with_who_does_it_and_can_be_reached_by_keyboard(operator):
    operation = begin_build(make_instance(display_name="web"))
    move_to_spawning(operation)
    said = page(operator, "compute_operation_picture", operation.pk)
    labels = dict(re.findall(r'id="step-1-(\w+)"[^>]*tabindex="0" aria-label="Attempt 1: ([^"]*)"', said))
    assert labels["select_destinations"].endswith(", scheduler")
    assert labels["claim_destination"].endswith(", conductor, claimed h1")
    assert ", h1, deadline in " in labels["spawn_server"]
    assert labels["finish"] == "finish, pending, conductor"
    assert "create web" in page(operator, "compute_operation_change", operation.pk)


@pytest.mark.parametrize("workflow", graphs.GRAPHS)
def test_every_workflow_has_a_picture(operator, workflow):
    operation = begin_build(make_instance())
    Step.objects.all().delete()
    Operation.objects.update(workflow=workflow)
    operation.refresh_from_db()
    step_rows.plan([operation], operation.started_at)
    said = page(operator, "compute_operation_picture", operation.pk)
    assert said.count('role="listitem"') == len(graphs.GRAPHS[workflow])
    assert said.count('class="edge') == sum(len(step.after) for step in graphs.GRAPHS[workflow])


def test_the_hosts_that_let_go_between_two_tries_are_told_apart(operator):
    operation = failed_build(make_instance())
    Operation.objects.filter(pk=operation.pk).update(attempt=2, workflow="clear_host")
    operation.refresh_from_db()
    step_rows.plan([operation], operation.started_at)
    said = page(operator, "compute_operation_picture", operation.pk)
    assert "Attempt 2: the host before lets go" in said


def test_credentials_of_hosts_are_shown_without_what_is_secret(operator):
    now = database_now()
    rows = HostCredential.objects
    good = rows.create(name="h1", hosts=["h1"], salt="a" * 32, created_at=now, updated_at=now)
    rows.create(name="h2", hosts=["h2"], salt="b" * 32, created_at=now, updated_at=now, suspended_at=now,
                suspended_reason="flooded the conductor")  # fmt: skip
    rows.create(name="h3", hosts=["h3"], salt="c" * 32, created_at=now, updated_at=now, dismissed_at=now)
    listed = page(operator, "compute_hostcredential_changelist")
    assert re.findall(r'badge \w+">(\w+)<', listed) == ["good", "suspended", "dismissed"]
    assert "flooded the conductor" in listed
    said = listed + page(operator, "compute_hostcredential_change", good.pk)
    assert not [one.salt for one in rows.all() if one.salt in said]


def test_tones_can_be_read_on_their_grounds_in_light_and_dark():
    styles = Path(finders.find("novella/admin.css")).read_text()
    for block in re.findall(r"\{([^}]*--good:[^}]*)\}", styles):
        colours = dict(re.findall(r"--(\w+(?:-bg)?): (#\w+)", block))
        for tone in ("good", "bad", "busy", "warn", "plain"):
            assert contrast(colours[tone], colours[f"{tone}-bg"]) >= 4.5, (tone, colours[tone])


def contrast(one, other):
    """WCAG's measure of how well a colour stands out from another; 4.5 is enough for small text."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour):
    parts = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_flavor_is_made_within_the_apis_limits_and_its_size_stays(operator):
    values = {
        "name": "m9", "flavorid": "9", "description": "", "is_public": "on", "vcpus": 1, "memory_mb": 64, "disk_gb": 1,
        "ephemeral_gb": 0, "swap_mb": 0, "rxtx_factor": 1, "access-TOTAL_FORMS": 0, "access-INITIAL_FORMS": 0,
    }  # fmt: skip
    add = reverse("admin:compute_flavor_add")
    for wrong in ({"vcpus": 0}, {"memory_mb": -1}, {"flavorid": "a/b"}, {"name": "a\x07b"}):
        assert operator.post(add, {**values, **wrong}).status_code == 200
    assert not Flavor.objects.exists()
    assert operator.post(add, values).status_code == 302
    flavor = Flavor.objects.get()
    operator.post(reverse("admin:compute_flavor_change", args=[flavor.pk]), {**values, "vcpus": 8, "description": "d"})
    flavor.refresh_from_db()
    assert (flavor.vcpus, flavor.description) == (1, "d")


def test_no_page_of_a_user_shows_the_hash_of_a_password(operator):
    user = create_user("other")
    said = page(operator, "identity_user_change", user.pk)
    assert user.password not in said
    assert "argon2" not in said
    assert not Instance.objects.exists()


@pytest.mark.parametrize("key", ["abc", "a\nb", "\0", "-1", "9" * 30])
@pytest.mark.parametrize(("model", "action"), [("instance", "stop"), ("service", "disable")])
def test_an_action_on_what_is_on_no_list_changes_nothing(operator, model, action, key):
    make_host("h1")
    one = active()
    body = {"action": action, ACTION_CHECKBOX_NAME: [key, one.pk], "index": "9" * 20}
    answer = operator.post(reverse(f"admin:compute_{model}_changelist"), body, follow=True)
    assert answer.status_code == 200
    if key != "-1":
        assert "Nothing was done" in answer.content.decode()
        assert not Operation.objects.exists()


@pytest.mark.parametrize("query", ["started_at__year=99999999", "id=" + "9" * 30, "id=%00", "q=%00", "p=-5"])
@pytest.mark.parametrize("name", ["compute_service", "compute_operation"])
def test_an_absurd_address_of_a_list_is_answered(operator, name, query):
    answer = operator.get(f"{reverse(f'admin:{name}_changelist')}?{query}", follow=True)
    assert answer.status_code == 200
