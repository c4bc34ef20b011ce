"""`python -m cloud.conductor.beat`: the clock that wakes the reconcilers.

Start as many as you like: one holds the lease and sends, the others stand by and take over within seconds. Should two
send for a moment, the reconcilers take turns (`cloud.conductor.reconcile.turns`).
"""

import os
import sys

from celery.__main__ import main

if __name__ == "__main__":
    scheduler = "cloud.conductor.leased_scheduler:LeasedScheduler"
    level = os.environ.get("NOVELLA_LOG_LEVEL", "INFO")
    sys.argv = ["celery", "--app=cloud.config", "beat", f"--scheduler={scheduler}", f"--loglevel={level}"]
    main()
