"""`make up`: from nothing to a cloud with a guest in it. A second time it changes nothing and is quick."""

import os
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request

from host import supervision
from host.checks import complaints
from host.enrolment import enrolment
from host.environment import generated, process_environment, read_environment, write_environment
from host.redis import write_redis_configuration
from host.settings import CHECKOUT, HostSettings

READY_SECONDS = 180  # of a machine that is busy; a usual one takes a few


class CannotStart(Exception):
    """The cloud cannot start; the text says why and what to do."""


def up(settings: HostSettings) -> None:
    """Bring the cloud up.

    Raises:
        CannotStart
    """
    started = time.monotonic()
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    if supervision.is_running(settings):
        _same_choices(settings)
        supervision.start_rest(settings)  # which a start that was broken off may have left
        say("The cloud is running already; nothing to do.")
        _where_to_go(settings)
        return
    if supervision.strays(settings):
        raise CannotStart("Processes of an earlier start still run, without their supervisor. End them: make down")
    _refuse(complaints(settings))
    write_environment(settings)
    _prepare(settings)
    supervision.start(settings)
    _await_api(settings)
    say(f"The API answers after {time.monotonic() - started:.1f} s.")
    supervision.start_rest(settings)
    _demo(settings)
    _where_to_go(settings)


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    print(sentence, flush=True)


def _same_choices(settings: HostSettings) -> None:
    running = read_environment(settings.environment_file)
    wanted = process_environment(settings)
    different = sorted(name for name in wanted if running.get(name) != wanted[name])
    if different:
        raise CannotStart(
            f"The cloud runs with other settings ({', '.join(different)}). End it first: make down"
        )


def _refuse(reasons: list[str]) -> None:
    if reasons:
        raise CannotStart("\n".join(reasons))


def _prepare(settings: HostSettings) -> None:
    if settings.has_own_redis:
        write_redis_configuration(settings)
    if settings.is_real:
        say("Building the guest image (kernel and BusyBox from Debian's packages) ...")
        _run(settings, [str(CHECKOUT / "guest" / "build_guest.sh"), str(settings.state_dir / "guest")], "guest.log")
    say("Preparing the database ...")
    lines = [["migrate", "--no-input", "-v", "1", "--skip-checks"], ["bootstrap"], enrolment(settings)]
    _run(settings, [sys.executable, "manage.py", "in_turn", *map(shlex.join, lines)], "prepare.log")


def _run(settings: HostSettings, command: list[str], log: str) -> None:
    folder = settings.state_dir / "log"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / log).open("wb") as output:
        done = subprocess.run(
            command, cwd=CHECKOUT, env={**os.environ, **process_environment(settings)},
            stdout=output, stderr=subprocess.STDOUT, check=False,
        )
    if done.returncode:
        tail = "\n".join((folder / log).read_text(errors="replace").splitlines()[-15:])
        raise CannotStart(f"{' '.join(command[:3])} failed:\n{tail}\nThe whole of it: {folder / log}")


def _await_api(settings: HostSettings) -> None:
    say("Starting the processes ...")
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{settings.api_url}/healthz", timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"The API did not answer within {READY_SECONDS} s; see {settings.state_dir}/log/api.log"
                ) from None
            time.sleep(0.02)


def _demo(settings: HostSettings) -> None:
    from host import demo  # noqa: PLC0415 - the SDK takes half a second to load, and nothing above needs it

    demo.create(settings)


def _where_to_go(settings: HostSettings) -> None:
    clouds = settings.state_dir / "clouds.yaml"
    say(f"""
API        {settings.api_url}   (OpenStack: identity/v3, compute/v2.1, image/v2, network/v2.0, placement)
Admin UI   {settings.api_url}/admin/   user admin, password in {clouds} (cloud novella-admin)
Flower     http://127.0.0.1:{settings.flower_port}   user admin, password {generated(settings, 'flower')}
CLI        export OS_CLIENT_CONFIG_FILE={clouds}
           {sys.prefix}/bin/openstack --os-cloud novella server list
More       make status, make logs, make down, make help""")
