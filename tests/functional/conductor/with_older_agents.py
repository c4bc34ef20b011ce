"""What this control plane must do for agents of the release before; `tests/compat` runs it with them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cloud.compute.models import Instance, InstanceFault, Operation, Step
from cloud.conductor.reconcile import operations
from cloud.core.clock import database_now

pytestmark = pytest.mark.usefixtures("nothing_left")
DEATHS = 3
_AGENT = Path(__file__).with_name("poisoned_agent.py")


class Restarted:
    """An agent that is started again whenever it dies, as a supervisor does."""

    def __init__(self, workers, poison):
        self._environment = {**workers.environment, "NOVELLA_STATE_DIR": str(workers.state_dir), "POISON": poison}
        self.deaths = 0
        self._start()

    def _start(self):
        self._process = subprocess.Popen([sys.executable, str(_AGENT)], env=self._environment)

    def look(self):
        if self._process.poll() is not None:
            assert self._process.returncode == 9
            self.deaths += 1
            self._start()

    def end(self):
        self._process.terminate()
        self._process.wait(60)


def send_again(**columns):
    """Let a conductor reconcile as if nothing had moved on for long enough."""
    Operation.objects.filter(state="running").update(resend_at=database_now(), **columns)
    operations.reconcile()


def test_an_order_that_kills_its_agent_again_and_again_ends_with_a_reason_and_the_host_goes_on(workers):
    assert os.environ.get("NOVELLA_ACCEPT_UNSIGNED") == "1", "this is for agents of the release before"
    servers = workers.create(4)
    for one in servers:
        workers.wait_for(one, "active")
    guilty, *others = servers
    workers.end("agent")
    agent = Restarted(workers, guilty.uuid)
    try:
        stop = workers.act(guilty, "stop", "stop")
        for deaths in range(1, DEATHS + 1):
            workers.wait(lambda deaths=deaths: agent.look() or agent.deaths == deaths)
            assert Operation.objects.get(pk=stop.pk).state == "running"
            if deaths < DEATHS:
                send_again()
        # Such an agent does not count what it dies of. We count what we send, and the deadline ends it.
        assert Step.objects.get(operation=stop, state="sent").sends == DEATHS
        send_again(deadline=database_now())
        stop.refresh_from_db()
        assert (stop.state, stop.error_code) == ("failed", "DeadlineExceeded")
        assert InstanceFault.objects.filter(instance_uuid=guilty.uuid).exists()
        for one in others:
            workers.act(one, "stop", "stop")
        for one in others:
            workers.wait_for(one, "stopped")
        agent.look()
        assert agent.deaths == DEATHS
    finally:
        agent.end()
        workers.start("agent")
    assert not Step.objects.filter(operation=stop, state__in=["sent", "pending"]).exists()
    assert not Instance.objects.get(pk=guilty.pk).task_state
