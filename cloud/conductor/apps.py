"""Django app of the conductor domain."""

from django.apps import AppConfig


class ConductorConfig(AppConfig):
    """The conductor domain."""

    name = "cloud.conductor"
    label = "conductor"

    def ready(self) -> None:
        # Importing them registers the workflows and their failure paths.
        from cloud.conductor import (  # noqa: F401
            evacuation_launchers,
            interface_launchers,
            keeping_launchers,
            launchers,
            move_launchers,
            snapshot_launchers,
            telling_networks,
        )
        from cloud.conductor.steps import (  # noqa: F401
            clearing,
            interfaces,
            restoring,
            snapshotting,
            soft_deleting,
            undoing,
            unevacuating,
        )
