"""`python -m host up|down|status|logs`; what a person types is `make up`."""

import os
import sys

from host.settings import HostSettings, SettingsError, read_settings


def _up(settings: HostSettings) -> int:
    from host.up import CannotStart, up

    try:
        up(settings)
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


def _down(settings: HostSettings) -> int:
    from host.down import down

    down(settings)
    return 0


def _status(settings: HostSettings) -> int:
    from host.status import status

    return status(settings)


def _logs(settings: HostSettings) -> int:
    from host.status import logs

    return logs(settings)


COMMANDS = {"up": _up, "down": _down, "status": _status, "logs": _logs}


def main(arguments: list[str]) -> int:
    """Run a command; returns the exit status."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print(f"usage: python -m host {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    return COMMANDS[arguments[0]](settings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
