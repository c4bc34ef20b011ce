"""`python -m scheduler.simulation`: strategies compared on fake hosts, in one table."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from scheduler.simulation import trace_files
from scheduler.simulation.figures import Figures
from scheduler.simulation.generator import generate
from scheduler.simulation.run import Machine, fake_hosts, simulate
from scheduler.simulation.strategies import STRATEGIES
from scheduler.simulation.trace import TraceError

_MOST_HOSTS, _MOST_SERVERS = 1_000_000, 10_000_000


def main(arguments: list[str] | None = None) -> int:
    """Simulate, or write a made-up trace; return the exit status, 2 for bad input."""
    options = _parser().parse_args(arguments)
    try:
        if options.generate:
            trace_files.write_csv(generate(options.generate, options.days, options.seed), options.trace)
            return 0
        trace = trace_files.read(options.trace)
    except (TraceError, OSError) as exc:
        print(f"simulate: {exc}", file=sys.stderr)
        return 2
    machine = Machine()
    hosts = fake_hosts(options.hosts, machine)
    print(f"{'strategy':<10} {'density':>8} {'empty':>8} {'stranded vcpus':>15} {'stranded MB':>12} {'refused':>8}")
    for name in options.strategy or STRATEGIES:
        print(_line(name, simulate(hosts, trace, machine, STRATEGIES[name], options.seed)))
    return 0


def _line(name: str, one: Figures) -> str:
    return (
        f"{name:<10} {one.density:>8.1%} {one.empty_hosts:>8.1f} {one.stranded_vcpus:>15.1f} "
        f"{one.stranded_memory_mb:>12.0f} {one.refused:>8}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument(
        "--trace", type=Path, required=True, help="an SQLite file, or a folder of vmType.csv and vm.csv"
    )
    parser.add_argument("--hosts", type=_up_to(_MOST_HOSTS), default=1_000, help="how many fake hosts")
    parser.add_argument("--seed", type=int, default=7, help="where chance comes from")
    parser.add_argument("--strategy", action="append", choices=STRATEGIES, help="one of several; all by default")
    parser.add_argument(
        "--generate", type=_up_to(_MOST_SERVERS), metavar="SERVERS", help="write a made-up trace instead"
    )
    parser.add_argument("--days", type=_up_to(365), default=14, help="length of the made-up trace")
    return parser


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {most}")
        return int(text)

    return number


if __name__ == "__main__":
    sys.exit(main())
