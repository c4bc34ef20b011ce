"""The Identity API as a service: its prefix and the dialect of its faults."""

from cloud.core import faults
from cloud.core.endpoints import Service

SERVICE = Service("identity", "identity", faults.keystone, title="Identity v3")
