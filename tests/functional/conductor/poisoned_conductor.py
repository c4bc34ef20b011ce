"""`python -m tests.functional.conductor.poisoned_conductor`: a conductor that dies of each stop of one server."""

import os
import runpy

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloud.config.settings")
django.setup()

from cloud.conductor.steps import power  # noqa: E402 - Django comes first

_plain = power._finish


def _finish(operation, power_state):
    if operation.instance_uuid == os.environ["POISON"]:
        os._exit(9)
    _plain(operation, power_state)


if __name__ == "__main__":
    power._finish = _finish
    runpy.run_module("cloud.conductor", run_name="__main__")
