"""DHCPv6 as bytes: what a port that asks is answered."""

import ipaddress
import struct

import pytest

from compute_agent.network.dhcpv6.messages import Lease, answer, server_id

OWN, OTHER = server_id("02:00:00:00:00:01"), server_id("02:00:00:00:00:02")
CLIENT = server_id("fa:16:3e:00:00:05")
LEASE = Lease(addresses=["fd00::5"], name_servers=["fd00::53"])
NOTHING = Lease(addresses=[], name_servers=[])
SOLICIT, ADVERTISE, REQUEST, CONFIRM, RENEW, REBIND, REPLY, RELEASE, DECLINE = range(1, 10)
INFORMATION = 11
CLIENT_ID, SERVER_ID, IA_NA, IA_ADDRESS, STATUS, RAPID, NAME_SERVERS = 1, 2, 3, 5, 13, 14, 23


def option(code: int, content: bytes) -> bytes:
    return struct.pack("!HH", code, len(content)) + content


def association(*addresses: str) -> bytes:
    inner = (option(IA_ADDRESS, ipaddress.IPv6Address(one).packed + bytes(8)) for one in addresses)
    return option(IA_NA, b"\0\0\0\7" + bytes(8) + b"".join(inner))


def asked(kind: int, *options: bytes, client: bytes = CLIENT) -> bytes:
    return bytes([kind]) + b"abc" + option(CLIENT_ID, client) + b"".join(options)


def read(content: bytes) -> dict[int, bytes]:
    found = {}
    while content:
        code, length = struct.unpack_from("!HH", content)
        found[code], content = content[4 : 4 + length], content[4 + length :]
    return found


def given(said: bytes) -> dict[str, int]:
    """The addresses of an answer's association, with how long they are valid."""
    inner = read(read(said[4:])[IA_NA][12:])
    one = inner.get(IA_ADDRESS)
    return {str(ipaddress.IPv6Address(one[:16])): struct.unpack_from("!I", one, 20)[0]} if one else {}


def test_port_is_offered_its_address_and_gets_it():
    offered = answer(asked(SOLICIT, association()), LEASE, OWN)
    assert offered is not None
    assert offered[:4] == bytes([ADVERTISE]) + b"abc"
    options = read(offered[4:])
    assert (options[SERVER_ID], options[CLIENT_ID]) == (OWN, CLIENT)
    assert str(ipaddress.IPv6Address(options[NAME_SERVERS])) == "fd00::53"
    for kind in (REQUEST, RENEW):
        got = answer(asked(kind, option(SERVER_ID, OWN), association("fd00::5")), LEASE, OWN)
        assert got is not None
        assert got[0] == REPLY
        assert given(got) == {"fd00::5": 86_400}


def test_rapid_commit_gets_it_at_once():
    said = answer(asked(SOLICIT, option(RAPID, b""), association()), LEASE, OWN)
    assert said is not None
    assert said[0] == REPLY
    assert RAPID in read(said[4:])


def test_what_has_no_address_here_is_told_so_and_another_ones_address_ends():
    said = answer(asked(SOLICIT, association()), NOTHING, OWN)
    assert said is not None
    assert read(read(said[4:])[IA_NA][12:])[STATUS] == b"\0\2"
    said = answer(asked(REBIND, association("fd00::6")), NOTHING, OWN)
    assert said is not None
    assert given(said) == {"fd00::6": 0}


@pytest.mark.parametrize(("address", "status"), [("fd00::5", b"\0\0"), ("fd00::6", b"\0\4")])
def test_address_is_confirmed_if_it_is_the_ports(address, status):
    said = answer(asked(CONFIRM, association(address)), LEASE, OWN)
    assert said is not None
    assert read(said[4:])[STATUS] == status


def test_information_needs_no_association_and_no_name():
    said = answer(bytes([INFORMATION]) + b"abc", LEASE, OWN)
    assert said is not None
    assert set(read(said[4:])) == {SERVER_ID, NAME_SERVERS}


@pytest.mark.parametrize("question", [
    b"", b"\1", b"\1abc", asked(SOLICIT, client=b""), asked(SOLICIT, client=b"x" * 131), asked(REQUEST),
    asked(SOLICIT) + b"\0", asked(SOLICIT) + b"\0\3\0\xff", asked(REQUEST, option(SERVER_ID, OTHER)), asked(ADVERTISE),
    asked(REPLY), asked(200),
])  # fmt: skip
def test_what_is_no_question_to_this_server_is_not_answered(question):
    assert answer(question, LEASE, OWN) is None


def test_association_that_is_cut_short_gets_its_lease_and_harms_nobody():
    said = answer(asked(SOLICIT, option(IA_NA, b"\0\0\0\7" + bytes(8) + b"\0\5\0\x18x")), LEASE, OWN)
    assert said is not None
    assert given(said) == {"fd00::5": 86_400}
