"""What a machine does that was booted as a host with a wire: it has guests of VLAN networks, and one of them calls.

The kernel's command line names the host: `novella.host=1` calls the guests of host 2. It says what came of it on the
console, in lines `### NAME: VALUE`.
"""

import time
from pathlib import Path

import msgspec

from compute_agent.network.linux_bridge import LinuxBridgeNetwork
from compute_agent.network.underlay import Underlay
from contracts.compute import NetworkSpec, PortSpec
from contracts.networks import SegmentSpec
from tests.integration.network.documents import OPEN, ControlPlane
from tests.integration.network.guests import Guest, network, port

WIRE = "outside"
# In the order in which host 2 makes their guests: whoever reaches the last one knows that the first is there too.
VLANS = {"other": 102, "same": 101}
ADDRESSES = {"caller": "10.99.0.11", "same": "10.99.0.12", "other": "10.99.0.13"}
_PATIENCE_SECONDS = 180.0


def main() -> None:
    """Be the host that the command line names."""
    host = 1 if "novella.host=1" in Path("/proc/cmdline").read_text() else 2
    driver = LinuxBridgeNetwork(Path("/root/state"), Underlay(wires={WIRE: "eth0"}))
    say("kernel types", " ".join(driver.underlay().network_types))
    plane = ControlPlane(driver)
    nets = {name: _network(vlan) for name, vlan in VLANS.items()}
    if host == 2:
        for name, vlan in VLANS.items():
            _have_guest(plane, nets[name], name, vlan)
        say("guests", "ready")
        time.sleep(600)
        return
    guest = _have_guest(plane, nets["same"], "caller", VLANS["same"])
    say("same VLAN", guest.reaches(ADDRESSES["same"], seconds=_PATIENCE_SECONDS))
    say("other VLAN", not guest.misses(ADDRESSES["other"]))
    driver.unplug(guest.port.id)
    guest.stop()
    say("left", " ".join(sorted(one.name for one in Path("/sys/class/net").iterdir())))


def _network(vlan: int) -> NetworkSpec:
    """The same network on every host, so by its number."""
    return msgspec.structs.replace(network(), id=f"{vlan:08}-0000-4000-8000-000000000000")


def _have_guest(plane: ControlPlane, on: NetworkSpec, name: str, vlan: int) -> Guest:
    spec: PortSpec = port(on, ADDRESSES[name])
    guest = Guest(spec, Path("/tmp"))
    guest.start()
    plane.driver.plug(spec.id, [spec], {}, "")
    segment = SegmentSpec(network_type="vlan", mtu=on.mtu, segmentation_id=vlan, physical_network=WIRE)
    plane.tell(networks={on.id: segment})
    plane.put(spec, plane.group(*OPEN))
    guest.static(f"{ADDRESSES[name]}/24")
    return guest


def say(name: str, value: object) -> None:
    """Tell whoever reads the console."""
    print(f"\n### {name}: {value}", flush=True)


if __name__ == "__main__":
    main()
