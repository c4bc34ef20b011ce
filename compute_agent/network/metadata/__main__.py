"""`python -m compute_agent.network.metadata`: the metadata service of this host, for all its networks."""

import logging
import os
import signal
import sys
from pathlib import Path

from compute_agent.network.metadata.server import MetadataServer


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    state_dir = Path(os.environ.get("NOVELLA_STATE_DIR", "var")).absolute()
    server = MetadataServer(state_dir)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    logging.getLogger(__name__).info("serving the documents under %s", state_dir / "metadata")
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
