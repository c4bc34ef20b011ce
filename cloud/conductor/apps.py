"""Django app of the conductor domain."""

from django.apps import AppConfig


class ConductorConfig(AppConfig):
    """The conductor domain."""

    name = "cloud.conductor"
    label = "conductor"

    def ready(self) -> None:
        # Importing them registers the workflows and their failure paths.
        from cloud.conductor import evacuation_launchers, launchers, move_launchers, snapshot_launchers  # noqa: F401
        from cloud.conductor.steps import clearing, snapshotting, undoing, unevacuating  # noqa: F401
