"""`python -m cloud.conductor`: a conductor worker. Start as many as there is work for."""

import os
import sys

from celery.__main__ import main

from contracts.routing import CONDUCTOR_QUEUE, INBOUND_QUEUE

if __name__ == "__main__":
    sys.argv = [
        "celery",
        "--app=cloud.config",
        "worker",
        "--pool=threads",
        f"--concurrency={os.environ.get('NOVELLA_CONDUCTOR_THREADS', '4')}",
        f"--queues={CONDUCTOR_QUEUE},{INBOUND_QUEUE}",
        f"--hostname=conductor-{os.getpid()}@%h",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
        f"--loglevel={os.environ.get('NOVELLA_LOG_LEVEL', 'INFO')}",
    ]
    main()
