"""Tables of the compute domain.

Global database: flavors, keypairs, aggregates, server groups. Cell: instances, operations, hosts. No foreign key
crosses between the two: the other side is named by uuid or name.
"""

from cloud.compute.models.client_tokens import ClientToken
from cloud.compute.models.credentials import HostCredential
from cloud.compute.models.discrepancies import Discrepancy
from cloud.compute.models.flavors import Flavor, FlavorAccess
from cloud.compute.models.groups import Aggregate, AggregateHost, ServerGroup, ServerGroupMember
from cloud.compute.models.guest_passwords import GuestPassword
from cloud.compute.models.hosts import ComputeNode, Service
from cloud.compute.models.instances import Instance, InstanceFault, InstanceTag
from cloud.compute.models.keypairs import KeyPair
from cloud.compute.models.migrations import Migration
from cloud.compute.models.operations import Operation, Step

__all__ = [
    "Aggregate", "AggregateHost", "ClientToken", "ComputeNode", "Discrepancy", "Flavor", "FlavorAccess",
    "GuestPassword", "HostCredential", "Instance", "InstanceFault", "InstanceTag", "KeyPair", "Migration", "Operation",
    "ServerGroup", "ServerGroupMember", "Service", "Step",
]
