"""`python -m tests.integration.agent.killed_agent`: an agent that carries out one order and is killed on the way.

Reads JSON: the settings' environment, the order, and the number of the call before or after which SIGKILL comes (0 for
none). Writes JSON: the calls that it made and the answer.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial

from compute_agent.bootstrap import build_agent
from compute_agent.settings import Settings
from compute_agent.tasks import Agent, carry_out
from tests.unit.compute_agent.tripwire import Tripwire


def main() -> None:
    told = json.load(sys.stdin)
    wire = Tripwire(told["at"], is_after=told["is_after"], strike=lambda: os.kill(os.getpid(), signal.SIGKILL))
    settings = Settings.from_environment({**os.environ, **told["environ"]})
    settings.check_credential()
    agent = build_agent(settings)
    (station,) = agent.stations.values()
    host = station.host
    watched = replace(
        station,
        host=replace(
            host, driver=wire.around(host.driver), network=wire.around(host.network), storage=wire.around(host.storage)
        ),
        fences=wire.around(station.fences, only={"save"}),
    )
    # What is made in one call of a driver is made by these.
    subprocess.run = partial(wire.pass_through, "run", subprocess.run)
    for name in ("rename", "replace"):
        plain = getattr(pathlib.Path, name)
        setattr(pathlib.Path, name, lambda *args, name=name, plain=plain: wire.pass_through(name, plain, *args))
    answer = carry_out(Agent({host.name: watched}, agent.key), told["name"], told["order"])
    print(json.dumps({"calls": wire.calls, "answer": answer}))
    host.driver.close()


if __name__ == "__main__":
    main()
