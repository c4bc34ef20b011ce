"""The compute API: its prefix, its faults, its microversions."""

from cloud.core import faults
from cloud.core.endpoints import Service
from cloud.core.microversions import Microversions, version

MICROVERSIONS = Microversions("compute", version("2.1"), version("2.104"), "X-OpenStack-Nova-API-Version")
SERVICE = Service("compute", "compute", faults.nova, MICROVERSIONS, title="Compute")
# What lies beside /v2.1 knows no microversions.
UNVERSIONED = Service("compute", "compute", faults.nova, title="Compute versions")
