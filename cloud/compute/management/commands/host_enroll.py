"""`manage.py host_enroll NAME...`."""

import os
from argparse import ArgumentParser
from pathlib import Path

import redis
from django.core.management.base import BaseCommand, CommandError

from cloud.compute.services import broker_users, host_credentials
from cloud.compute.services.host_credentials import Issued
from cloud.core.errors import CloudError


class Command(BaseCommand):
    help = "Make the credential of an agent: a Redis user and a key. It is shown once, or written to a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="+", metavar="NAME", help="of a host, as its agent calls it")
        parser.add_argument(
            "--hosts", nargs="+", default=[], metavar="HOST",
            help="the hosts of one process that speaks for several: names, or beginnings like 'fake-*'",
        )  # fmt: skip
        parser.add_argument(
            "--file", default="", help="write it here, readable by its owner, instead of showing it; {name} is the name"
        )
        parser.add_argument("--redis-url", default="", help="where the host reaches Redis, if not as we do")
        parser.add_argument("--users-file", type=Path, help="also write all hosts' users for Redis' configuration")
        parser.add_argument("--renew", action="store_true", help="end the credential of this name and make another")
        parser.add_argument(
            "--keep", action="store_true", help="write the credential that is there, and make one only where it lacks"
        )

    def handle(self, *, names: list[str], file: str, hosts: list[str], **options: object) -> None:
        if len(names) > 1 and (hosts or (file and "{name}" not in file)):
            raise CommandError("--hosts, and a --file without {name}, are for one credential.")
        for name in names:
            made = self._issue(name, hosts, renew=bool(options["renew"]), keep=bool(options["keep"]))
            text = made.text(str(options["redis_url"]))
            if file:
                _write(Path(file.replace("{name}", name)), text)
                self.stdout.write(f"The credential of {name} is in {file.replace('{name}', name)}.")
            else:
                self.stdout.write(text)
        if isinstance(options["users_file"], Path):
            _write(options["users_file"], "".join(f"{line}\n" for line in broker_users.acl_lines()))

    def _issue(self, name: str, hosts: list[str], *, renew: bool, keep: bool) -> Issued:
        there = host_credentials.issued(name) if keep and not renew else None
        try:
            return there or host_credentials.enroll(name, hosts, renew=renew)
        except CloudError as refusal:
            raise CommandError(refusal.message) from refusal
        except redis.RedisError as error:
            self.stderr.write(f"Redis does not take the user of {name} now ({error}); a conductor will make it.")
            made = host_credentials.issued(name)
            if made is None:
                raise CommandError(f"{name} was dismissed meanwhile.") from error
            return made


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(text)
        draft.replace(path)
    except OSError as error:
        raise CommandError(
            f"{path} cannot be written: {error.strerror}. Write it elsewhere, with --keep: the credential is made."
        ) from error
