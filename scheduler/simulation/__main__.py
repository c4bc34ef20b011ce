"""`python -m scheduler.simulation`: strategies compared on fake hosts, in one table and in pictures."""

import argparse
import os
import socket
import stat
import sys

import msgspec

from scheduler.core.failures import UndecidedError
from scheduler.core.table import RefusedHostError
from scheduler.simulation import claimed, plots, table, trace_files
from scheduler.simulation.claimed import ClaimsByWire
from scheduler.simulation.consolidation import Consolidation
from scheduler.simulation.figures import Figures
from scheduler.simulation.generator import generate
from scheduler.simulation.machine import Machine, fake_hosts
from scheduler.simulation.options import read
from scheduler.simulation.ratios import Ratios
from scheduler.simulation.run import simulate
from scheduler.simulation.strategies import STRATEGIES
from scheduler.simulation.trace import TraceError
from scheduler.simulation.what_if import command
from scheduler.simulation.what_if.changes import WhatIfError

_REFUSED = (TraceError, OSError, WhatIfError, RefusedHostError, UndecidedError, msgspec.DecodeError)


def main(arguments: list[str] | None = None) -> int:
    """Simulate, write a made-up trace, or ask what if; return the exit status, 2 for bad input."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        if "--what-if" in given:
            print("\n".join(command.tell(given, sys.stdin.buffer.read())))
        else:
            _replay(read(given))
    except _REFUSED as exc:
        print(f"simulate: {exc}", file=sys.stderr)
        return 2
    return 0


def _replay(options: argparse.Namespace) -> None:
    if options.generate:
        made = generate(options.generate, options.days, options.seed, options.mix)
        trace_files.write_csv(made, options.trace)
    elif options.conductor:
        _claim(options)
    else:
        _compare(options)


def _claim(options: argparse.Namespace) -> None:
    trace = trace_files.read(options.trace)
    if not stat.S_ISSOCK(os.fstat(sys.stdin.fileno()).st_mode):
        raise ConnectionError("--conductor is for `manage.py simulate`, which has a database")
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as wire, wire.makefile("rwb") as lines:
        print(table.HEAD_OF_CLAIMED)
        for name in options.strategy or STRATEGIES:
            seeds = range(options.seed, options.seed + options.schedulers)
            outcome = claimed.simulate(
                ClaimsByWire(lines), trace, options.hosts, Machine(), STRATEGIES[name], seeds
            )
            print(table.line_of_claimed(name, outcome), flush=True)


def _compare(options: argparse.Namespace) -> None:
    trace = trace_files.read(options.trace)
    if options.plots:
        options.plots.mkdir(parents=True, exist_ok=True)
    machine = Machine(ratios=Ratios(**options.ratio))
    hosts = fake_hosts(options.hosts, machine)
    consolidation = None
    if options.consolidate_every:
        consolidation = Consolidation(options.consolidate_every / 24, options.consolidate_moves)
    print(table.HEAD)
    found: dict[str, Figures] = {}
    for name in options.strategy or STRATEGIES:
        found[name] = simulate(hosts, trace, machine, STRATEGIES[name], options.seed, consolidation)
        print(table.line(name, found[name]), flush=True)
    if options.plots:
        plots.write(found, options.plots)


if __name__ == "__main__":
    sys.exit(main())
