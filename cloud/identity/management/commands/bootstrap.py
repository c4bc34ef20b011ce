"""`manage.py bootstrap`: the accounts that a new installation begins with, and the file to log in with."""

import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cloud.identity import clouds_file
from cloud.identity.services.first_accounts import ACCOUNTS, make_first_accounts


class Command(BaseCommand):
    help = "Make the roles, projects and users that are missing, and write clouds.yaml. A second run changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.STATE_DIR / "clouds.yaml"
        try:
            before = clouds_file.read(path)
        except clouds_file.UnreadableCloudsFile as error:
            raise CommandError(str(error)) from error
        known = {account.name: clouds_file.password_of(before.get(account.cloud)) for account in ACCOUNTS}
        given = {name: password or secrets.token_urlsafe(18) for name, password in known.items()}
        outcome = make_first_accounts(given, {name for name, password in known.items() if password})
        after = before | {
            account.cloud: clouds_file.entry(settings.API_URL, settings.REGION, account.name, given[account.name])
            for account in ACCOUNTS
        }
        if after != before:
            clouds_file.write(path, after)
            outcome.done.append(f"wrote {path}")
        for sentence in outcome.done:
            self.stdout.write(sentence)
        for name in outcome.strangers:
            self.stderr.write(f"the password of {name} in {path} is not the one in force; remove it there to reset it")
