"""Simulations: one seed gives the same figures, nothing is overcommitted, traces that cannot be are refused."""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.simulation import trace_files
from scheduler.simulation.__main__ import main
from scheduler.simulation.consolidation import Consolidation
from scheduler.simulation.generator import generate
from scheduler.simulation.machine import Machine, fake_hosts
from scheduler.simulation.run import _Run, simulate
from scheduler.simulation.strategies import STRATEGIES
from scheduler.simulation.trace import Arrival, ServerType, Trace, TraceError

MACHINE = Machine()
HALF = {"half": ServerType(0.5, 0.5, 0.5)}
TYPES = "id,vmTypeId,machineId,core,memory,hdd,ssd,nic\n0,a,0,0.5,0.5,0,0.5,0\n"
SERVERS = "vmId,tenantId,vmTypeId,priority,starttime,endtime\n1,0,a,0,0,1\n"


def write(folder: Path, types: str = TYPES, servers: str = SERVERS) -> Path:
    """Write a trace as CSV."""
    (folder / "vmType.csv").write_text(types)
    (folder / "vm.csv").write_text(servers)
    return folder


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_full_cloud_is_never_overcommitted(name: str) -> None:
    """More servers than fit: the rest is refused, whoever chooses."""
    trace = generate(600, 2, 3)
    figures = simulate(fake_hosts(10, MACHINE), trace, MACHINE, STRATEGIES[name], 7)
    assert figures.refused > 0
    assert figures.overcommitted == 0
    assert figures == simulate(fake_hosts(10, MACHINE), trace, MACHINE, STRATEGIES[name], 7)


def test_a_server_that_goes_makes_room() -> None:
    """Two halves fill the host; a third is refused while both are there, and taken when one has gone."""
    arrivals = (
        Arrival("1", "half", 0, 2),
        Arrival("2", "half", 0, None),
        Arrival("3", "half", 1, None),
        Arrival("4", "half", 3, None),
    )
    figures = simulate(fake_hosts(1, MACHINE), Trace(HALF, arrivals), MACHINE, STRATEGIES["spread"], 7)
    assert figures.refused == 1
    assert figures.samples[-1].density == 1


def test_packing_leaves_more_hosts_empty_than_spreading() -> None:
    """What the strategies are for."""
    trace = generate(200, 2, 3)
    empty = {
        name: simulate(fake_hosts(50, MACHINE), trace, MACHINE, STRATEGIES[name], 7).empty_hosts
        for name in ("pack", "spread")
    }
    assert empty["pack"] > empty["spread"]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """A made-up trace survives the files."""
    trace = generate(50, 2, 3)
    trace_files.write_csv(trace, tmp_path)
    assert trace_files.read(tmp_path) == trace


def test_sqlite_is_read_as_the_public_trace_is(tmp_path: Path) -> None:
    """NULL is a server that outlives the trace; negative times are before its beginning."""
    path = tmp_path / "trace.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE vmType (id, vmTypeId, machineId, core, memory, hdd, ssd, nic)")
        database.execute("CREATE TABLE vm (vmId, tenantId, vmTypeId, priority, starttime, endtime)")
        database.execute("INSERT INTO vmType VALUES (0, 5, 0, 0.5, 0.5, NULL, 0.5, 0)")
        database.execute("INSERT INTO vm VALUES (1, 0, 5, 0, -3.5, NULL)")
        database.commit()
    assert trace_files.read(path).arrivals == (Arrival("1", "5", -3.5, None),)


@pytest.mark.parametrize(
    ("types", "servers", "says"),
    [
        (TYPES, SERVERS.replace(",0,1\n", ",,1\n"), "line 2: starttime is missing"),
        (TYPES, SERVERS.replace(",0,1\n", ",5,1\n"), "endtime=1 is before starttime=5"),
        (TYPES, SERVERS.replace(",0,1\n", ",nan,1\n"), "starttime=nan is no number"),
        (TYPES, SERVERS.replace(",0,1\n", ",soon,1\n"), "starttime='soon' is no number"),
        (TYPES, SERVERS.replace(",0,1\n", ",1e9,\n"), "further away"),
        (TYPES, SERVERS + "1,0,a,0,0,1\n", "vm.csv, line 3: vmId='1' is there twice"),
        (TYPES + "0,a,0,0.5,0.5,0,0.5,0\n", SERVERS, "line 3: vmTypeId='a' is there twice for machineId='0'"),
        (TYPES, SERVERS + "2,0,a,0,0,1,9\n", "more fields than columns"),
        (TYPES, SERVERS + "2,0\n", "vm.csv, line 3: there are fewer fields than columns"),
        (TYPES, SERVERS + "2,0,a,0,0", "line 3: there are fewer fields than columns"),
        (TYPES, SERVERS.replace("tenantId", "colour"), "unknown column 'colour'"),
        (TYPES, SERVERS.replace("tenantId", "vmId"), "a column is there twice"),
        (TYPES, SERVERS.replace(",0,1\n", f",{'x' * 99_999},1\n"), f"starttime='{'x' * 40}…' is no number"),
        (TYPES, SERVERS.replace(",0,1\n", f",{'x' * 999_999},1\n"), "field larger than field limit"),
        (TYPES, SERVERS.replace(",0,1\n", ",0,-1e400\n"), "endtime=-inf is no number"),
        (TYPES, SERVERS.replace(",a,", ",\x1b[2J,"), "vmTypeId='\\x1b[2J' is no type"),
        (TYPES, "", "vm.csv: there is no column endtime"),
        ("", SERVERS, "vmType.csv: there is no column core"),
        (TYPES, SERVERS.replace("vmTypeId", "id"), "no column vmTypeId"),
        (TYPES, SERVERS.replace(",a,", ",b,"), "vm.csv, line 2: vmTypeId='b' is no type of the table vmType"),
        (TYPES + "1,b,1,1,1,0,1,0\n2,c,1,1,1,0,1,0\n", SERVERS, "the table vm has no server that fits"),
        (TYPES, SERVERS.splitlines()[0] + "\n", "the table vm has no server"),
        (TYPES.replace("0,a,0,0.5", "0,a,0,-0.5"), SERVERS, "core=-0.5 is no part of a machine"),
        (TYPES.replace("0,a,0,0.5", "0,a,0,7"), SERVERS, "core=7 is no part of a machine"),
        (TYPES.replace("0,a,0,0.5", "0,a,0,0"), SERVERS, "needs some core"),
        (TYPES.replace("0,a,0,0.5", "0,,0,0.5"), SERVERS, "line 2: vmTypeId is missing"),
        (TYPES.splitlines()[0] + "\n", SERVERS, "the table vmType is empty"),
    ],
)
def test_a_trace_that_cannot_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], types: str, servers: str, says: str
) -> None:
    """A sentence that says where and why, and exit status 2."""
    assert main(["--trace", str(write(tmp_path, types, servers)), "--hosts", "2"]) == 2
    shown = capsys.readouterr()
    assert says in shown.err
    assert not shown.out


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """As is one that is not there."""
    path = tmp_path / "trace"
    with pytest.raises(TraceError, match="no such file"):
        trace_files.read(path)
    path.write_text("no database, however long it may be")
    with pytest.raises(TraceError, match="not a database"):
        trace_files.read(path)


@pytest.mark.parametrize("hosts", ["0", "-1", "many", "1000001"])
def test_a_number_of_hosts_that_cannot_be_is_refused(tmp_path: Path, hosts: str) -> None:
    """Before anything is read."""
    with pytest.raises(SystemExit) as refused:
        main(["--trace", str(write(tmp_path)), "--hosts", hosts])
    assert refused.value.code == 2


def test_strategies_are_compared_in_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each, of a trace that the command made itself."""
    assert main(["--trace", str(tmp_path), "--generate", "100", "--days", "1"]) == 0
    assert main(["--trace", str(tmp_path), "--hosts", "5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["strategy", *STRATEGIES]


def test_consolidation_empties_hosts_within_its_bound() -> None:
    """A small server on each of four hosts: three moves put them on one; fewer are made where fewer are allowed."""
    small = {"small": ServerType(0.25, 0.25, 0.25)}
    arrivals = tuple(Arrival(str(number), "small", day, None) for number, day in enumerate([0, 0, 0, 0, 5]))
    trace = Trace(small, arrivals)

    def moves_and_empty(most: int) -> tuple[int, int]:
        figures = simulate(fake_hosts(4, MACHINE), trace, MACHINE, STRATEGIES["spread"], 7, Consolidation(2, most))
        assert (figures.refused, figures.overcommitted) == (0, 0)
        return figures.moves, figures.samples[-2].empty_hosts

    assert moves_and_empty(100) == (3, 3)
    assert moves_and_empty(1) == (2, 2), "two rounds of one move each"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(1, 6), st.integers(1, 40), st.sampled_from(list(STRATEGIES)))
def test_consolidation_never_overcommits_and_loses_nobody(servers: int, hosts: int, most: int, name: str) -> None:
    """Whatever the load: as many servers are alive at the end as came, were taken and did not go."""
    trace = generate(servers, 3, servers, "large")
    run = _Run(fake_hosts(hosts, MACHINE), trace, MACHINE, STRATEGIES[name], 7)
    figures = run.figures(Consolidation(0.25, most))
    assert figures.overcommitted == 0
    staying = sum(one.end_day is None or one.end_day > trace.arrivals[-1].start_day for one in trace.arrivals)
    alive = sum(len(numbers) for numbers in run._servers.by_host.values())
    assert staying - figures.refused <= alive <= staying
    assert figures.moves <= most * 12


fields = st.one_of(st.sampled_from(["", "a", "1", "0.5", "-1", "1e400", "nan", "0", '"', "\0"]), st.text(max_size=5))


rows = st.lists(st.lists(fields, min_size=4, max_size=8), max_size=4)


@settings(max_examples=60, deadline=None)
@given(rows, rows)
def test_whatever_the_files_hold_is_a_trace_or_refused(types: list[list[str]], servers: list[list[str]]) -> None:
    """No other exception, and what is read can be simulated."""
    with TemporaryDirectory() as folder:
        path = write(
            Path(folder),
            TYPES + "".join(",".join(row) + "\n" for row in types),
            SERVERS + "".join(",".join(row) + "\n" for row in servers),
        )
        try:
            trace = trace_files.read(path)
        except TraceError:
            return
    assert simulate(fake_hosts(2, MACHINE), trace, MACHINE, STRATEGIES["spread"], 7).overcommitted == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--consolidate-every", "0"),
        ("--consolidate-every", "nan"),
        ("--consolidate-moves", "0"),
        ("--ratio", "vcpu=many"),
        ("--seed", "-1"),
        ("--generate", "10000001"),
        ("--days", "0"),
        ("--mix", "strange"),
        ("--strategy", "worst-fit"),
    ],
)
def test_options_that_cannot_be_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, str]
) -> None:
    """The option is named, and nothing is written."""
    with pytest.raises(SystemExit) as refused:
        main(["--trace", str(tmp_path / "made"), *arguments])
    assert refused.value.code == 2
    assert f"argument {arguments[0]}: " in capsys.readouterr().err
    assert not (tmp_path / "made").exists()


def test_a_ratio_that_leaves_nothing_refuses_everybody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a warning of the arithmetic."""
    assert main(["--trace", str(write(tmp_path)), "--hosts", "2", "--ratio", "vcpu=0.001", "--strategy", "pack"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[5] == "1"
