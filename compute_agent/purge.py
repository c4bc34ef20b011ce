"""`python -m compute_agent.purge [--disks]`: end every guest, remove every tap, namespace and rule that is ours.

For taking a whole cloud down. No agent may run meanwhile. What belongs to others stays. The guests' definitions and
disks stay too, because the database that knows them does: when the cloud comes back they are servers that are shut
off. `--disks` removes both. `--no-domains` is for a host whose hypervisor is down.
"""

import argparse
import logging
import sys
from collections.abc import Callable, Iterator

from compute_agent.bootstrap import build_agent
from compute_agent.errors import AgentError
from compute_agent.host import Host
from compute_agent.settings import BadSettings, Settings

log = logging.getLogger(__name__)


def purge(host: Host, *, has_disks: bool, has_domains: bool = True) -> list[str]:
    """Remove everything of ours on the host, the disks if `has_disks`; return what could not be removed, in words."""
    work: dict[str, Callable[[], None]] = {"networks": host.network.purge}
    if has_domains:
        work = {"domains": lambda: _domains(host, is_for_good=has_disks), **work}
    if has_disks:
        work["disks"] = lambda: _disks(host)
    return [sentence for what, remove in work.items() for sentence in _attempt(what, remove)]


def _domains(host: Host, *, is_for_good: bool) -> None:
    end = host.driver.undefine if is_for_good else host.driver.power_off
    for uuid in host.driver.list_domains():
        end(uuid)


def _disks(host: Host) -> None:
    for uuid in host.storage.instances_with_disks():
        host.storage.delete_disks(uuid)


def _attempt(what: str, work: Callable[[], None]) -> Iterator[str]:
    """Do the work; one kind of thing that cannot be removed does not keep the others."""
    try:
        work()
    except (AgentError, OSError) as exc:
        yield f"{what}: {exc}"


def main() -> int:
    """Purge the hosts that the environment names; return 1 when something is left."""
    parser = argparse.ArgumentParser(prog="python -m compute_agent.purge", description=__doc__)
    parser.add_argument("--disks", action="store_true", help="remove the guests' disks and console logs too")
    parser.add_argument("--no-domains", action="store_true", help="leave the hypervisor alone")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(message)s")
    try:
        settings = Settings.from_environment()
        stations = build_agent(settings).stations
    except BadSettings as exc:
        log.error("%s", exc)  # noqa: TRY400 - the sentence is all that helps
        return 78  # EX_CONFIG
    left = [
        f"{name}: {sentence}"
        for name, station in stations.items()
        for sentence in purge(station.host, has_disks=chosen.disks, has_domains=not chosen.no_domains)
    ]
    for sentence in left:
        log.warning("not removed on %s", sentence)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
