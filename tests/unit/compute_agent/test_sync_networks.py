"""The order to fetch the networks' document: told what is known, answered with what is new, never another host's."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from compute_agent.errors import OrderRefused, TransferFailed
from compute_agent.operations import sync_networks as operation
from compute_agent.operations.sync_networks import sync_networks
from compute_agent.tries import MOST
from contracts.networks import GroupSpec, HostNetworks, SyncNetworks
from tests.unit.compute_agent.orders import HOST, FakeHost, new_id, order
from tests.unit.compute_agent.test_kills import Machine, _send
from tests.unit.compute_agent.test_poison import Poisoned
from tests.unit.compute_agent.tripwire import Killed, Tripwire


class ControlPlane:
    """Answers every POST with the same bytes, and keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[dict] = []
        self.status, self.answer = 200, b""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.answer)))
                self.end_headers()
                self.wfile.write(outer.answer)

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/networks?signature=secret"

    def says(self, document: HostNetworks) -> None:
        self.answer = msgspec.json.encode(document)


@pytest.fixture
def control():
    control = ControlPlane()
    thread = threading.Thread(target=control.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield control
    control.server.shutdown()
    control.server.server_close()
    thread.join()


def sync(fake: FakeHost, control: ControlPlane, version: int):
    return sync_networks(fake.host, order(SyncNetworks, "", url=control.url, version=version))


def test_what_is_known_is_told_and_what_is_new_is_applied(control):
    fake, group = FakeHost(), new_id()
    control.says(HostNetworks(host=HOST, version=5, groups={group: GroupSpec()}))
    assert sync(fake, control, 4).version == 5
    control.says(HostNetworks(host=HOST, version=6, gone={"groups": [group]}))
    assert sync(fake, control, 6).version == 6
    assert [told["known"]["groups"].keys() for told in control.told] == [set(), {group}]
    assert fake.network.known()["groups"] == {}


def test_host_that_has_been_there_asks_nobody(control):
    fake = FakeHost()
    fake.network.apply(HostNetworks(host=HOST, version=5))
    assert sync(fake, control, 5).version == 5
    assert control.told == []


def test_document_of_another_host_is_refused(control):
    fake = FakeHost()
    control.says(HostNetworks(host="other", version=5))
    with pytest.raises(OrderRefused, match="other"):
        sync(fake, control, 5)
    assert fake.network.applied_version() == 0


def test_a_document_that_kills_its_agent_is_given_up_and_the_next_one_is_not(control, tmp_path):
    machine, operations = Machine(tmp_path), (new_id(), new_id())
    control.says(HostNetworks(host=HOST, version=5))

    def tell(operation_id: str, wire: Tripwire) -> dict:
        told = order(SyncNetworks, "", operation_id=operation_id, url=control.url, version=5)
        return _send(machine.agent(wire), told)

    for _ in range(MOST):
        with pytest.raises(Killed):
            tell(operations[0], Poisoned("apply"))
    assert tell(operations[0], Poisoned("apply"))["error_code"] == "Poison"
    assert tell(operations[1], Tripwire())["error_code"] == ""
    assert machine.fake.network.applied_version() == 5


@pytest.mark.parametrize(("status", "answer", "said"), [
    (403, b"expired", "expired"), (200, b"[]", "cannot be read"), (200, b"x" * 300, "more than"),
])  # fmt: skip
def test_what_is_no_document_changes_nothing_and_the_link_stays_secret(control, monkeypatch, status, answer, said):
    monkeypatch.setattr(operation, "_LARGEST_BYTES", 200)
    fake, (control.status, control.answer) = FakeHost(), (status, answer)
    with pytest.raises(TransferFailed, match=said) as caught:
        sync(fake, control, 5)
    assert "secret" not in str(caught.value)
    assert fake.network.applied_version() == 0


def test_nothing_but_http_is_spoken():
    with pytest.raises(TransferFailed, match="HTTP only"):
        operation.fetch("file:///etc/passwd", {})
