"""However a lab ends, nothing of it is left on the machine but its state folder; and that is enough to go on."""

import subprocess
import sys

import psutil

from host import supervision
from tests.fixtures.clouds import CHECKOUT, wait_until
from tests.fixtures.lab import SETTLE_SECONDS


def nothing_is_left(lab, before):
    # Who was killed may be on the way out.
    wait_until(lambda: not lab.processes(), "the processes to be gone", 30)
    assert lab.leftovers(before) == {}


def supervisor(settings):
    return int((settings.runtime_dir / "supervisord.pid").read_text())


def test_a_lab_that_ends_in_the_middle_of_a_move_goes_on_when_it_is_back(lab, before, make_server):
    uuid = make_server("late", "h1")
    lab.booted(uuid)
    lab.connect("novella-admin").compute.migrate_server(uuid)
    wait_until(lambda: lab.migration(uuid)["status"] in ("migrating", "post-migrating"), "the move to begin", 60)
    lab.lab("down")
    nothing_is_left(lab, before)
    lab.lab("up")
    lab.settled(uuid, "VERIFY_RESIZE", "ACTIVE", "SHUTOFF", "ERROR")
    lab.connect("novella-admin").compute.delete_server(uuid)
    wait_until(lambda: lab.audit() == "", "the audit to be silent", SETTLE_SECONDS)


def test_what_was_killed_leaves_nothing_either(lab, before):
    launcher = next(row["pid"] for row in supervision.processes(lab.settings) if row["name"] == "h1")
    for pid in (supervisor(lab.settings), launcher):
        psutil.Process(pid).kill()
    assert lab.processes()
    lab.lab("down")
    nothing_is_left(lab, before)


def test_nor_does_a_lab_that_was_half_started(lab, before):
    starting = subprocess.Popen(
        [sys.executable, "-m", "host", "lab", "up"], cwd=CHECKOUT, env=lab.environment, stdout=subprocess.DEVNULL
    )
    wait_until(lambda: any("tini" in one for one in lab.processes()), "the hosts to start", 120, every=0.05)
    starting.kill()
    starting.wait()
    psutil.Process(supervisor(lab.settings)).kill()
    lab.lab("down")
    nothing_is_left(lab, before)
