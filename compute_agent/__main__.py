"""`python -m compute_agent`: one agent process, with settings from the environment."""

import logging
import sys
import warnings

from celery.platforms import SecurityWarning

from compute_agent.app import AgentProcess, broker_clock
from compute_agent.bootstrap import build_agent
from compute_agent.settings import BadSettings, Settings

_FORMAT = "%(asctime)s %(levelname)s %(name)s [%(threadName)s] %(message)s"


def main() -> int:
    """Run the agent until it is told to end."""
    try:
        settings = Settings.from_environment()
        settings.check_credential()
    except BadSettings as exc:
        print(exc, file=sys.stderr)
        return 78  # EX_CONFIG
    logging.basicConfig(level=settings.log_level, stream=sys.stderr, format=_FORMAT)
    for name in ("celery.worker.strategy", "celery.app.trace"):  # one line for each order is our own
        logging.getLogger(name).setLevel(logging.WARNING)
    # Taps, namespaces and firewalls need root; what may be done with it is what COMMANDS lists, in JSON.
    warnings.simplefilter("ignore", SecurityWarning)
    clock = broker_clock(settings)
    return AgentProcess(settings, build_agent(settings, clock), clock).run()


if __name__ == "__main__":
    sys.exit(main())
