"""Every workflow as an operator watches it: the graph of its steps is drawn as it runs, and nobody reloads the page."""

import pytest
import yaml

from cloud.compute.services.graphs import GRAPHS
from tests.chaos.real.clouds import ChaosCloud
from tests.fakecloud.test_browser import Operator
from tests.fixtures.browser import chromium
from tests.fixtures.clouds import wait_until

pytestmark = pytest.mark.browser
DOOMED = "doomed"
# Longer than anybody looks: hosts go on when they are told to.
HELD_SECONDS = 100
# A call of each workflow.
HELD = ("define", "undefine", "copy_root_disk", "drop_aside", "delete_disks", "request_shutdown", "set_interfaces")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """Two fake hosts, and a day to change one's mind about a delete."""
    one = ChaosCloud(
        tmp_path_factory.mktemp("watched"), "fake", 2, postgres=None, NOVELLA_RECLAIM_INSTANCE_INTERVAL="86400"
    )
    try:
        one.host("up")
        yield one
    finally:
        one.end()


@pytest.fixture(scope="module")
def operator(cloud):
    with chromium() as driver:
        person = Operator(driver, cloud)
        clouds = yaml.safe_load((cloud.state_dir / "clouds.yaml").read_text())["clouds"]
        person.log_in("admin", clouds["novella-admin"]["auth"]["password"])
        yield person


def hold(cloud):
    """Let the hosts stand still at what comes next."""
    cloud.trouble(*({"verb": verb, "delay_seconds": HELD_SECONDS} for verb in HELD))


def watch(operator, cloud, uuid, action):
    """Look at a server's last operation while its host stands still, let that go on, and look on to the end."""
    operator.open(f"compute/operation/?q={uuid}")
    operator.follow(action)
    operator.see(f"{action} running", ".graph figcaption")
    operator.picture(f"{action.lower()}-running")
    cloud.trouble()
    operator.see(f"{action} succeeded", ".graph figcaption")
    operator.see("succeeded", ".field-state_")
    operator.see(f"{action} succeeded", ".graph figcaption")  # again: the page was loaded anew
    steps = operator.texts(".graph .step")
    assert steps
    assert len(operator.all(".graph .step:is(.done, .skipped)")) == len(steps)
    operator.picture(action.lower())


def port_of(api, uuid):
    """Return the newest port of a server."""
    return list(api.server_interfaces(uuid))[-1].port_id


# Workflow: what is asked of a server, what its operation is called, and where the server is at rest again.
ASKED = (
    ("stop", lambda api, admin, uuid: api.stop_server(uuid), "stop", "SHUTOFF"),
    ("start", lambda api, admin, uuid: api.start_server(uuid), "start", "ACTIVE"),
    ("reboot", lambda api, admin, uuid: api.reboot_server(uuid, "HARD"), "reboot", "ACTIVE"),
    ("resize", lambda api, admin, uuid: api.resize_server(uuid, api.find_flavor("m1.small").id), "resize",
     "VERIFY_RESIZE"),
    ("revert_resize", lambda api, admin, uuid: api.revert_server_resize(uuid), "revertResize", "ACTIVE"),
    ("resize", lambda api, admin, uuid: admin.migrate_server(uuid), "migrate", "VERIFY_RESIZE"),
    ("confirm_resize", lambda api, admin, uuid: api.confirm_server_resize(uuid), "confirmResize", "ACTIVE"),
    ("snapshot", lambda api, admin, uuid: api.create_server_image(uuid, "kept"), "createImage", "ACTIVE"),
    ("rebuild", lambda api, admin, uuid: api.rebuild_server(uuid, api.get_server(uuid).image.id), "rebuild", "ACTIVE"),
    ("attach_interface", lambda api, admin, uuid: api.create_server_interface(uuid), "attach_interface", "ACTIVE"),
    ("detach_interface", lambda api, admin, uuid: api.delete_server_interface(port_of(api, uuid), uuid),
     "detach_interface", "ACTIVE"),
    ("soft_delete", lambda api, admin, uuid: api.delete_server(uuid), "delete", "SOFT_DELETED"),
    ("restore", lambda api, admin, uuid: api.restore_server(uuid), "restore", "ACTIVE"),
    ("delete", lambda api, admin, uuid: api.delete_server(uuid, force=True), "delete", ""),
)  # fmt: skip
# A test of their own, and what only a failure leads to: see the pictures of functional/compute/test_admin.py.
APART, OF_FAILURES = {"build", "evacuate"}, {"clear_host", "undo_evacuation"}


def test_all_workflows_are_here():
    assert {workflow for workflow, *_ in ASKED} | APART | OF_FAILURES == set(GRAPHS)


def test_every_workflow_is_watched_as_it_runs_and_nobody_reloads(operator, cloud):
    api, admin = cloud.connect().compute, cloud.connect("novella-admin").compute
    hold(cloud)
    uuid = cloud.connect().create_server("seen", image="tiny", flavor="m1.tiny", network="demo", auto_ip=False).id
    watch(operator, cloud, uuid, "create")
    admin.wait_for_server(admin.get_server(uuid), "ACTIVE")
    for _, ask, action, status in ASKED:
        hold(cloud)
        ask(api, admin, uuid)
        watch(operator, cloud, uuid, action)
        if status:
            wait_until(lambda status=status: admin.get_server(uuid).status == status, f"the server to be {status}")


@pytest.fixture
def lost(cloud):
    """A server of a host whose machine is off, as an operator says."""
    admin = cloud.connect("novella-admin").compute
    agent = cloud.start_agent(DOOMED)
    wait_until(lambda: any(one.name == DOOMED for one in admin.hypervisors()), "the host to report")
    server = admin.create_server(
        name="lost", image_id=admin.find_image("tiny").id, flavor_id=admin.find_flavor("m1.tiny").id, networks="none",
        availability_zone=f"nova:{DOOMED}",
    )  # fmt: skip
    admin.wait_for_server(server)
    agent.end()
    return server.id


def test_an_evacuation_is_watched_too(operator, cloud, lost):
    admin = cloud.connect("novella-admin").compute

    def is_begun():
        cloud.manage("host_fence", DOOMED, "--by", "the operator")
        answer = admin.post(f"/servers/{lost}/action", json={"evacuate": {}}, microversion="2.68")
        return answer.status_code == 200

    hold(cloud)
    wait_until(is_begun, "the host's last words to be history")
    watch(operator, cloud, lost, "evacuate")
    assert admin.get_server(lost).compute_host != DOOMED


def test_the_browser_had_no_complaint(operator):
    assert [one for one in operator.driver.get_log("browser") if one["level"] == "SEVERE"] == []
