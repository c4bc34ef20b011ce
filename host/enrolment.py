"""The credentials of the hosts that run on this machine: made with the cloud, once."""

import socket

from host.environment import credential_file
from host.lab.settings import lab_folder, machine_names
from host.redis import users_file
from host.settings import HostSettings

_FAKE = "fake"


def enrolment(settings: HostSettings) -> list[str]:
    """Return the management command that gives each of our hosts its credential, where it has none."""
    command = ["host_enroll", "--keep", "--file"]
    if machine_names(settings):
        command += [f"{lab_folder(settings)}/{{name}}/credential", *machine_names(settings)]
    elif settings.hypervisor == _FAKE:
        command += [str(credential_file(settings)), _FAKE, "--hosts", f"{_FAKE}-*"]
    else:
        command += [str(credential_file(settings)), socket.gethostname()]
    return [*command, "--users-file", str(users_file(settings))] if settings.has_own_redis else command
