#!/usr/bin/env python
"""Django's command line for the cloud."""

import gc
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError

_HINT = "Was `make up` run, and are NOVELLA_STATE_DIR and DATABASE_URL those of your cloud? --traceback says more."


def main(arguments: list[str]) -> None:
    """Run a command; a database that is away or empty is told in a sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloud.config.settings")
    # A migration may take long, and whoever waits at a terminal can stop by hand.
    os.environ.setdefault("NOVELLA_DATABASE_SECONDS", "0")
    # What is loaded stays; to look through it for garbage again and again takes a tenth of a short command.
    gc.set_threshold(50_000, 20, 20)
    try:
        execute_from_command_line(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads, `head` for instance, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ImproperlyConfigured as reason:
        sys.exit(str(reason))
    except (OperationalError, ProgrammingError) as reason:
        if "--traceback" in arguments:
            raise
        sys.exit(f"The database does not answer: {str(reason).splitlines()[0]}\n{_HINT}")


if __name__ == "__main__":
    main(sys.argv)
