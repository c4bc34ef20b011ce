"""`python -m cloud.conductor.beat`: the clock that wakes the reconcilers.

Start as many as you like: one holds the lease and sends, the others stand by and take over within seconds. Should two
send for a moment, the reconcilers take turns (`cloud.conductor.reconcile.turns`).
"""

import os

from celery.app.utils import find_app

_SCHEDULER = "cloud.conductor.leased_scheduler:LeasedScheduler"


def main() -> None:
    """Beat until told to end."""
    level = os.environ.get("NOVELLA_LOG_LEVEL", "INFO")
    find_app("cloud.config.beat").Beat(scheduler=_SCHEDULER, loglevel=level).run()


if __name__ == "__main__":
    main()
