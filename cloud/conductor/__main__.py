"""`python -m cloud.conductor`: a conductor worker. Start as many as there is work for.

Not by `celery worker`, whose command line loads every plugin it finds, Flower's too: 40 MB and half a second.
"""

import os
import socket
import sys

from celery.app.utils import find_app

from contracts.routing import CONDUCTOR_QUEUE, HEARD_QUEUE, INBOUND_QUEUE, REPORTS_QUEUE


def main() -> int:
    """Work until told to end; return the exit status, 2 when the environment is wrong."""
    threads = os.environ.get("NOVELLA_CONDUCTOR_THREADS") or "12"
    if not threads.isascii() or not threads.isdigit() or int(threads) < 1:
        print(f"NOVELLA_CONDUCTOR_THREADS must be a whole number from 1, not {threads[:20]!r}", file=sys.stderr)
        return 2
    worker = find_app("cloud.config").Worker(
        hostname=f"conductor-{os.getpid()}@{socket.gethostname()}",
        pool="threads",
        concurrency=int(threads),
        queues=[CONDUCTOR_QUEUE, INBOUND_QUEUE, HEARD_QUEUE, REPORTS_QUEUE],
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel=os.environ.get("NOVELLA_LOG_LEVEL", "INFO"),
    )
    worker.start()
    return int(worker.exitcode or 0)


if __name__ == "__main__":
    sys.exit(main())
