"""Giving a port other addresses: what it has and may keep stays, the rest goes, what is missing is added."""

import ipaddress
from collections.abc import Sequence

from django.db import IntegrityError, transaction

from cloud.networks.errors import IpAddressInUse
from cloud.networks.models import FixedIp, Port
from cloud.networks.services.addresses import AddressWish, eui64, is_self_addressed
from cloud.networks.services.forgetting import forget
from cloud.networks.services.plugging import WITHOUT_GUEST, give_addresses


def read_wishes(fixed_ips: Sequence[dict[str, str]], *, is_gateway: bool = False) -> list[AddressWish]:
    """Return the API's `fixed_ips` as wishes."""
    return [
        AddressWish(
            subnet_id=wish.get("subnet_id", ""),
            ip_address=str(ipaddress.ip_address(wish["ip_address"])) if wish.get("ip_address") else "",
            is_gateway=is_gateway,
        )
        for wish in fixed_ips
    ]


def readdress(port: Port, wishes: Sequence[AddressWish]) -> None:
    """Give a locked port these addresses and no others, but those that its guest makes for itself.

    Raises what `make_port` raises for addresses.
    """
    held = list(FixedIp.objects.filter(port=port).select_related("subnet").order_by("id"))
    missing = []
    # Addresses before subnets, so that a wish for any address of a subnet does not take one that is asked for.
    for wish in sorted(wishes, key=lambda one: not one.ip_address):
        kept = next((fixed for fixed in held if _satisfies(fixed, wish)), None)
        if kept is None:
            missing.append(wish)
        else:
            held.remove(kept)
    gone = [fixed.pk for fixed in held if port.device_owner in WITHOUT_GUEST or not is_self_addressed(fixed.subnet)]
    forget(gone)
    FixedIp.objects.filter(id__in=gone).delete()
    give_addresses(port, missing)


def follow_mac(port: Port, before: str) -> None:
    """Give a locked port with a new MAC address what its guest makes of it, in place of what it made of the old one.

    Raises IpAddressInUse.
    """
    for fixed in FixedIp.objects.filter(port=port).select_related("subnet").order_by("id"):
        if is_self_addressed(fixed.subnet) and fixed.ip_address == eui64(fixed.subnet.cidr, before):
            fixed.ip_address = eui64(fixed.subnet.cidr, port.mac_address)
            try:
                with transaction.atomic():
                    fixed.save(update_fields=["ip_address"])
            except IntegrityError:
                raise IpAddressInUse(network_id=port.network_id, ip_address=fixed.ip_address) from None


def _satisfies(fixed: FixedIp, wish: AddressWish) -> bool:
    return wish.subnet_id in ("", fixed.subnet_id) and wish.ip_address in ("", fixed.ip_address)
