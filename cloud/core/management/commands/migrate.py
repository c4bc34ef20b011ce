"""`manage.py migrate`, which makes a fresh database at once; all others it migrates as Django does."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from cloud.core import fresh_database

# Whoever asks for one of these wants the migrations themselves.
_OF_MIGRATIONS = ("app_label", "fake", "fake_initial", "plan", "check_unapplied", "prune")


class Command(migrate.Command):
    """Django's command, except where there is no table yet."""

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Bring the database to the models as they are."""
        connection = connections[options["database"]]
        if any(options[name] for name in _OF_MIGRATIONS) or not fresh_database.is_fresh(connection):
            super().handle(*arguments, **options)
            return
        noted = fresh_database.make_tables(connection)
        if options["verbosity"] >= 1:
            self.stdout.write(f"Made the tables of a fresh database, with what {noted} migrations would have made.")
        fresh_database.tell_apps(connection, options["verbosity"], interactive=options["interactive"])
