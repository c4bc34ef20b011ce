"""Routes of the Placement API."""

from cloud.core.http import patterns, unknown_path
from cloud.placement.api import allocations, resource_providers, vocabulary
from cloud.placement.api.service import SERVICE

ROUTES = [*vocabulary.ROUTES, *resource_providers.ROUTES, *allocations.ROUTES]
urlpatterns = [*patterns(SERVICE, ROUTES), unknown_path(SERVICE)]
