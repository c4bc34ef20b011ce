"""Who may ask how long, how much and how: the server's limits, on a loopback socket."""

import contextlib
import json
import socket
import threading
import time

import pytest

from compute_agent.network.floating_file import FloatingFile
from compute_agent.network.metadata import passwords, requests
from compute_agent.network.metadata import server as service
from compute_agent.network.metadata.passwords import Kept
from compute_agent.network.names import FLOATING_FILE
from contracts.guests import MOST_PASSWORD_BYTES
from contracts.networks import GuardSpec, HostNetworks

NETWORK = "11111111-1111-4111-8111-111111111111"


class LoopbackListener:
    """One socket on loopback that stands for one network."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self._is_new = True

    @property
    def port(self):
        return self.socket.getsockname()[1]

    def refresh(self):
        opened = [(NETWORK, self.socket)] if self._is_new else []
        self._is_new = False
        return opened, []


@pytest.fixture
def hasty(monkeypatch):
    """Who is slow is not waited for."""
    monkeypatch.setattr(requests, "REQUEST_SECONDS", 0.3)


class Keeper:
    """Keeps passwords as the control plane does, and counts how often it was asked."""

    def __init__(self):
        self.kept = {}
        self.asked = 0
        self.is_away = False

    def __call__(self, instance_uuid, password):
        self.asked += 1
        if self.is_away:
            raise OSError("nobody answers")
        before = self.kept.get(instance_uuid, "")
        self.kept[instance_uuid] = before or password
        return Kept(before or password, not before and bool(password))


@pytest.fixture
def keeper():
    return Keeper()


@pytest.fixture
def ask(tmp_path, keeper):
    folder = tmp_path / "metadata" / NETWORK
    folder.mkdir(parents=True)
    document = {
        "metadata": {"uuid": "me"}, "user_data": "", "network": {}, "address": "127.0.0.1", "mac_address": "",
        "instance_uuid": "me", "port_id": "one", "port_ids": ["other", "one"],
    }
    (folder / "127.0.0.1.json").write_text(json.dumps(document))
    listener = LoopbackListener()
    server = service.MetadataServer(tmp_path, keeper, listener)
    thread = threading.Thread(target=server.run)
    thread.start()

    def ask(request: bytes) -> str:
        with socket.create_connection(("127.0.0.1", listener.port), timeout=60) as connection:
            connection.sendall(request)
            received = b""
            while more := connection.recv(65_536):
                received += more
            return received.decode()

    ask.port = listener.port
    ask.folder, ask.state_dir = folder, tmp_path
    yield ask
    server.stop()
    thread.join()


def public_address(ask) -> str:
    return ask(b"GET /latest/meta-data/public-ipv4 HTTP/1.0\r\n\r\n").split("\r\n\r\n")[1]


def test_floating_address_of_any_port_of_the_instance_is_the_public_one(ask):
    assert public_address(ask) == ""
    file = FloatingFile(ask.state_dir / FLOATING_FILE)
    there = {"one": GuardSpec(mac_address="", floating_ips=["203.0.113.5", "203.0.113.4"])}
    file.ensure(HostNetworks(host="h", version=1, guards=there))
    assert public_address(ask) == "203.0.113.5"
    of_others = {**there, "other": GuardSpec(mac_address="", floating_ips=["203.0.113.9"]),
                 "stranger": GuardSpec(mac_address="", floating_ips=["203.0.113.8"])}
    file.ensure(HostNetworks(host="h", version=2, guards=of_others))
    assert public_address(ask) == "203.0.113.9"
    document = json.loads((ask.folder / "127.0.0.1.json").read_text())
    del document["port_ids"]  # as an agent before wrote it
    (ask.folder / "127.0.0.1.json").write_text(json.dumps(document))
    assert public_address(ask) == "203.0.113.5"
    file.ensure(HostNetworks(host="h", version=3))
    assert public_address(ask) == ""


def test_caller_is_known_by_network_and_address(ask):
    text = ask(b"GET /openstack/latest/meta_data.json HTTP/1.1\r\nHost: x\r\n\r\n")
    assert text.startswith("HTTP/1.1 200 OK\r\n")
    assert json.loads(text.split("\r\n\r\n")[1]) == {"uuid": "me"}


def test_unknown_caller_gets_404(ask):
    (ask.folder / "127.0.0.1.json").unlink()
    assert ask(b"GET /openstack/latest/meta_data.json HTTP/1.0\r\n\r\n").startswith("HTTP/1.1 404")


def test_head_has_no_body(ask):
    text = ask(b"HEAD /openstack/latest/meta_data.json HTTP/1.1\r\n\r\n")
    assert "Content-Length: 14\r\n" in text
    assert text.endswith("\r\n\r\n")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405),
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1365, 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 8192\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"\xff\xfe\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_is_refused(ask, request_, status):
    assert ask(request_).startswith(f"HTTP/1.1 {status} ")


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("half", [b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab"])
def test_half_a_request_is_not_waited_for(ask, half):
    assert ask(half).startswith("HTTP/1.1 408 ")


@pytest.mark.usefixtures("hasty")
def test_slow_callers_end_and_others_are_answered_again(ask):
    slow = [socket.create_connection(("127.0.0.1", ask.port)) for _ in range(service.PER_NETWORK + 5)]
    end = time.monotonic() + 60
    while not _answer(ask).startswith("HTTP/1.1 200"):
        assert time.monotonic() < end
        time.sleep(0.1)
    for connection in slow:
        connection.close()


def _answer(ask):
    """What it says; nothing where it has no room for one more."""
    with contextlib.suppress(ConnectionError):
        return ask(b"GET /openstack HTTP/1.1\r\n\r\n")
    return ""


def post(ask, body, path="/openstack/2013-10-17/password"):
    """Return the status of the answer."""
    head = f"POST {path} HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n"
    return int(ask(head.encode() + body).split(" ")[1])


def password(ask, method="GET", path="/openstack/latest/password"):
    """Return the status of the answer, and the password."""
    head, _, body = ask(f"{method} {path} HTTP/1.1\r\n\r\n".encode()).partition("\r\n\r\n")
    return int(head.split(" ")[1]), body


def test_a_guest_stores_a_password_once(ask, keeper):
    assert password(ask) == (200, "")
    assert [post(ask, b"first"), post(ask, b"second"), post(ask, b"first")] == [200, 409, 409]
    assert password(ask) == (200, "first")
    assert password(ask, "HEAD") == (200, "")
    assert keeper.kept == {"me": "first"}


def test_a_guest_that_asks_a_thousand_times_asks_the_control_plane_once(ask, keeper):
    assert post(ask, b"first") == 200
    assert {post(ask, b"x") for _ in range(100)} == {409}
    assert {password(ask) for _ in range(100)} == {(200, "first")}
    assert keeper.asked == 1


def test_what_is_remembered_is_not_believed_for_ever(ask, keeper, monkeypatch):
    monkeypatch.setattr(passwords, "_FRESH_SECONDS", 0.0)
    assert [post(ask, b"first"), post(ask, b"second")] == [200, 409]
    keeper.kept.clear()  # its owner had it forgotten
    assert password(ask) == (200, "")
    assert post(ask, b"second") == 200


def test_who_cannot_be_asked_is_asked_again_after_a_while(ask, keeper, monkeypatch):
    keeper.is_away = True
    assert {post(ask, b"first") for _ in range(20)} == {503}
    assert password(ask)[0] == 503
    assert keeper.asked < 20  # on a machine that stood still for seconds, more than once
    keeper.is_away = False
    monkeypatch.setattr(passwords, "_AWAY_SECONDS", 0.0)
    end = time.monotonic() + 60
    while post(ask, b"first") != 200:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert keeper.kept == {"me": "first"}


@pytest.mark.parametrize("body", [b"", b"x" * (passwords.MOST_BYTES + 1), b"\xff", b"a\0b"])
def test_what_is_no_password_is_refused_and_nobody_asked(ask, keeper, body):
    assert post(ask, body) == 400
    assert keeper.asked == 0


def test_the_longest_password_is_that_of_the_contract(ask, keeper):
    assert passwords.MOST_BYTES == MOST_PASSWORD_BYTES
    assert post(ask, b"x" * MOST_PASSWORD_BYTES) == 200
    assert len(keeper.kept["me"]) == MOST_PASSWORD_BYTES


def test_only_who_is_known_has_a_password_and_only_where_there_is_one(ask, keeper):
    assert post(ask, b"x", "/openstack/latest/user_data") == 405
    assert post(ask, b"x", "/openstack/2012-08-10/password") == 405
    assert password(ask, path="/openstack/2012-08-10/password")[0] == 404
    assert password(ask, "DELETE")[0] == 405
    (ask.folder / "127.0.0.1.json").unlink()
    assert post(ask, b"x") == 405
    assert password(ask)[0] == 404
    assert keeper.asked == 0
