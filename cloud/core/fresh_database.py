"""The tables of a database that has none yet, made as they are after the last migration, without going through all.

What a fresh database is and what the migrations make of an older one is the same: a test compares them.
"""

from django.apps import apps
from django.core.management.sql import emit_post_migrate_signal
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def is_fresh(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether there is no table at all, nobody else's either."""
    return not connection.introspection.table_names()


def make_tables(connection: BaseDatabaseWrapper) -> int:
    """Make the tables of all models and note all migrations as applied: all of it, or nothing.

    Returns:
        How many migrations were noted.
    """
    loader = MigrationLoader(connection)
    recorder = MigrationRecorder(connection)
    noted = [recorder.Migration(app=app, name=name) for app, name in sorted(loader.disk_migrations)]
    with connection.schema_editor(atomic=True) as editor:
        for model in (recorder.Migration, *loader.project_state().apps.get_models()):
            if model._meta.can_migrate(connection):
                editor.create_model(model)
        recorder.migration_qs.bulk_create(noted)
    return len(noted)


def tell_apps(connection: BaseDatabaseWrapper, verbosity: int, *, interactive: bool) -> None:
    """Let every app add what comes with its tables: the names of models, and permissions."""
    emit_post_migrate_signal(verbosity, interactive, connection.alias, apps=apps, plan=[])
