"""What can be said on the command line, and what is refused there."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from scheduler.simulation.arguments import hours, told, up_to
from scheduler.simulation.generator import MIXES
from scheduler.simulation.ratios import read_ratios
from scheduler.simulation.strategies import STRATEGIES

_MOST_HOSTS, _MOST_SERVERS = 1_000_000, 10_000_000


def read(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what was said; end the process with status 2 where that makes no sense."""
    made = parser()
    options = made.parse_args(arguments)
    if options.conductor and (options.ratio or options.plots or options.consolidate_every):
        made.error("--conductor goes without --ratio, --plots and --consolidate-every")
    return options


def parser() -> argparse.ArgumentParser:
    """Return the parser."""
    made = argparse.ArgumentParser(
        prog="simulate",
        description="What the scheduler would make of a trace of servers on fake hosts, strategy by strategy.",
        epilog="--what-if --help: what if hosts of the live cloud were lost or added, or a ratio changed?",
        allow_abbrev=False,
    )
    add = made.add_argument
    add("--trace", type=Path, required=True, help="an SQLite file, or a folder of vmType.csv and vm.csv")
    add("--hosts", type=up_to(_MOST_HOSTS), default=1_000, help="how many fake hosts of 64 cores, 256 GiB and 4 TiB")
    add("--ratio", type=told(read_ratios), default={}, help="vcpu=4,memory=1.0,disk=1: how often each is promised")
    add("--seed", type=up_to(2**32, 0), default=7, help="where chance comes from")
    add("--strategy", action="append", choices=STRATEGIES, help="one of several; all by default")
    add("--plots", type=Path, metavar="FOLDER", help="write pictures of what became of the hosts over time")
    consolidate = made.add_argument_group("consolidation by live migration")
    add = consolidate.add_argument
    add("--consolidate-every", type=hours, metavar="HOURS", help="empty what can be emptied, so often")
    add("--consolidate-moves", type=up_to(_MOST_SERVERS), default=100, metavar="N", help="at most so many each time")
    conductor = made.add_argument_group("the control plane's own claims")
    add = conductor.add_argument
    add("--conductor", action="store_true", help="claim each place in a database of its own; ratios are the settings'")
    add("--schedulers", type=up_to(64), default=4, metavar="N", help="so many decide side by side")
    generate = made.add_argument_group("a made-up trace")
    add = generate.add_argument
    add("--generate", type=up_to(_MOST_SERVERS), metavar="SERVERS", help="write one into the folder TRACE instead")
    add("--days", type=up_to(365), default=14, help="its length")
    add("--mix", choices=MIXES, default="mixed", help="what its servers are like")
    return made

