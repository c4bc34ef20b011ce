"""What can be supposed on the command line, and what comes of it."""

import argparse
from collections.abc import Sequence

import msgspec

from contracts.inventory import LiveInventory
from scheduler.core.policies import DEFAULT, POLICIES
from scheduler.simulation.arguments import told, up_to
from scheduler.simulation.ratios import read_ratios
from scheduler.simulation.what_if.capacity import room_for
from scheduler.simulation.what_if.changes import Changes, hosts_after, read_addition
from scheduler.simulation.what_if.moves import move_all, table_of, who_must_go
from scheduler.simulation.what_if.report import Capacity, report


def tell(arguments: Sequence[str], document: bytes) -> list[str]:
    """Return what would be, in lines.

    Args:
        arguments: of the command line.
        document: the live cloud, a LiveInventory as JSON.

    Raises:
        WhatIfError, RefusedHostError, UndecidedError: what is supposed, or what there is, cannot be.
        msgspec.DecodeError: the document is none.
    """
    options = _parser().parse_args(arguments)
    live = msgspec.json.decode(document, type=LiveInventory)
    return _tell(live, Changes(options.lose, options.add, options.ratio), options)


def _tell(live: LiveInventory, changes: Changes, options: argparse.Namespace) -> list[str]:
    hosts = hosts_after(live.hosts, changes)
    before, after = table_of(live.hosts), table_of(hosts)
    leaving = who_must_go(hosts, changes.lost, live.servers)
    moves = move_all(after, leaving, live.servers, POLICIES[options.placement], options.seed)
    capacities = [Capacity(one.name, room_for(before, one.spec), room_for(after, one.spec)) for one in live.flavors]
    return list(report(moves, capacities, (len(before), len(after))))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="simulate --what-if",
        description="What if hosts were lost or added, or a ratio changed? On a copy of the live cloud.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--what-if", action="store_true", required=True, help="the live cloud instead of a trace")
    add("--lose", nargs="+", action="extend", default=[], metavar="HOST", help="these are gone")
    add(
        "--add", type=told(read_addition), action="append", default=[], metavar="N[:vcpus,memory_mb,disk_gb]",
        help="so many are new, like most of those there are, or of this size",
    )  # fmt: skip
    add("--ratio", type=told(read_ratios), default={}, help="vcpu=4,memory=1.0,disk=1: how often each is promised")
    add("--placement", choices=POLICIES, default=DEFAULT, help="as NOVELLA_PLACEMENT")
    add("--seed", type=up_to(2**32, 0), default=7, help="where chance comes from")
    return parser
