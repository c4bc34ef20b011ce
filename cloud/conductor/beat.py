"""`python -m cloud.conductor.beat`: the clock that wakes the reconcilers.

Two of them at once do no harm, because what they wake does none.
"""

import os
import sys

from celery.__main__ import main

if __name__ == "__main__":
    sys.argv = ["celery", "--app=cloud.config", "beat", f"--loglevel={os.environ.get('NOVELLA_LOG_LEVEL', 'INFO')}"]
    main()
