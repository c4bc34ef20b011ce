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


def _lab(settings: HostSettings, arguments: list[str]) -> int:
    from host.lab.commands import LabError, main

    try:
        return main(settings, arguments)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1


COMMANDS = {"up": _up, "down": _down, "status": _status, "logs": _logs}


def main(arguments: list[str]) -> int:
    """Run a command; returns the exit status. `lab` before it means a lab, and has commands of its own."""
    is_lab = arguments[:1] == ["lab"]
    words = arguments[1:] if is_lab else arguments
    is_ours = len(words) == 1 and words[0] in COMMANDS
    if not is_ours and not is_lab:
        print(f"usage: python -m host [lab] {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        settings = read_settings({**os.environ, "HYPERVISOR": "lab"} if is_lab else os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    return COMMANDS[words[0]](settings) if is_ours else _lab(settings, words)


if __name__ == "__main__":
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads, `head` for instance, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status)
