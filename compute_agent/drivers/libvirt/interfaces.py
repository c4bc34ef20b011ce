"""Plugging network cards into a domain and out of it, known by their taps.

The running guest comes first, then the definition, so that a guest that does not let go of a card keeps it in both.
What is done already is left alone.
"""

import time
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

import libvirt

from compute_agent.drivers.base import Interface
from compute_agent.drivers.libvirt.domain_xml import interface_xml
from compute_agent.drivers.libvirt.patience import GoesOn
from compute_agent.errors import DriverError

# A guest that boots hears nothing of the first request; Nova asks again too.
_ASK_AGAIN_SECONDS = 5.0
_RELEASE_SECONDS = 30.0
_POLL_SECONDS = 0.1
_GONE = frozenset({libvirt.VIR_ERR_DEVICE_MISSING, libvirt.VIR_ERR_OPERATION_FAILED, libvirt.VIR_ERR_INVALID_ARG})


def set_interfaces(domain: libvirt.virDomain, wanted: Sequence[Interface], goes_on: GoesOn) -> None:
    """Let a domain have these cards and no others.

    Raises:
        DriverError: the guest does not let go of a card. libvirtError
    """
    if domain.isActive():
        for tap, description in _there(domain).items():
            if tap not in {one.tap for one in wanted}:
                _take_out(domain, tap, description, goes_on)
        _put_in(domain, wanted, _there(domain), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    kept = _there(domain, libvirt.VIR_DOMAIN_XML_INACTIVE)
    for tap, description in kept.items():
        if tap not in {one.tap for one in wanted}:
            domain.detachDeviceFlags(description, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    _put_in(domain, wanted, kept, libvirt.VIR_DOMAIN_AFFECT_CONFIG)


def _there(domain: libvirt.virDomain, flags: int = 0) -> dict[str, str]:
    """Return the cards of a domain, each as libvirt describes it, by their taps."""
    document = ET.fromstring(domain.XMLDesc(flags))  # noqa: S314 - libvirtd's own words
    cards = document.findall("devices/interface[target]")
    return {card.find("target").get("dev", ""): ET.tostring(card, encoding="unicode") for card in cards}  # type: ignore[union-attr]


def _put_in(domain: libvirt.virDomain, wanted: Sequence[Interface], there: Mapping[str, str], flags: int) -> None:
    for interface in wanted:
        if interface.tap not in there:
            domain.attachDeviceFlags(interface_xml(interface), flags)


def _take_out(domain: libvirt.virDomain, tap: str, description: str, goes_on: GoesOn) -> None:
    """Ask a running guest for a card until it has let go of it."""
    begun = time.monotonic()
    asked = begun - _ASK_AGAIN_SECONDS
    while domain.isActive() and tap in _there(domain):
        goes_on()
        now = time.monotonic()
        if now - begun > _RELEASE_SECONDS:
            raise DriverError(f"the guest does not let go of its interface {tap}")
        if now - asked >= _ASK_AGAIN_SECONDS:
            asked = now
            _ask(domain, description)
        time.sleep(_POLL_SECONDS)


def _ask(domain: libvirt.virDomain, description: str) -> None:
    try:
        domain.detachDeviceFlags(description, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    except libvirt.libvirtError as exc:
        # It let go since we looked, or is about to: QEMU refuses a second request while the first is under way.
        if exc.get_error_code() not in _GONE:
            raise
