"""`python -m compute_agent.network.metadata`: what this host says to its guests, in all its networks.

Metadata, router advertisements and DHCPv6. If one of them ends, so does the process: who started it starts it again.
"""

import logging
import os
import signal
import sys
import threading
from pathlib import Path

from compute_agent.network.adverts.sender import Advertiser
from compute_agent.network.dhcpv6.server import LeaseServer
from compute_agent.network.metadata.passwords import Kept
from compute_agent.network.metadata.server import MetadataServer


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    state_dir = Path(os.environ.get("NOVELLA_STATE_DIR", "var")).absolute()
    server, others = MetadataServer(state_dir, _keep_password), (Advertiser(state_dir), LeaseServer(state_dir))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    threads = [threading.Thread(target=_run, args=(one, server), name=type(one).__name__) for one in others]
    for thread in threads:
        thread.start()
    logging.getLogger(__name__).info("serving the documents under %s", state_dir / "metadata")
    try:
        server.run()
    finally:
        for one in others:
            one.stop()
        for thread in threads:
            thread.join()
    return 0


def _keep_password(instance_uuid: str, password: str) -> Kept:
    # HTTP takes megabytes, and few guests store a password.
    from compute_agent.network.metadata.asking import keep_password

    return keep_password(instance_uuid, password)


def _run(one: Advertiser | LeaseServer, server: MetadataServer) -> None:
    try:
        one.run()
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
