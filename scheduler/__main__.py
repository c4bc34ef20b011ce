"""`python -m scheduler`: a scheduler in the foreground, until SIGTERM."""

import sys

from scheduler.service.app import SchedulerService
from scheduler.service.settings import Settings, SettingsError


def main() -> int:
    """Run a scheduler; return the exit status, 2 when the environment is wrong."""
    try:
        settings = Settings.from_environment()
    except SettingsError as exc:
        print(f"scheduler: {exc}", file=sys.stderr)
        return 2
    return SchedulerService(settings).run()


if __name__ == "__main__":
    sys.exit(main())
