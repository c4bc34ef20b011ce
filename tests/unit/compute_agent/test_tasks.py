"""The agent's doors: what may come in, and what always comes out."""

import threading

from celery import Celery

from compute_agent.drivers.base import PowerState
from compute_agent.drivers.fault_plan import Fault
from compute_agent.tasks import DUTIES, carry_out, register
from contracts.compute import (
    COMMANDS,
    DestroyServer,
    GetConsoleOutput,
    PlugVifs,
    PrepareImage,
    RebootServer,
    RebuildServer,
    SpawnServer,
    StopServer,
)
from contracts.envelope import Order
from tests.unit.compute_agent.orders import IMAGE, FakeHost, new_id, order, server_spec


def _send(agent, message: Order):
    return carry_out(agent, message.NAME, message.to_wire())


def test_agent_registers_exactly_the_commands_of_the_contract():
    app = Celery("test", set_as_current=False)
    before = set(app.tasks)  # another test of this process may have loaded tasks that every app shares
    register(app, FakeHost().agent())
    assert set(app.tasks) - before == set(COMMANDS) == set(DUTIES)


def test_spawn_order_ends_with_a_running_domain_and_says_so():
    fake = FakeHost()
    server = server_spec()
    spawn = order(SpawnServer, server.uuid, server=server, attempt=3)
    assert _send(fake.agent(), spawn) == {
        "error_code": "", "detail": "", "host": "host-1", "attempt": 3, "operation_id": spawn.operation_id, "step": "s",
        "order": SpawnServer.NAME, "signature": "", "power_state": 1,
    }  # fmt: skip
    assert fake.driver.list_domains() == {server.uuid: PowerState.RUNNING}


def test_order_for_another_host_changes_nothing_and_is_reported():
    fake = FakeHost()
    server = server_spec()
    answer = _send(fake.agent(), order(SpawnServer, server.uuid, server=server, host="host-2"))
    assert answer["error_code"] == "OrderRefused"
    assert fake.driver.list_domains() == {}


def test_late_order_changes_nothing_and_is_reported():
    fake = FakeHost()
    server = server_spec()
    answer = _send(fake.agent(), order(SpawnServer, server.uuid, server=server, not_after=999.0))
    assert answer["error_code"] == "OrderRefused"
    assert "deadline" in answer["detail"]
    assert fake.driver.list_domains() == {}


def test_malformed_order_is_answered_not_raised():
    answer = carry_out(FakeHost().agent(), SpawnServer.NAME, {"host": 5})
    assert answer["error_code"] == "OrderRefused"


def test_instance_uuid_that_is_a_path_is_refused():
    answer = _send(FakeHost().agent(), order(DestroyServer, "../../etc/passwd"))
    assert answer["error_code"] == "OrderRefused"


def test_older_attempt_never_follows_a_newer_one():
    fake = FakeHost()
    agent, server, operation_id = fake.agent(), server_spec(), new_id()
    _send(agent, order(PlugVifs, server.uuid, server=server, operation_id=operation_id, attempt=2))
    answer = _send(agent, order(SpawnServer, server.uuid, server=server, operation_id=operation_id, attempt=1))
    assert answer["error_code"] == "OrderRefused"
    assert fake.driver.list_domains() == {}


def test_repeated_spawn_does_not_restart_what_was_stopped_since():
    fake = FakeHost()
    agent, server = fake.agent(), server_spec()
    spawn = order(SpawnServer, server.uuid, server=server)
    first = _send(agent, spawn)
    _send(agent, order(StopServer, server.uuid))
    assert _send(agent, spawn) == first
    assert fake.driver.power_state(server.uuid) is PowerState.SHUTDOWN


def test_repeated_reboot_happens_once():
    fake = FakeHost()
    agent, server = fake.agent(), server_spec()
    _send(agent, order(SpawnServer, server.uuid, server=server))
    reboot = order(RebootServer, server.uuid, server=server, hard=True)
    started = []
    fake.driver.subscribe(lambda uuid, state: started.append(state))
    _send(agent, reboot)
    fake.driver.faults.add(Fault(verb="power_off", error="a second reboot"))
    assert _send(agent, reboot)["error_code"] == ""


def test_repeated_rebuild_wipes_once():
    fake = FakeHost()
    agent, server = fake.agent(), server_spec()
    _send(agent, order(SpawnServer, server.uuid, server=server))
    rebuild = order(RebuildServer, server.uuid, server=server)
    first = _send(agent, rebuild)
    fake.storage.faults.add(Fault(verb="delete_disks", error="a second wipe"))
    assert _send(agent, rebuild) == first
    assert first["power_state"] == PowerState.RUNNING


def test_rebuild_that_arrives_after_the_delete_does_not_bring_the_instance_back():
    fake = FakeHost()
    agent, server = fake.agent(), server_spec()
    _send(agent, order(SpawnServer, server.uuid, server=server))
    _send(agent, order(DestroyServer, server.uuid, is_final=True))
    assert _send(agent, order(RebuildServer, server.uuid, server=server))["error_code"] == "OrderRefused"
    assert fake.driver.list_domains() == fake.network.plugged_ports() == {}


def test_rebuild_that_failed_half_way_goes_on_when_it_is_repeated():
    fake = FakeHost()
    agent, server = fake.agent(), server_spec()
    _send(agent, order(SpawnServer, server.uuid, server=server))
    rebuild = order(RebuildServer, server.uuid, server=server)
    fake.driver.faults.add(Fault(verb="define", error="no luck", times=1))
    assert _send(agent, rebuild)["error_code"] == "HypervisorError"
    assert _send(agent, rebuild)["power_state"] == PowerState.RUNNING


def test_spawn_that_arrives_after_destroy_does_not_bring_the_instance_back():
    fake = FakeHost()
    agent, server, build = fake.agent(), server_spec(), new_id()
    _send(agent, order(PlugVifs, server.uuid, server=server, operation_id=build))
    _send(agent, order(DestroyServer, server.uuid))
    answer = _send(agent, order(SpawnServer, server.uuid, server=server, operation_id=build))
    assert answer["error_code"] == "OrderRefused"
    assert fake.driver.list_domains() == fake.network.plugged_ports() == {}


def test_new_attempt_may_build_again_where_the_old_one_was_undone():
    fake = FakeHost()
    agent, server, build = fake.agent(), server_spec(), new_id()
    fake.driver.faults.add(Fault(verb="start", error="no luck", times=1))
    assert _send(agent, order(SpawnServer, server.uuid, server=server, operation_id=build))["error_code"]
    _send(agent, order(DestroyServer, server.uuid, operation_id=build))
    again = _send(agent, order(SpawnServer, server.uuid, server=server, operation_id=build, attempt=2))
    assert again["error_code"] == ""


def test_failure_is_a_value_with_its_code_and_reason():
    fake = FakeHost()
    server = server_spec()
    fake.driver.faults.add(Fault(verb="start", uuid=server.uuid, error="out of luck"))
    answer = _send(fake.agent(), order(SpawnServer, server.uuid, server=server))
    assert answer["error_code"] == "HypervisorError"
    assert "out of luck" in answer["detail"]
    assert answer["host"] == "host-1"


def test_unexpected_error_is_a_value_too(caplog):
    fake = FakeHost()
    server = server_spec(uuid=new_id(), ports=[])
    fake.storage.create_disks = lambda server: 1 / 0
    answer = _send(fake.agent(), order(SpawnServer, server.uuid, server=server))
    assert answer["error_code"] == "Internal"
    assert "ZeroDivisionError" in answer["detail"]
    assert "Traceback" in caplog.text


def test_image_is_prepared_while_the_instance_is_locked():
    fake = FakeHost()
    agent, server = fake.agent(), server_spec()
    answers = []
    with agent.stations["host-1"].locks.hold(server.uuid, 1):
        thread = threading.Thread(
            target=lambda: answers.append(_send(agent, order(PrepareImage, server.uuid, image=IMAGE)))
        )
        thread.start()
        thread.join(timeout=60)
    assert answers[0]["error_code"] == ""
    assert fake.storage.cached_images() == [IMAGE.id]


def test_order_that_cannot_have_the_lock_in_time_says_so():
    fake = FakeHost()
    agent, server = fake.agent(), server_spec()
    with agent.stations["host-1"].locks.hold(server.uuid, 1):
        answer = _send(agent, order(StopServer, server.uuid, not_after=fake.clock.now + 0.05))
    assert answer["error_code"] == "DeadlineExceeded"


def test_console_output_has_no_control_characters():
    fake = FakeHost()
    fake.storage.read_console = lambda uuid, lines: "a\x1b[0mb\r\nc\td\x00\n"
    answer = _send(fake.agent(), order(GetConsoleOutput, new_id()))
    assert answer["output"] == "a[0mb\nc\td\n"
