"""`python -m compute_agent`: one agent process, with settings from the environment."""

import logging
import sys

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
    try:
        settings = Settings.from_environment()
    except BadSettings as exc:
        print(exc, file=sys.stderr)
        return 78  # EX_CONFIG
    return AgentProcess(settings, build_agent(settings)).run()


if __name__ == "__main__":
    sys.exit(main())
