"""How much of each network resource a project may have. What it has is counted, not kept."""

from django.db import models

from cloud.core.models import id_field


class NetworkQuota(models.Model):
    """A project's own limits, by resource; what is absent has the default. -1 for none.

    The row is also what two requests of a project queue for while each counts and makes.
    """

    project_id = id_field(primary_key=True)
    limits = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return self.project_id
