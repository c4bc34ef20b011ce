#!/usr/bin/env python
"""Django's command line for the cloud."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloud.config.settings")
    # A migration may take long, and whoever waits at a terminal can stop by hand.
    os.environ.setdefault("NOVELLA_DATABASE_SECONDS", "0")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads, `head` for instance, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
