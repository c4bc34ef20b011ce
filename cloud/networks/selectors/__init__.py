"""Reads of the network domain."""

from cloud.networks.selectors.interfaces import Address, Interface, interfaces

__all__ = ["Address", "Interface", "interfaces"]
