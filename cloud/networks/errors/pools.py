"""What is wrong with a subnet pool, an address scope, or a subnet that shall come from one."""

from cloud.core.errors import Conflict, Invalid, NotFound


class SubnetPoolNotFound(NotFound):
    """Subnet pool {subnetpool_id} could not be found."""


class AddressScopeNotFound(NotFound):
    """Address scope {address_scope_id} could not be found."""


class EmptySubnetPoolPrefixList(Invalid):
    """Empty subnet pool prefix list."""


class PrefixVersionMismatch(Invalid):
    """Cannot mix IPv4 and IPv6 prefixes in a subnet pool."""


class UnsupportedMinSubnetPoolPrefix(Invalid):
    """Prefix '{prefix}' not supported in IPv{version} pool."""


class IllegalSubnetPoolPrefixBounds(Invalid):
    """Illegal prefix bounds: {first_kind}={first}, {second_kind}={second}."""


class IllegalSubnetPoolPrefixUpdate(Invalid):
    """Illegal update to prefixes: Existing prefixes must be a subset of the new prefixes."""


class IllegalSubnetPoolUpdate(Invalid):
    """Illegal subnetpool update : {reason}."""


class IllegalSubnetPoolAssociation(Invalid):
    """Illegal subnetpool association: {reason}."""

    code = "IllegalSubnetPoolAssociationToAddressScope"


class AddressScopePrefixConflict(Conflict):
    """Failed to associate address scope: subnetpools within an address scope must have unique prefixes."""


class AddressScopeInUse(Conflict):
    """Unable to complete operation on address scope {address_scope_id}. There are one or more subnet pools in use on the address scope."""  # noqa: E501 - one sentence


class AddressScopeUpdateError(Invalid):
    """Unable to update address scope {address_scope_id} : Shared address scope can't be unshared."""


class SubnetPoolDeleteError(Invalid):
    """Unable to delete subnet pool: Subnet pool has existing allocations."""


class MinPrefixSubnetAllocationError(Invalid):
    """Unable to allocate subnet with prefix length {prefixlen}, minimum allowed prefix is {bound}."""


class MaxPrefixSubnetAllocationError(Invalid):
    """Unable to allocate subnet with prefix length {prefixlen}, maximum allowed prefix is {bound}."""


class SubnetAllocationError(Conflict):
    """Failed to allocate subnet: {reason}."""


class SubnetPoolQuotaExceeded(Conflict):
    """Per-tenant subnet pool prefix quota exceeded."""


class NetworkSubnetPoolAffinityError(Invalid):
    """Subnets hosted on the same network must be allocated from the same subnet pool."""
