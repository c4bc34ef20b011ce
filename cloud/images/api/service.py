"""The Image service: its prefix and its dialect."""

from cloud.core import faults
from cloud.core.endpoints import Service

SERVICE = Service("image", "image", faults.glance, title="Image API v2")
