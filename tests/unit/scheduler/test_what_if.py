"""What if: who would move, where to or why not, what room is left; and what is refused."""

import io
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.inventory import LiveFlavor, LiveHost, LiveInventory, LiveServer
from contracts.scheduling import HostState, RequestSpec
from scheduler.core.policies import DEFAULT, POLICIES
from scheduler.simulation.__main__ import main
from scheduler.simulation.what_if.capacity import room_for
from scheduler.simulation.what_if.changes import Changes, hosts_after
from scheduler.simulation.what_if.command import tell
from scheduler.simulation.what_if.moves import move_all, table_of, who_must_go

SMALL = RequestSpec(vcpus=2, memory_mb=2048, disk_gb=10)


def live_host(name: str, servers: int = 0, ratio: float = 1.0, **state: Any) -> LiveHost:
    """Return a host with room for eight small servers, of which it holds some."""
    return LiveHost(
        state=HostState(
            host=name, generation=3, vcpus=int(16 * ratio), memory_mb=16384, disk_gb=80, vcpus_used=2 * servers,
            memory_mb_used=2048 * servers, disk_gb_used=10 * servers, **state,
        ),
        vcpus=16, memory_mb=16384, disk_gb=80, vcpu_ratio=ratio,
    )  # fmt: skip


def live_servers(host: str, count: int, group: str = "", **spec: Any) -> list[LiveServer]:
    asked = msgspec.structs.replace(SMALL, **spec)
    return [
        LiveServer(uuid=f"{host}-{number}", name="web", host=host, spec=asked, group=group) for number in range(count)
    ]


def cloud(hosts: list[LiveHost], servers: list[LiveServer]) -> bytes:
    flavors = [LiveFlavor(name="small", spec=SMALL)]
    return msgspec.json.encode(LiveInventory(hosts=hosts, servers=servers, flavors=flavors))


def ask(*arguments: str, hosts: list[LiveHost], servers: list[LiveServer]) -> str:
    return "\n".join(tell(["--what-if", *arguments], cloud(hosts, servers)))


THREE = {
    "hosts": [live_host("a", 4), live_host("b", 6), live_host("c", 7)],
    "servers": [*live_servers("a", 4), *live_servers("b", 6), *live_servers("c", 7)],
}


def test_servers_of_a_lost_host_go_where_there_is_room_and_the_rest_are_told_why():
    said = ask("--lose", "a", **THREE)
    assert "hosts: 3 before, 2 after" in said
    assert "servers that would have to move: 4, of which 1 would find no host" in said
    assert said.count(" a                    b ") == 2
    assert said.count(" a                    c ") == 1
    assert "VcpuFilter 2 -> 0" in said
    assert "2 hosts lack 10 GB of disk" in said
    assert "filters that took hosts from these servers: VcpuFilter from 1" in said
    assert said.splitlines()[-1].split() == ["small", "7", "0"]


def test_hosts_that_are_added_take_them():
    said = ask("--lose", "a", "--add", "1", "--add", "2:8,8192,40", **THREE)
    assert "servers that would have to move: 4, of which 0 would find no host" in said
    assert said.splitlines()[-1].split() == ["small", "7", "15"], "3 and 8 and twice 4 places, less 4 servers"


def test_a_smaller_ratio_moves_no_more_than_it_must():
    hosts = [live_host("a", 8, ratio=2), live_host("b", 1, ratio=2)]
    servers = [*live_servers("a", 8), *live_servers("b", 1)]
    said = ask("--ratio", "vcpu=0.5", hosts=hosts, servers=servers)
    assert "servers that would have to move: 4, of which 1 would find no host" in said
    assert "servers that would have to move: 0" in ask("--ratio", "vcpu=1", hosts=hosts, servers=servers)


def test_a_larger_ratio_makes_room():
    hosts = [live_host("a", 4)]
    assert ask("--ratio", "memory=2,disk=2", hosts=hosts, servers=[]).split()[-2:] == ["4", "4"]
    assert ask("--ratio", "memory=2,disk=2,vcpu=2", hosts=hosts, servers=[]).split()[-2:] == ["4", "12"]


def test_members_of_a_group_stay_apart():
    hosts = [live_host(name, 1) for name in "abc"]
    servers = [one for name in "abc" for one in live_servers(name, 1, "g", group_policy="anti-affinity")]
    said = ask("--lose", "a", "b", hosts=hosts, servers=servers)
    assert "servers that would have to move: 2, of which 2 would find no host" in said
    assert "AntiAffinityFilter 1 -> 0" in said


def test_hosts_that_take_no_servers_are_no_room():
    hosts = [live_host("a"), live_host("b", is_enabled=False), live_host("c", is_up=False)]
    assert ask(hosts=hosts, servers=[]).splitlines()[-1].split() == ["small", "8", "8"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=2, max_size=6), st.data())
def test_nothing_is_overcommitted_and_nobody_is_forgotten(held: list[int], data: st.DataObject) -> None:
    names = [f"h{number}" for number in range(len(held))]
    hosts = [live_host(name, count) for name, count in zip(names, held, strict=True)]
    servers = [one for name, count in zip(names, held, strict=True) for one in live_servers(name, count)]
    lost = data.draw(st.lists(st.sampled_from(names), unique=True, max_size=len(names) - 1))
    ratio = data.draw(st.sampled_from([0.25, 0.5, 1.0, 2.0]))
    after = hosts_after(hosts, Changes(lost, (), {"vcpu": ratio}))
    table = table_of(after)
    leaving = who_must_go(after, lost, servers)
    moves = move_all(table, leaving, servers, POLICIES[DEFAULT], 7)
    assert [one.server for one in moves] == leaving
    assert {one.uuid for one in servers if one.host in lost} <= {one.uuid for one in leaving}
    if not any(one.server.host not in lost and not one.host for one in moves):
        assert (table.columns(SMALL).vcpus_free >= 0).all()
    for one in moves:
        assert one.host not in lost
        assert bool(one.host) != bool(one.nearest_miss)
    if any(not one.host for one in moves):
        assert room_for(table, SMALL) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--lose", "z"], "there is no host z; there are a, b, c"),
        (["--lose", "a", "b", "c"], "no host would be left"),
        (["--ratio", "vcpu=0"], "vcpu='0' is no ratio"),
        (["--ratio", "vcpu=-1"], "vcpu='-1' is no ratio"),
        (["--ratio", "vcpu=nan"], "vcpu='nan' is no ratio"),
        (["--ratio", "vcpu=1e9"], "vcpu='1e9' is no ratio"),
        (["--ratio", "cores=2"], "'cores=2' names none of vcpu, memory, disk"),
        (["--ratio", "vcpu=2,vcpu=3"], "vcpu is there twice"),
        (["--add", "0"], "N: '0' is no number from 1"),
        (["--add", "many"], "N: 'many' is no number"),
        (["--add", "1:2,3"], "'1:2,3' is neither N nor N:vcpus,memory_mb,disk_gb"),
        (["--add", "1:2,3,-4"], "disk_gb: '-4' is no number"),
        (["--add", "1:99999999999,3,4"], "vcpus: '99999999999' is no number from 1 to 1048576"),
        (["--lose"], "expected at least one argument"),
        (["--los", "a"], "unrecognized arguments"),
        (["--seed", "x"], "'x' is no number"),
    ],
)
def test_what_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    document = io.TextIOWrapper(io.BytesIO(cloud(THREE["hosts"], THREE["servers"])))
    monkeypatch.setattr(sys, "stdin", document)
    try:
        status: object = main(["--what-if", *arguments])
    except SystemExit as refused:
        status = refused.code
    shown = capsys.readouterr()
    assert status == 2
    assert says in shown.err
    assert not shown.out


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"", "truncated"),
        (b'{"hosts": [], "servers": [], "flavors": []}', "there is no host yet"),
        (b'{"hosts": [{}], "servers": [], "flavors": []}', "missing required field"),
        (cloud([msgspec.structs.replace(live_host("a"), state=HostState(host="a", generation=1, vcpus=2**40))], []),
         "host a reports vcpus=1099511627776, which no machine has"),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], document: bytes, says: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(document)))
    assert main(["--what-if"]) == 2
    assert says in capsys.readouterr().err
