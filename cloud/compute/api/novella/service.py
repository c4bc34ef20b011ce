"""Our own API: its prefix, and the dialect of the Compute API, whose bodies and microversions it takes."""

from cloud.compute.api.service import MICROVERSIONS
from cloud.core import faults
from cloud.core.endpoints import Service

SERVICE = Service("novella", "novella", faults.nova, MICROVERSIONS, title="Novella's own: placement reports, dry runs")
