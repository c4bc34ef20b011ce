"""Every path of the one project: OpenStack's APIs and our own below their prefixes, the admin, and what watches."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from cloud.config import watch

admin.autodiscover()
urlpatterns = [
    path("admin/health/", RedirectView.as_view(pattern_name="admin:health")),
    path("admin/topology/", RedirectView.as_view(pattern_name="admin:compute_topology", query_string=True)),
    path("admin/", admin.site.urls),
    path("healthz", watch.healthz),
    path("metrics", watch.metrics),
    path("api/schema/", watch.schema),
]

# prefix, module of the app's urls
SERVICES = (
    ("identity", "cloud.identity.api.urls"),
    ("compute", "cloud.compute.api.urls"),
    ("image", "cloud.images.api.urls"),
    ("network", "cloud.networks.api.urls"),
    ("placement", "cloud.placement.api.urls"),
    ("novella", "cloud.compute.api.novella.urls"),
)
urlpatterns += [path(prefix, include(module)) for prefix, module in SERVICES]
