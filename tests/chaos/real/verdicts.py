"""What became of a case: settled in time, as asked or with a reason, and the cloud is content."""

import os
import time
from dataclasses import dataclass

from tests.chaos.real.cases import Case
from tests.chaos.real.clouds import ChaosCloud
from tests.chaos.real.requests import GONE, REQUESTS, Stage

# A machine that does other things at the same time, as in `make test`, is given more time.
SETTLED_SECONDS = 60.0 if os.environ.get("CHAOS") == "full" else 180.0


@dataclass(frozen=True)
class Verdict:
    """How a case ended, in words for the table that is printed."""

    status: str
    seconds: float
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.status} after {self.seconds:.1f} s" + (f" ({self.reason})" if self.reason else "")


def judge(cloud: ChaosCloud, stage: Stage, case: Case, struck_at: float) -> Verdict:
    """Wait until the server has settled and the audit is content, and say how it ended.

    Raises:
        AssertionError: not in time, not with a reason, twice, or not at all though nothing lasting stood in the way.
    """
    status = _settled(cloud, stage, case, struck_at)
    seconds = time.monotonic() - struck_at
    operation = cloud.rows.latest(stage.name)
    assert operation["state"] != "running", f"{case}: {status}, but {operation}"
    reason = ""
    if status not in _as_asked(case):
        server = stage.server()
        reason = server.get("fault", {}).get("message") or operation["message"]
        assert case.workflow != "build", f"{case}: a build that met no lasting fault is {status}: {reason} {operation}"
        assert reason, f"{case}: {status} without a reason: {operation}"
    elif operation["state"] == "failed" and case.process != "qemu":
        reason = operation["message"]
    if cloud.hypervisor == "fake":
        homes = [host for host in cloud.homes(stage.uuid) if host not in stage.dead_hosts]
        assert len(homes) <= (status != GONE), homes
    _no_image_in_between(stage, case)
    cloud.wait_for_content(max(SETTLED_SECONDS - (time.monotonic() - struck_at), 30))
    return Verdict(status, seconds, reason)


def _as_asked(case: Case) -> set[str]:
    wanted = {REQUESTS[case.workflow].status}
    # A guest that was killed is off, unless it was about to be started anew.
    return wanted | {"SHUTOFF"} if case.process == "qemu" else wanted


def _settled(cloud: ChaosCloud, stage: Stage, case: Case, struck_at: float) -> str:
    while True:
        status = stage.status()
        if status and cloud.rows.latest(stage.name)["state"] != "running":
            return status
        waited = time.monotonic() - struck_at
        if waited > SETTLED_SECONDS:
            raise AssertionError(
                f"{case}: not settled {waited:.0f} s later: {stage.server()}\n{cloud.manage('server_show', stage.uuid)}"
            )
        time.sleep(0.2)


def _no_image_in_between(stage: Stage, case: Case) -> None:
    """A snapshot is there or it is not."""
    if case.workflow == "snapshot":
        images = stage.client.insist("GET", f"/image/v2/images?name={stage.name}").body["images"]
        assert {one["status"] for one in images} <= {"active"}, images
