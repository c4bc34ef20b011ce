"""Limits of ports on a real kernel: bytes that came through in a given time, and what is there before and after."""

import contextlib
import socket
import threading
import time

import pytest

from compute_agent.network import namespaces
from compute_agent.network.limits import Shaper
from compute_agent.network.linux_bridge import LinuxBridgeNetwork
from compute_agent.network.names import Mark, limiter_name, tap_name
from contracts.networks import LimitSpec
from tests.integration.network.connecting import serve
from tests.integration.network.documents import OPEN, ControlPlane
from tests.integration.network.guests import Guest, network, port, run
from tests.unit.compute_agent.orders import new_id

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("private_kernel")]

KBPS, BURST_KB = 2_000, 200
SECONDS = 1.5
# What the limit lets through at most: the rate, what may pass at once, and a frame or two that are on their way.
MOST_BYTES = (KBPS * SECONDS + BURST_KB) * 1_000 / 8 * 1.15
PORT = 5_001
ADDRESSES = ("10.99.0.5", "10.99.0.6")


@pytest.fixture
def guests(driver, tmp_path):
    """Return two guests whose groups let everything pass, and what tells the host about them."""
    net, control = network(), ControlPlane(driver)
    everything = control.group(*OPEN)
    made = [Guest(port(net, address), tmp_path) for address in ADDRESSES]
    for guest, address in zip(made, ADDRESSES, strict=True):
        guest.start()
        driver.plug(new_id(), [guest.port], {}, "")
        control.put(guest.port, everything)
        guest.static(f"{address}/24")
        guest.do("ip", "link", "set", "eth0", "mtu", str(net.mtu))  # larger frames would be lost with each repetition
    yield made, control
    for guest in made:
        guest.stop()


def bytes_in_time(sender: Guest, receiver: Guest) -> int:
    """Return how many bytes the receiver got while the sender sent as much as it could."""
    address = receiver.port.fixed_ips[0].ip_address
    with contextlib.closing(serve(receiver, PORT)) as listener:
        # What waits in a bucket from before must drain first.
        near = namespaces.run_in(sender.name, lambda: socket.create_connection((address, PORT), timeout=5))
        far, _ = listener.accept()
        end = time.monotonic() + SECONDS

        def send() -> None:
            with contextlib.suppress(OSError):
                while time.monotonic() < end:
                    near.send(b"x" * 65_536)

        near.settimeout(SECONDS)
        thread = threading.Thread(target=send)
        thread.start()
        total = _received(far, end)
        for one in (near, far):
            one.close()
        thread.join()
    return total


def _received(far: socket.socket, end: float) -> int:
    total = 0
    while (left := end - time.monotonic()) > 0:
        far.settimeout(left)
        try:
            total += len(far.recv(1 << 20))
        except TimeoutError:
            break
    return total


def limiters() -> list[str]:
    return [line.split(":")[1].strip() for line in run("ip", "-o", "link").stdout.splitlines() if "nifb" in line]


def is_whole(state_dir, spec, limit) -> bool:
    with Shaper(Mark.of(state_dir)) as shaper:
        return shaper.is_as_wanted(spec.id, limit)


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_one_direction_is_limited_and_the_other_is_not(guests, state_dir, direction):
    (mine, other), control = guests
    limit = LimitSpec(**{f"{direction}_kbps": KBPS, f"{direction}_burst_kb": BURST_KB})
    control.tell(limits={mine.port.id: limit})
    into, out_of = bytes_in_time(other, mine), bytes_in_time(mine, other)
    limited, free = (into, out_of) if direction == "ingress" else (out_of, into)
    assert MOST_BYTES * 0.4 < limited < MOST_BYTES
    assert free > MOST_BYTES * 3
    assert is_whole(state_dir, mine.port, limit)
    control.tell(gone={"limits": [mine.port.id]})
    assert min(bytes_in_time(other, mine), bytes_in_time(mine, other)) > MOST_BYTES * 3
    assert limiters() == []
    assert is_whole(state_dir, mine.port, None)


def test_what_differs_is_changed_and_what_does_not_is_left_alone(guests, driver):
    (mine, other), control = guests
    tap, limiter = tap_name(mine.port.id), limiter_name(mine.port.id)
    control.tell(limits={mine.port.id: LimitSpec(ingress_kbps=8_000, egress_kbps=1_000)})
    shown = run("tc", "qdisc", "show", "dev", tap).stdout
    assert "tbf 1: root" in shown
    assert "rate 8Mbit" in shown
    index = run("cat", f"/sys/class/net/{limiter}/ifindex").stdout
    control.tell(limits={mine.port.id: LimitSpec(ingress_kbps=8_000, egress_kbps=3_000)})
    assert run("tc", "qdisc", "show", "dev", tap).stdout == shown
    assert "rate 3Mbit" in run("tc", "qdisc", "show", "dev", limiter).stdout
    assert run("cat", f"/sys/class/net/{limiter}/ifindex").stdout == index
    mine.reaches(other.port.fixed_ips[0].ip_address)
    counted = _passed(limiter)
    assert counted > 0
    driver.restore()
    assert _passed(limiter) >= counted  # one that was made anew would count from nothing; guests speak when they like


def _passed(limiter: str) -> int:
    """Bytes that have passed a limit since it was made."""
    return int(run("tc", "-s", "qdisc", "show", "dev", limiter).stdout.partition("Sent ")[2].split()[0])


LOSSES = {
    "bucket": lambda tap, limiter: ("tc", "qdisc", "del", "dev", tap, "root"),
    "redirection": lambda tap, limiter: ("tc", "filter", "del", "dev", tap, "ingress"),
    "ingress": lambda tap, limiter: ("tc", "qdisc", "del", "dev", tap, "ingress"),
    "limiter": lambda tap, limiter: ("ip", "link", "del", limiter),
    "rate": lambda tap, limiter: ("tc", "qdisc", "change", "dev", limiter, "root", "tbf", "rate", "9mbit",
                                  "burst", "100kb", "latency", "50ms"),
}  # fmt: skip


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_is_noticed_and_mended(guests, state_dir, loss):
    (mine, _), control = guests
    limit = LimitSpec(ingress_kbps=8_000, egress_kbps=KBPS)
    control.tell(limits={mine.port.id: limit})
    run(*LOSSES[loss](tap_name(mine.port.id), limiter_name(mine.port.id)))
    assert not is_whole(state_dir, mine.port, limit)
    LinuxBridgeNetwork(state_dir).restore()
    assert is_whole(state_dir, mine.port, limit)


def test_a_tap_that_is_made_later_is_limited_from_the_start_and_nothing_stays_with_its_port(
    guests, driver, state_dir, tmp_path
):
    (mine, _), control = guests
    late = Guest(port(mine.port.network, "10.99.0.7"), tmp_path)
    limit, instance = LimitSpec(ingress_kbps=64, egress_kbps=64), new_id()
    control.tell(limits={late.port.id: limit})
    assert limiters() == []
    late.start()
    driver.plug(instance, [late.port], {}, "")
    assert is_whole(state_dir, late.port, limit)
    driver.unplug(instance)
    late.stop()
    assert limiters() == []


def test_purge_takes_the_limiters_along(guests, driver):
    (mine, _), control = guests
    control.tell(limits={mine.port.id: LimitSpec(egress_kbps=KBPS)})
    assert limiters() == [limiter_name(mine.port.id)]
    driver.purge()
    assert limiters() == []
