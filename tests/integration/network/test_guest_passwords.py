"""A guest and the real metadata service, which asks a control plane by HTTP."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from contracts.credentials import credential_text
from contracts.guests import KEEP_PASSWORD, PASSWORD_PATH
from contracts.signing import WORD, is_signed
from tests.fixtures.ids import new_id
from tests.fixtures.patience import eventually
from tests.integration.network.documents import OPEN, ControlPlane
from tests.integration.network.guests import Guest, network, port

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("private_kernel")]

PATH = "/openstack/2013-10-17/password"
KEY = b"k" * 32


class Api(BaseHTTPRequestHandler):
    """Keeps what a word of the host says, if it is signed."""

    def do_POST(self):
        wire = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_signed_word = wire["host"] == "h" and is_signed(KEY, WORD, KEEP_PASSWORD, wire)
        is_good = self.path == f"/{PASSWORD_PATH}" and is_signed_word
        uuid, kept = wire["instance_uuid"], self.server.kept
        is_new = bool(is_good and wire["password"] and uuid not in kept)
        if is_new:
            kept[uuid] = wire["password"]
        body = json.dumps({"password": kept.get(uuid, ""), "is_new": is_new}).encode()
        self.send_response(200 if is_good else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        return


@pytest.fixture
def api(private_kernel):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.kept = {}
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def credential(tmp_path):
    path = tmp_path / "credential"
    path.write_text(credential_text("h", KEY, "redis://127.0.0.1:1/0"))
    return path


@pytest.fixture
def metadata_service(driver, state_dir, api, credential):
    environment = {
        **os.environ, "NOVELLA_STATE_DIR": str(state_dir), "NOVELLA_HOST": "h",
        "NOVELLA_CREDENTIAL_FILE": str(credential), "NOVELLA_API_URL": f"http://127.0.0.1:{api.server_port}",
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "compute_agent.network.metadata"], env=environment)
    yield process
    process.terminate()
    process.wait(60)


@pytest.fixture
def guests(driver, tmp_path, metadata_service):
    """Two guests of one network, with what is known of each."""
    net, control = network(), ControlPlane(driver)
    everything = control.group(*OPEN)
    made = {}
    for address in ("10.99.0.5", "10.99.0.6"):
        guest, instance = Guest(port(net, address), tmp_path), new_id()
        made[instance] = guest
        guest.start()
        driver.plug(instance, [guest.port], {"uuid": instance}, "")
        control.put(guest.port, everything)
        guest.static(f"{address}/24", "10.99.0.1")
        guest.wait_for_metadata()
    yield made
    for guest in made.values():
        guest.stop()


def post(guest, text):
    # A machine that stands still for seconds is no refusal.
    return guest.fetch(PATH, "-X", "POST", "-d", text, seconds=30)[0]


def test_each_guest_stores_its_own_password_once(guests, api, credential):
    (one, a), (other, b) = guests.items()
    assert a.fetch(PATH) == (200, "")
    assert [post(a, "mine"), post(a, "again")] == [200, 409]
    assert api.kept == {one: "mine"}
    assert a.fetch(PATH) == (200, "mine")
    assert b.fetch(PATH) == (200, "")
    assert post(b, "x" * 1021) == 400
    assert post(b, "theirs") == 200
    assert api.kept == {one: "mine", other: "theirs"}


def test_a_password_is_stored_with_the_key_that_the_host_has_by_now(guests, api, credential):
    (instance, guest), *_ = guests.items()
    good = credential.read_text()
    credential.write_text(credential_text("h", b"another", "redis://127.0.0.1:1/0"))
    assert post(guest, "mine") == 503
    credential.write_text(good)
    assert eventually(lambda: post(guest, "mine") == 200)
    assert api.kept == {instance: "mine"}
