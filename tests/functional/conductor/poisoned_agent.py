"""`python PATH/poisoned_agent.py`: an agent, of the release in the working folder, that dies of one server's stop."""

import os
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

from compute_agent.drivers import fake

_plain = fake.FakeHypervisor.request_shutdown


def _request_shutdown(driver, uuid):
    if uuid == os.environ["POISON"]:
        os._exit(9)
    _plain(driver, uuid)


if __name__ == "__main__":
    fake.FakeHypervisor.request_shutdown = _request_shutdown
    runpy.run_module("compute_agent", run_name="__main__")
