"""`python -m compute_agent`: one agent process, with settings from the environment."""

import logging
import sys
import warnings

from celery.platforms import SecurityWarning

from compute_agent.app import AgentProcess
from compute_agent.bootstrap import build_agent
from compute_agent.settings import BadSettings, Settings


def main() -> int:
    """Run the agent until it is told to end."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s [%(threadName)s] %(message)s"
    )
    logging.getLogger("celery.worker.strategy").setLevel(logging.WARNING)
    logging.getLogger("celery.app.trace").setLevel(logging.WARNING)
    # Taps, namespaces and firewalls need root; what may be done with it is what COMMANDS lists, in JSON.
    warnings.simplefilter("ignore", SecurityWarning)
    try:
        settings = Settings.from_environment()
    except BadSettings as exc:
        print(exc, file=sys.stderr)
        return 78  # EX_CONFIG
    return AgentProcess(settings, build_agent(settings)).run()


if __name__ == "__main__":
    sys.exit(main())
